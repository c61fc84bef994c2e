"""What an import is told: the arguments of `import_layer` as one value."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, ClassVar

from accounts.clearance import Clearance
from accounts.models import Department
from layers import codes
from layers.models import Layer, Theme
from spatial.errors import Kind, OnemapError

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}\Z", re.ASCII)
MODES = ("create", "append", "replace", "upsert")
ACCEPTABLE = ("outside-city", "gcj02-suspected", "count-jumped")
CONFLICTS = ("hold", "keep", "take")


class BadOption(OnemapError):
    """An import that cannot be begun as asked."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-option"
    message: ClassVar = "{option}: {reason}"
    message_zh: ClassVar = "{option}：{reason}"


class SecretRefused(OnemapError):
    """State secrets have no place on this platform."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "secret-refused"
    message: ClassVar = "data classified secret must stay on the classified network; nothing was read"
    message_zh: ClassVar = "涉密数据须留在涉密网络，平台不予导入；未读取任何内容"


@dataclass(frozen=True)
class ImportOptions:
    """How a file becomes (part of) a layer. See contract.md, `import_layer`.

    Attributes
    ----------
    fields
        Further facts of fields by name: alias_zh, alias_en, unit, required, minimum, maximum, max_length,
        indexed (an index to sort by; if none says so, key, label and coded fields have one), and code_list as
        `CODE@EDITION`.
    joins, join_field
        Of a table without geometry: the layer whose key_field the field names.
    arriving
        Layers that the same delivery makes, so that a table may join them before they are there.
    conflicts
        What becomes of features that were corrected on the one map since the previous delivery and that this
        one gives another way: 'hold' stops and asks, 'keep' leaves the corrections, 'take' takes the delivery.
    most_changed
        Share of the layer's features (0 to 1); a delivery that would add, change and remove more together is held.
    checks
        What must hold of the layer (layers.rules.checks).
    """

    layer: str
    title: str
    department: str
    title_en: str = ""
    abstract_zh: str = ""
    abstract_en: str = ""
    theme: str = "base"
    source_crs: str | None = None
    encoding: str | None = None
    source_layer: str | None = None
    mode: str = "create"
    key: str | None = None
    repair: bool = False
    secrecy: str = ""  # nothing said: public with `public`, else internal
    valid_time: bool = False
    valid_from: str | None = None
    accept: tuple[str, ...] = ()
    dry_run: bool = False
    public: bool = False
    label_field: str = ""
    style: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    order: int = 100
    visible: bool = False
    demo: bool = False
    control: bool = False
    joins: str = ""
    join_field: str = ""
    arriving: tuple[str, ...] = ()
    conflicts: str = "hold"
    most_changed: float | None = None
    update_days: int | None = None
    checks: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "cli"

    def to_json(self) -> dict[str, Any]:
        """As a job's arguments."""
        return asdict(self) | {"accept": list(self.accept), "arriving": list(self.arriving)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "ImportOptions":
        """From a job's arguments."""
        names = {name: tuple(given.get(name, ())) for name in ("accept", "arriving")}
        return cls(**{**given, **names})

    @property
    def level(self) -> str:
        """The secrecy level the layer gets."""
        return self.secrecy or ("public" if self.public else "internal")

    @property
    def day(self) -> date | None:
        """`valid_from` as a date."""
        return date.fromisoformat(self.valid_from) if self.valid_from else None


def judge(options: ImportOptions) -> Layer | None:
    """Refuse what can be refused before the file is read; return the layer if it is there already.

    Raises
    ------
    BadOption, SecretRefused
    """
    if options.secrecy == "secret":
        raise SecretRefused()
    if not NAME.match(options.layer):
        raise BadOption(
            option="--layer", reason="a small letter, then small letters, digits or _ (48 at most)"
        )
    _judge_choices(options)
    if not Department.objects.filter(code=options.department).exists():
        raise BadOption(option="--department", reason=f"there is no department {options.department}")
    if not Theme.objects.filter(code=options.theme).exists():
        raise BadOption(option="--theme", reason=f"there is no theme {options.theme}")
    return _target(options)


def _judge_choices(options: ImportOptions) -> None:
    if options.mode not in MODES:
        raise BadOption(option="--mode", reason=f"one of {', '.join(MODES)}")
    if options.level not in {level.value for level in Clearance}:
        raise BadOption(option="--secrecy", reason="public, internal or sensitive")
    if options.public and options.level != "public":
        raise BadOption(
            option="--public",
            reason=f"the public is not cleared for {options.level} data; say --secrecy public",
        )
    _judge_answers(options)
    _judge_day(options)
    _judge_join(options)
    _judge_code_lists(options)


def _judge_code_lists(options: ImportOptions) -> None:
    for name, facts in options.fields.items():
        if facts.get("code_list") and codes.find(facts["code_list"]) is None:
            raise BadOption(option=f"fields.{name}", reason=f"there is no code list {facts['code_list']}")


def _judge_answers(options: ImportOptions) -> None:
    """What a person said to the questions of an earlier attempt."""
    if set(options.accept) - set(ACCEPTABLE):
        raise BadOption(option="--accept", reason=f"some of {', '.join(ACCEPTABLE)}")
    if options.conflicts not in CONFLICTS:
        raise BadOption(option="--conflicts", reason=f"one of {', '.join(CONFLICTS)}")
    if options.most_changed is not None and not 0 <= options.most_changed <= 1:
        raise BadOption(option="--most-changed", reason="a share from 0 to 1")


def _judge_join(options: ImportOptions) -> None:
    if bool(options.joins) != bool(options.join_field):
        raise BadOption(option="--joins", reason="--joins LAYER and --join-field FIELD go together")
    if not options.joins or options.joins in options.arriving:
        return
    target = Layer.objects.filter(name=options.joins, deleted_at=None).first()
    if target is None or target.family in {Layer.Family.TABLE, Layer.Family.RASTER}:
        raise BadOption(option="--joins", reason=f"there is no layer of features {options.joins}")
    if not target.key_field:
        raise BadOption(option="--joins", reason=f"layer {options.joins} has no key to join by")


def _judge_day(options: ImportOptions) -> None:
    if options.valid_from is None:
        return
    try:
        date.fromisoformat(options.valid_from)
    except ValueError as error:
        raise BadOption(option="--valid-from", reason="a date such as 2026-01-31") from error


def _target(options: ImportOptions) -> Layer | None:
    layer = Layer.objects.filter(name=options.layer).first()
    if layer is not None and layer.deleted_at is not None:
        raise BadOption(
            option="--layer", reason=f"{options.layer} was deleted; restore it or choose another name"
        )
    if layer is not None and options.mode == "create":
        raise BadOption(
            option="--mode", reason=f"layer {options.layer} is there already: append, replace or upsert"
        )
    if layer is None and options.mode == "append":
        raise BadOption(option="--mode", reason=f"there is no layer {options.layer} to append to: create it")
    if options.mode == "upsert" and not (options.key or (layer and layer.key_field)):
        raise BadOption(option="--key", reason="upsert needs the field that identifies a feature")
    if layer is not None and options.valid_from and not layer.valid_time:
        raise BadOption(option="--valid-from", reason=f"layer {options.layer} has no valid time")
    return layer
