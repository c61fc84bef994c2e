"""How a layer of the demonstration city is declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Style = Mapping[str, object]


@dataclass(frozen=True)
class FieldSpec:
    """A field: name, type (text, integer, real), names in two languages, unit, what it means."""

    name: str
    type: str
    alias_zh: str
    alias_en: str
    unit: str = ""
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True)
class LayerSpec:
    """A layer: what the catalogue says of it before its features come.

    `theme` is base, plan, status or management; `department` a code of `demo.people`; `geometry` is
    point, line, polygon, table or raster; `key` the field that identifies a feature; a table's rows belong to the
    features of layer `joins` whose key is in field `join_field`.
    """

    name: str
    title_zh: str
    title_en: str
    theme: str
    department: str
    geometry: str
    label_field: str | None
    public: bool
    fields: tuple[FieldSpec, ...]
    style: Style = field(hash=False)
    visible: bool = False  # shown when the map opens
    key: str = ""
    joins: str = ""
    join_field: str = ""
    checks: Mapping[str, object] = field(default_factory=dict, hash=False)
    codes: Mapping[str, str] = field(default_factory=dict, hash=False)  # field -> code list, CODE@EDITION
    update_days: int | None = None

    @property
    def secrecy(self) -> str:
        """The secrecy level: what is not for everybody is internal."""
        return "public" if self.public else "internal"


def flat(fill: str, stroke: str, width_px: float = 1.0) -> Style:
    """One look for every feature: colours as #rrggbb or #rrggbbaa, line width in screen pixels."""
    return {"fill": fill, "stroke": stroke, "width": width_px}


def quiet(fill: str, stroke: str, width_px: float, labelled: int) -> Style:
    """One look for every polygon; labels up to a scale of 1:`labelled`."""
    symbols = [{"type": "fill", "color": fill}, {"type": "line", "color": stroke, "width": width_px}]
    return {"kind": "single", "symbols": symbols, "labels": {"max_scale": labelled, "size": 11}}


CODE = FieldSpec("code", "text", "代码", "Code")
NAME = FieldSpec("name", "text", "名称", "Name")
NAME_EN = FieldSpec("name_en", "text", "英文名称", "English name")
AREA = FieldSpec(
    "area_m2", "real", "面积", "Area", "m²", "平面面积,EPSG:4547", "Area on the plane of EPSG:4547"
)
PARENT = FieldSpec("parent", "text", "上级代码", "Parent code")
