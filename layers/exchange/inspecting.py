"""What a file is, before it is read: coordinate system, encoding, layer; and what a person has to say first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from django.conf import settings
from shapely.geometry.base import BaseGeometry

from layers.exchange.options import BadOption, ImportOptions
from layers.models import Field, Layer
from spatial.crs import (
    INPUT_SRIDS,
    Contradiction,
    InaccurateTransform,
    Transformation,
    contradiction,
    guess_crs,
    parse_crs,
    transformation,
)
from spatial.formats import Source, SourceLayerMissing, open_source
from spatial.numbers import BBox
from spatial.validity import Family


@dataclass(frozen=True, slots=True)
class Held:
    """Why an import waits for a person, and what to pass to go on."""

    code: str
    why: str
    why_zh: str
    give: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the report shows it."""
        return {"code": self.code, "why": self.why, "why_zh": self.why_zh, "pass": self.give, **self.facts}


@dataclass
class Inspection:
    """An opened source and what was settled about it."""

    source: Source | None
    srid: int | None = None
    move: Transformation | None = None
    held: list[Held] = field(default_factory=list)


def city_outline() -> BaseGeometry:
    """The city's coarse outline in the storage CRS (setting ONEMAP_CITY_OUTLINE)."""
    shape = shapely.polygons(settings.ONEMAP_CITY_OUTLINE)
    return shapely.transform(
        shape, transformation(4490, settings.ONEMAP_SRID, settings.ONEMAP_CRS_PARAMETERS).apply
    )


def inspect(path: Path, options: ImportOptions, layer: Layer | None) -> Inspection:
    """Open a received source and settle what can be settled without reading all of it."""
    try:
        source = open_source(path, encoding=options.encoding, source_layer=options.source_layer)
    except SourceLayerMissing as error:
        names = error.facts.get("layers")
        return Inspection(
            None,
            held=[
                Held(error.code, error.text("en"), error.text("zh"), "--source-layer NAME", {"layers": names})
            ],
        )
    found = Inspection(source)
    _settle_encoding(found, source)
    _settle_crs(found, source, options)
    if layer is not None:
        _compare_fields(found, source, layer)
    else:
        _require_fields(found, source, options)
    names = {one.name for one in source.fields}
    if options.key is not None and options.key not in names:
        raise BadOption(option="--key", reason=f"the file has no field {options.key}")
    if options.join_field and options.join_field not in names:
        raise BadOption(option="--join-field", reason=f"the file has no field {options.join_field}")
    if options.joins and source.family is not None:
        raise BadOption(option="--joins", reason="only a table without geometry is joined to a layer")
    return found


def family_of(source: Source, layer: Layer | None, *, joined: bool) -> Family:
    """What the rows of a source are: features of a family, else the rows of a table.

    Parameters
    ----------
    joined
        Whether the sender says that they are a table's: a file without rows shows nothing itself.

    Raises
    ------
    BadOption
        There is no geometry, where the layer has one or nothing shows a table.
    """
    if source.family is not None:
        return source.family
    if layer is not None and layer.family != Layer.Family.TABLE:
        raise BadOption(option="PATH", reason=f"the file has no geometry, layer {layer.name} is no table")
    if layer is None and not source.count and not joined:
        raise BadOption(option="PATH", reason="the file has neither rows nor a type of geometry")
    return Family.TABLE


def _require_fields(found: Inspection, source: Source, options: ImportOptions) -> None:
    """A field that is declared required has to be there."""
    names = {one.name for one in source.fields}
    gone = sorted(
        name for name, facts in options.fields.items() if facts.get("required") and name not in names
    )
    if gone:
        found.held.append(
            Held(
                "fields-changed",
                f"fields gone: {', '.join(gone)}",
                f"缺少字段：{'、'.join(gone)}",
                "a file with these fields",
                {"gone": gone, "retyped": []},
            )
        )


def _settle_encoding(found: Inspection, source: Source) -> None:
    if not source.encoding_sure:
        found.held.append(
            Held(
                "encoding-doubtful",
                "the text can be read in more than one way; look at the rows and choose",
                "文字可按多种编码读取，请查看样例后选择",
                "--encoding gb18030|utf-8|big5",
                {"samples": source.encoding_samples},
            )
        )


def _settle_crs(found: Inspection, source: Source, options: ImportOptions) -> None:
    srid = parse_crs(options.source_crs, INPUT_SRIDS).srid if options.source_crs else source.srid
    if source.bounds is None or source.family is None:
        found.srid = srid or settings.ONEMAP_SRID
    elif srid is None:
        found.held.append(crs_missing(source.bounds, source.crs_note))
        return
    else:
        if wrong := contradiction(source.bounds, srid):
            found.held.append(contradicted(wrong, srid))
            return
        found.srid = srid
    try:
        found.move = transformation(found.srid, settings.ONEMAP_SRID, settings.ONEMAP_CRS_PARAMETERS)
    except InaccurateTransform as error:
        give = f'ONEMAP_CRS_PARAMETERS={{"{found.srid}->{settings.ONEMAP_SRID}": "+proj=pipeline …"}}'
        found.held.append(Held("crs-inaccurate", error.text("en"), error.text("zh"), give))


def crs_missing(bounds: BBox | None, crs_note: str | None) -> Held:
    """Where no coordinate system is declared: the question, with what the numbers suggest."""
    lon_lat = shapely.polygons(settings.ONEMAP_CITY_OUTLINE).bounds
    guesses = guess_crs(bounds, BBox(*lon_lat)) if bounds else []
    listed = [{"crs": f"EPSG:{one.srid}", "why": one.why_en, "why_zh": one.why_zh} for one in guesses]
    give = f"--source-crs EPSG:{guesses[0].srid}" if guesses else "--source-crs EPSG:n"
    zh, _, en = (crs_note or "").partition(" / ")  # readers write both languages, Chinese first
    return Held(
        "crs-missing",
        f"the file does not say in which coordinate system it is{f' ({en or zh})' if zh else ''}",
        f"文件未说明坐标系{f'（{zh}）' if zh else ''}",
        give,
        {"guesses": listed, "bounds": list(bounds) if bounds else None},
    )


def contradicted(wrong: Contradiction, srid: int) -> Held:
    """Where the numbers contradict the declared system: the question."""
    give = (
        f"--source-crs EPSG:{wrong.fitting}"
        if wrong.fitting
        else "a file whose coordinates fit its coordinate system"
    )
    return Held(wrong.kind, wrong.why_en, wrong.why_zh, give, {"declared": f"EPSG:{srid}"})


def _compare_fields(found: Inspection, source: Source, layer: Layer) -> None:
    known = {one.name: one.type for one in Field.objects.filter(layer=layer)}
    given = {one.name: one.type for one in source.fields}
    gone = sorted(set(known) - set(given))
    retyped = sorted(name for name, kind in known.items() if name in given and not fits(given[name], kind))
    family = source.family
    if family is not None and family != Family(layer.family):
        raise BadOption(
            option="--layer",
            reason=f"layer {layer.name} holds {layer.family} features, the file {family.value}",
        )
    if gone or retyped:
        found.held.append(
            Held(
                "fields-changed",
                f"fields gone: {', '.join(gone) or 'none'}; fields of another type: {', '.join(retyped) or 'none'}",
                f"缺少字段：{'、'.join(gone) or '无'}；类型改变：{'、'.join(retyped) or '无'}",
                "a file with the layer's fields, or create a new layer",
                {"gone": gone, "retyped": retyped},
            )
        )


def fits(given: str, known: str) -> bool:
    """Whether values of a file's type can be stored in a field's type without loss."""
    return given == known or (given, known) in {("integer", "real"), ("date", "datetime")} or known == "text"
