"""How a few points become a coast, a hill or a road: shapes that look grown, not drawn."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from demo.seeds import stream
from demo.tables import Blob, Points, centres, outline_ring

GRID_M = 0.001  # every shared corner lies on this grid, so that neighbours meet exactly
COAST_ROUNDS = 4
COAST_ROUGHNESS = 0.13  # of a side's length
BLOB_STEP_M = 140.0
BLOB_ROUGHNESS = 0.3
WAVES = 7
WAVE_LENGTH_M = (2600.0, 6500.0)
WAVE_HEIGHT_M = 75.0  # seven of them bend a line by up to 500 m, and never fold it


@dataclass(frozen=True)
class Warp:
    """A gentle bending of the plane: a sum of waves, the same for every line."""

    wave: Points  # radians per metre along east and north, shape (waves, 2)
    phase: NDArray[np.float64]  # radians, shape (waves, 2): one for each shift
    height_m: float

    def shift(self, points: Points) -> Points:
        """Move points; shape (n, 2) in and out, metres."""
        turn = points @ self.wave.T
        moved = np.sin(turn[:, :, None] + self.phase[None, :, :]).sum(axis=1)
        shifted: Points = points + self.height_m * moved
        return shifted


def warp(seed: int) -> Warp:
    """The bending of one city."""
    random = stream(seed, "warp")
    angle = random.uniform(0, 2 * np.pi, WAVES)
    pace = 2 * np.pi / random.uniform(*WAVE_LENGTH_M, WAVES)
    wave = np.column_stack([np.cos(angle), np.sin(angle)]) * pace[:, None]
    return Warp(wave, random.uniform(0, 2 * np.pi, (WAVES, 2)), WAVE_HEIGHT_M)


def roughen(ring: Points, roughness: float, random: np.random.Generator) -> Points:
    """Double the corners of a closed ring, each new one pushed off the middle of its side."""
    after = np.roll(ring, -1, axis=0)
    side = after - ring
    push = random.normal(0, roughness / 2, len(ring)).clip(-roughness, roughness)
    middle = (ring + after) / 2 + np.column_stack([-side[:, 1], side[:, 0]]) * push[:, None]
    return np.stack([ring, middle], axis=1).reshape(-1, 2)


def outline(seed: int) -> Polygon:
    """The city's border and coast, on the 1 mm grid, EPSG:4547.

    The roughness is halved until the ring does not cross itself.
    """
    roughness = COAST_ROUGHNESS
    while True:
        random = stream(seed, "outline")
        ring = np.array(outline_ring())
        for _ in range(COAST_ROUNDS):
            ring = roughen(ring, roughness, random)
        shape = shapely.set_precision(Polygon(ring), GRID_M)
        if isinstance(shape, Polygon) and Polygon(ring).is_valid:
            return shape
        roughness /= 2


def blob(spec: Blob, random: np.random.Generator) -> Polygon:
    """A hill or a lake: its ellipse with bays and spurs."""
    around = int(np.pi * (spec.length_m + spec.width_m) / 2 / BLOB_STEP_M)
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)
    swing = np.ones(around)
    for order in range(2, 12):
        swing += random.normal(0, 0.3 / order**0.9) * np.cos(order * turn + random.uniform(0, 2 * np.pi))
    swing = swing.clip(0.5, 1.6)
    along, across = spec.length_m / 2 * np.cos(turn) * swing, spec.width_m / 2 * np.sin(turn) * swing
    bearing = np.radians(spec.bearing_deg)
    east = along * np.sin(bearing) + across * np.cos(bearing)
    north = along * np.cos(bearing) - across * np.sin(bearing)
    ring = roughen(np.column_stack([east, north]) + np.array(spec.at), BLOB_ROUGHNESS, random)
    return largest(Polygon(ring))


def largest(shape: Polygon) -> Polygon:
    """The shape made valid, and the largest part of it."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    return parts[shapely.area(parts).argmax()]


def smooth(points: Points, step_m: float = 120.0) -> Points:
    """A curve through the points (Catmull-Rom), with a corner about every `step_m` metres."""
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    pieces = []
    for before, start, stop, after in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        count = max(2, int(np.hypot(*(stop - start)) / step_m))
        t = np.linspace(0, 1, count, endpoint=False)[:, None]
        bend = (2 * before - 5 * start + 4 * stop - after) * t**2
        pieces.append(
            (2 * start + (stop - before) * t + bend + (3 * start - before - 3 * stop + after) * t**3) / 2
        )
    return np.vstack([*pieces, points[-1:]])


def centrality(points: Points) -> NDArray[np.float64]:
    """How central each point is: 0 at the edge of the city, 1 in the middle of its densest place."""
    best = np.zeros(len(points))
    for centre in centres():
        distance = np.hypot(*(points - np.array(centre.at)).T)
        best = np.maximum(best, centre.height * np.exp(-((distance / centre.radius_m) ** 2) / 2))
    return best
