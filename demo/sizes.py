"""How much of the demonstration city is worked out in detail."""

from dataclasses import dataclass
from typing import ClassVar

from spatial.errors import Kind, OnemapError

HECTARE_M2 = 10_000.0


class UnknownSize(OnemapError):
    """No demonstration city of that size exists."""

    kind: ClassVar[Kind] = Kind.INVALID
    code: ClassVar[str] = "demo-size-unknown"
    message: ClassVar[str] = "the demonstration city has no size {size}; choose one of {possible}"
    message_zh: ClassVar[str] = "演示城市没有“{size}”这一规模,可选:{possible}"


@dataclass(frozen=True)
class Grain:
    """How finely a district is divided: mean areas in m², most buildings on one parcel, their size (1 is usual)."""

    block_m2: float
    parcel_m2: float
    buildings: int
    house: float = 1.0


@dataclass(frozen=True)
class Size:
    """A size of the city: the districts shown in detail, and the two grains."""

    name: str
    detailed: frozenset[str]
    fine: Grain
    coarse: Grain
    spacing_m: float  # between components along one side of a road, in detailed districts

    def grain(self, district: str) -> Grain:
        """The grain of a district, by its six-digit code."""
        return self.fine if district in self.detailed else self.coarse

    def component_m(self, district: str) -> float:
        """How far apart components stand along one side of a road, in metres."""
        return self.spacing_m if district in self.detailed else COARSE_SPACING_M


COARSE_SPACING_M = 400.0

EVERY_DISTRICT = frozenset(f"4403{number:02d}" for number in range(3, 12))
COARSE = Grain(block_m2=54 * HECTARE_M2, parcel_m2=21 * HECTARE_M2, buildings=2)

SIZES = {
    "small": Size(
        "small", frozenset({"440304"}), Grain(4.5 * HECTARE_M2, 0.95 * HECTARE_M2, 4), COARSE, 45.0
    ),
    "district": Size(
        "district",
        frozenset({"440303", "440304", "440305"}),
        Grain(2.8 * HECTARE_M2, 0.42 * HECTARE_M2, 6),
        COARSE,
        16.0,
    ),
    "city": Size("city", EVERY_DISTRICT, Grain(2.2 * HECTARE_M2, 0.225 * HECTARE_M2, 5, 0.5), COARSE, 25.0),
}


def size_named(name: str) -> Size:
    """Return the size of that name.

    Raises
    ------
    UnknownSize
        The name is not in `SIZES`.
    """
    if name not in SIZES:
        raise UnknownSize(size=name, possible=", ".join(SIZES))
    return SIZES[name]
