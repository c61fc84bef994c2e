"""The style model: single, categorised, graduated or rule-based symbols, labels, scale ranges.

Sizes are CSS pixels of 0.28 mm (OGC 05-078r4, the standardised rendering pixel); scales are denominators. Colours
are #rrggbb or #rrggbbaa. Symbols of a rule are drawn in their order, the first lowest.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from layers.styles import conditions

MOST_RULES = 200
Colour = Annotated[
    str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$"), AfterValidator(str.lower)
]
Pixels = Annotated[float, Field(ge=0, le=64)]
Scale = Annotated[float, Field(gt=0, le=1e10)]
Words = Annotated[str, StringConstraints(max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Condition = Annotated[list[Any], BeforeValidator(conditions.checked)]
Value = Annotated[str, StringConstraints(max_length=conditions.LONGEST)] | int | float | bool


class Strict(BaseModel):
    """What every part of a style has in common: unknown words are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class Fill(Strict):
    """The inside of a polygon in one colour."""

    type: Literal["fill"] = "fill"
    color: Colour


class Hatch(Strict):
    """The inside of a polygon in a pattern on whatever lies below."""

    type: Literal["hatch"] = "hatch"
    pattern: Literal["diagonal", "back_diagonal", "horizontal", "vertical", "cross", "diagonal_cross", "dots"]
    color: Colour
    spacing: Annotated[float, Field(ge=3, le=64)] = 8
    width: Annotated[float, Field(gt=0, le=8)] = 1


class Line(Strict):
    """A line, or the outline of a polygon; a casing lies below it and below the lines it crosses."""

    type: Literal["line"] = "line"
    color: Colour
    width: Pixels = 1
    dash: Annotated[tuple[Annotated[float, Field(gt=0, le=200)], ...], Field(max_length=8)] = ()
    cap: Literal["butt", "round", "square"] = "butt"
    join: Literal["miter", "round", "bevel"] = "round"
    casing: Colour | None = None
    casing_width: Pixels = 1  # on each side


class Marker(Strict):
    """A point symbol out of the library."""

    type: Literal["marker"] = "marker"
    shape: Literal["circle", "square", "triangle", "diamond", "cross", "star"] = "circle"
    size: Annotated[float, Field(gt=0, le=64)] = 8
    fill: Colour = "#e3e8ee"
    stroke: Colour = "#5f6e7e"
    stroke_width: Pixels = 1


Symbol = Annotated[Fill | Hatch | Line | Marker, Field(discriminator="type")]
Symbols = Annotated[tuple[Symbol, ...], Field(max_length=8)]


class Labels(Strict):
    """The text beside, along or inside features: of the layer's label field if none is named."""

    field: Text | None = None
    color: Colour = "#1c2733"
    size: Annotated[float, Field(ge=6, le=40)] = 12
    halo: Colour = "#ffffff"
    halo_width: Annotated[float, Field(ge=0, le=6)] = 2
    placement: Literal["point", "line", "interior"] | None = None  # None: as the geometry suggests
    min_scale: Scale | None = None
    max_scale: Scale | None = None


class Rule(Strict):
    """Which features are drawn with which symbols, between which scales.

    `otherwise` is for features that fulfil no other rule's condition.
    """

    title_zh: Words = ""
    title_en: Words = ""
    where: Condition | None = None
    otherwise: bool = False
    min_scale: Scale | None = None  # drawn from this denominator on
    max_scale: Scale | None = None  # and below this one
    symbols: Symbols = ()


class Shared(Strict):
    """What styles of every kind may have."""

    labels: Labels | None = None
    min_scale: Scale | None = None
    max_scale: Scale | None = None


class Single(Shared):
    """All features alike."""

    kind: Literal["single"] = "single"
    symbols: Symbols


class Class(Strict):
    """Features with one of these values; the same values may look otherwise between other scales."""

    values: Annotated[tuple[Value, ...], Field(min_length=1, max_length=100)]
    title_zh: Words = ""
    title_en: Words = ""
    min_scale: Scale | None = None
    max_scale: Scale | None = None
    symbols: Symbols


class Other(Strict):
    """Features of no class."""

    title_zh: Words = "其他"
    title_en: Words = "Other"
    symbols: Symbols


class Categorised(Shared):
    """One look for each value of a field."""

    kind: Literal["categorised"] = "categorised"
    field: Text
    classes: Annotated[tuple[Class, ...], Field(min_length=1, max_length=MOST_RULES)]
    other: Other | None = None


class Interval(Strict):
    """Features whose value is at least `low` and below `high`; None is without bound."""

    low: float | None = None
    high: float | None = None
    title_zh: Words = ""
    title_en: Words = ""
    symbols: Symbols


class Graduated(Shared):
    """One look for each interval of a number."""

    kind: Literal["graduated"] = "graduated"
    field: Text
    intervals: Annotated[tuple[Interval, ...], Field(min_length=1, max_length=50)]
    other: Other | None = None


class Ruled(Shared):
    """Rules, each with a condition and scales of its own."""

    kind: Literal["rules"] = "rules"
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MOST_RULES)]


Style = Annotated[Single | Categorised | Graduated | Ruled, Field(discriminator="kind")]


def rules_of(style: Single | Categorised | Graduated | Ruled) -> tuple[Rule, ...]:
    """The style as rules: the one form that everything draws from."""
    low, high = style.min_scale, style.max_scale
    if isinstance(style, Single):
        return (Rule(symbols=style.symbols, min_scale=low, max_scale=high),)
    if isinstance(style, Ruled):
        return tuple(_narrowed(rule, style) for rule in style.rules)
    made = style.classes if isinstance(style, Categorised) else style.intervals
    rules = [_narrowed(_rule_of(style.field, one), style) for one in made]
    if style.other is not None:
        other = style.other
        rules.append(
            Rule(
                title_zh=other.title_zh,
                title_en=other.title_en,
                otherwise=True,
                symbols=other.symbols,
                min_scale=low,
                max_scale=high,
            )
        )
    return tuple(rules)


def _rule_of(field: str, one: Class | Interval) -> Rule:
    scales = (one.min_scale, one.max_scale) if isinstance(one, Class) else (None, None)
    return Rule(
        title_zh=one.title_zh,
        title_en=one.title_en,
        where=_condition(field, one),
        min_scale=scales[0],
        max_scale=scales[1],
        symbols=one.symbols,
    )


def _condition(field: str, one: Class | Interval) -> list[Any]:
    if isinstance(one, Class):
        return ["==", field, one.values[0]] if len(one.values) == 1 else ["in", field, list(one.values)]
    bounds = [[">=", field, one.low]] if one.low is not None else []
    bounds += [["<", field, one.high]] if one.high is not None else []
    return ["all", *bounds] if bounds else ["not", ["null", field]]


def _narrowed(rule: Rule, style: Shared) -> Rule:
    """The rule within the style's own scales."""
    lows = [one for one in (rule.min_scale, style.min_scale) if one is not None]
    highs = [one for one in (rule.max_scale, style.max_scale) if one is not None]
    return rule.model_copy(
        update={"min_scale": max(lows, default=None), "max_scale": min(highs, default=None)}
    )


def fields_used(style: Single | Categorised | Graduated | Ruled) -> frozenset[str]:
    """The fields on which the look of a feature depends; labels apart."""

    def asked() -> Iterator[str]:
        for rule in rules_of(style):
            if rule.where is not None:
                yield from conditions.fields_of(rule.where)

    return frozenset(asked())
