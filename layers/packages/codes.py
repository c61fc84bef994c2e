"""Code lists in packages: those a profile names travel with it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import transaction

from layers.models import CodeList, CodeValue
from process import audit
from spatial.errors import Kind, OnemapError

LIST_FACTS = ("code", "edition", "title_zh", "title_en", "source", "valid_from", "valid_to")
VALUE_FACTS = ("code", "title_zh", "title_en", "colour", "parent", "selectable", "mark")


class BadCodeList(OnemapError):
    """A package's code list is not of the published form."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "package-code-list"
    message: ClassVar = "a code list of the package is not of the published form"
    message_zh: ClassVar = "数据包中的代码表不符合规定格式"


def code_lists_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The code lists a profile names ('code@edition'), with their values; what this instance lacks is left out."""
    wanted = sorted(set(_named(document)))
    found = []
    for name in wanted:
        code, _, edition = name.partition("@")
        one = CodeList.objects.filter(code=code, edition=edition).first()
        if one is not None:
            values = [
                {fact: getattr(value, fact) for fact in VALUE_FACTS} for value in one.values.order_by("code")
            ]
            found.append({**{fact: getattr(one, fact) for fact in LIST_FACTS}, "values": values})
    return found


def _named(document: Mapping[str, Any]) -> Iterator[str]:
    for part in document.get("parts", ()):
        for field in part.get("fields", {}).values():
            if field.get("code_list"):
                yield str(field["code_list"])


@transaction.atomic
def add_code_lists(lists: Sequence[Mapping[str, Any]], by: str) -> list[str]:
    """Add the code lists of a verified package that are not here yet; what is here stays as it is.

    Returns
    -------
    list of str
        The added lists, 'code@edition'.

    Raises
    ------
    BadCodeList
    """
    added = []
    for one in lists:
        try:
            if CodeList.objects.filter(code=one["code"], edition=one["edition"]).exists():
                continue
            row = CodeList(**{fact: one[fact] for fact in LIST_FACTS})
            row.full_clean()
            row.save()
            values = [
                CodeValue(code_list=row, **{fact: value[fact] for fact in VALUE_FACTS})
                for value in one["values"]
            ]
            for value in values:
                value.clean_fields(exclude=["code_list"])
        except (KeyError, TypeError, ValidationError) as error:
            raise BadCodeList() from error
        CodeValue.objects.bulk_create(values)
        name = f"{row.code}@{row.edition}"
        audit.record(by, "code-list.add", "code-list", name, values=len(values), source="package")
        added.append(name)
    return added
