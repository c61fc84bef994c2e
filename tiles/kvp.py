"""Parameters of the OGC services: names in any case, each once."""

from collections.abc import Mapping
from typing import ClassVar

from django.http import QueryDict

from layers.ogc.features_api.parameters import RepeatedParameter
from spatial.errors import Kind, OnemapError

LONGEST = 8_000  # characters of one value


class MissingParameter(OnemapError):
    """A parameter that the operation cannot do without."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "missing-parameter"
    message: ClassVar = "parameter {parameter} is missing"
    message_zh: ClassVar = "缺少参数 {parameter}"


class BadParameter(OnemapError):
    """A parameter whose value cannot be."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-parameter"
    message: ClassVar = "{parameter}: {wanted}"
    message_zh: ClassVar = "{parameter}：{wanted}"


class UnknownOperation(OnemapError):
    """An operation or a service that is not offered here."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "unknown-operation"
    message: ClassVar = "REQUEST is one of {offered}"
    message_zh: ClassVar = "REQUEST 应为 {offered} 之一"


class Kvp:
    """The parameters of one request, by their upper-case names.

    Raises
    ------
    RepeatedParameter
        One is given twice, in whatever case: two readers could take different ones for true.
    """

    def __init__(self, query: QueryDict) -> None:
        self._given: dict[str, str] = {}
        for name, values in query.lists():
            key = name.upper()
            if key in self._given or len(values) > 1:
                raise RepeatedParameter(parameter=key[:40])
            if len(values[0]) > LONGEST:
                raise BadParameter(parameter=key[:40], wanted=f"at most {LONGEST} characters")
            self._given[key] = values[0]

    def get(self, name: str, default: str = "") -> str:
        """The value, or the default."""
        return self._given.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def need(self, name: str) -> str:
        """The value.

        Raises
        ------
        MissingParameter
        """
        found = self._given.get(name)
        if not found:
            raise MissingParameter(parameter=name)
        return found

    def one_of(self, name: str, offered: Mapping[str, str], default: str) -> str:
        """What a word stands for, whatever its case.

        Raises
        ------
        BadParameter
        """
        found = offered.get(self.get(name, default).lower())
        if found is None:
            raise BadParameter(parameter=name, wanted=f"one of {', '.join(offered)}")
        return found
