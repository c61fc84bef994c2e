"""The tables the city is drawn from; their sources stand in data/README.md."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.rules.codelists import seeded

DATA = Path(__file__).parent / "data"
KM = 1000.0
DISTRICT_DIGITS = 6

Points = NDArray[np.float64]  # shape (n, 2), easting and northing in metres, EPSG:4547


@dataclass(frozen=True)
class Division:
    """A district (six digits) or a street (nine digits, below its district)."""

    code: str
    parent: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class Seat:
    """About where a street lies, in metres; a weight above 1 keeps it small."""

    code: str
    at: tuple[float, float]
    weight: float


@dataclass(frozen=True)
class Blob:
    """A hill or a lake: an ellipse by centre, length and width in metres, bearing in degrees."""

    kind: str
    name_zh: str
    name_en: str
    at: tuple[float, float]
    length_m: float
    width_m: float
    bearing_deg: float


@dataclass(frozen=True)
class Course:
    """A river or an expressway: a few points of its course, and its width in metres."""

    kind: str
    name_zh: str
    name_en: str
    width_m: float
    points: Points


@dataclass(frozen=True)
class Centre:
    """A place where the city is dense: height 0 to 1, falling off with the radius in metres."""

    at: tuple[float, float]
    radius_m: float
    height: float


@dataclass(frozen=True)
class LandUse:
    """A class of land use, edition 2023-11, with the colour of its fill."""

    code: str
    parent: str
    name_zh: str
    name_en: str
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class UseRule:
    """What may be built on a use: limits as ratios, lengths in metres."""

    code: str
    far_edge: float
    far_centre: float
    density: float
    green: float
    storey_m: float
    width_m: float
    depth_m: float
    gap_m: float
    limit_m: float
    most: int  # houses on one parcel
    use_zh: str
    suffixes: tuple[str, ...]


def rows(name: str) -> list[dict[str, str]]:
    """Read one table of the data folder."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def position(row: dict[str, str]) -> tuple[float, float]:
    """The point a row names, in metres."""
    return float(row["east_km"]) * KM, float(row["north_km"]) * KM


@cache
def divisions() -> tuple[Division, ...]:
    """Districts first, then streets, each in the order of their codes."""
    return tuple(Division(**row) for row in rows("divisions.csv"))


def districts() -> tuple[Division, ...]:
    """The nine districts."""
    return tuple(each for each in divisions() if len(each.code) == DISTRICT_DIGITS)


def streets() -> tuple[Division, ...]:
    """The streets, and the zones that carry a street's code."""
    return tuple(each for each in divisions() if len(each.code) > DISTRICT_DIGITS)


@cache
def seats() -> tuple[Seat, ...]:
    """One seat per street, in the order of the codes."""
    return tuple(Seat(row["code"], position(row), float(row["weight"])) for row in rows("seats.csv"))


@cache
def outline_ring() -> tuple[tuple[float, float], ...]:
    """The corners of the city's coarse ring, in metres."""
    return tuple(position(row) for row in rows("outline.csv"))


@cache
def nature() -> tuple[Blob, ...]:
    """Hills and lakes."""
    return tuple(
        Blob(
            row["kind"],
            row["name_zh"],
            row["name_en"],
            position(row),
            float(row["length_km"]) * KM,
            float(row["width_km"]) * KM,
            float(row["bearing_deg"]),
        )
        for row in rows("nature.csv")
    )


@cache
def courses() -> tuple[Course, ...]:
    """Rivers and expressways."""
    return tuple(
        Course(
            row["kind"],
            row["name_zh"],
            row["name_en"],
            float(row["width_m"]),
            np.array([pair.split(",") for pair in row["points_km"].split()], dtype=float) * KM,
        )
        for row in rows("lines.csv")
    )


@cache
def centres() -> tuple[Centre, ...]:
    """Where the city is dense."""
    return tuple(
        Centre(position(row), float(row["radius_km"]) * KM, float(row["height"]))
        for row in rows("centres.csv")
    )


@cache
def land_uses() -> dict[str, LandUse]:
    """Every class of land use, by code."""
    return {
        row["code"]: LandUse(
            row["code"],
            row["parent"],
            row["title_zh"],
            row["title_en"],
            (int(row["colour"][1:3], 16), int(row["colour"][3:5], 16), int(row["colour"][5:7], 16)),
        )
        for row in seeded("landuse-sd@2023")
    }


@cache
def land_mix(zone: str, role: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The uses of a zone and their shares, which sum to 1; role is `main` or `fill`."""
    mine = [row for row in rows("land_mix.csv") if (row["zone"], row["role"]) == (zone, role)]
    total = sum(float(row["weight"]) for row in mine)
    return tuple(row["code"] for row in mine), tuple(float(row["weight"]) / total for row in mine)


@cache
def use_rules() -> dict[str, UseRule]:
    """What may be built, by code of the use; a use without a rule is not built on."""
    return {
        row["code"]: UseRule(
            row["code"],
            float(row["far_edge"]),
            float(row["far_centre"]),
            float(row["density"]),
            float(row["green"]),
            float(row["storey_m"]),
            float(row["width_m"]),
            float(row["depth_m"]),
            float(row["gap_m"]),
            float(row["limit_m"]),
            int(row["most"]),
            row["use_zh"],
            tuple(row["suffixes"].split()),
        )
        for row in rows("use_rules.csv")
    }
