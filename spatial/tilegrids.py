"""The tile matrix sets the platform offers, one interface for all.

Boxes are in x/y order (east first) whatever the coordinate system's own axis order; only `to_json` writes
points in the order the standard asks for.
"""

import math
from dataclasses import dataclass
from typing import Any

from spatial.citygrid import PIXEL_METRES, TILE_PIXELS, CityGrid, TileOutside
from spatial.crs import crs_of
from spatial.numbers import BBox

METRES_PER_DEGREE = 111319.49079327358  # a * pi / 180 with a = 6,378,137 m
_MERCATOR_EDGE = math.pi * 6_378_137.0


@dataclass(frozen=True, slots=True)
class TileMatrixSet:
    """A quad tree of tiles of 256 pixels; OGC 17-083r4 (Two Dimensional Tile Matrix Set 2.0).

    Attributes
    ----------
    identifier : str
        The name in addresses.
    srid : int
        EPSG code.
    min_level, max_level : int
        First and last level.
    left, top : float
        Top left corner, x and y, in units of the coordinate system.
    unit_resolution : float
        Units per pixel at level 0, which need not exist.
    aspect : int
        Width over height of the whole matrix, 1 or 2; columns of level z are 2^z.
    metres_per_unit : float
        For scale denominators.
    uri, scale_set : str
        Registered names, empty when there is none.
    """

    identifier: str
    srid: int
    min_level: int
    max_level: int
    left: float
    top: float
    unit_resolution: float
    aspect: int = 1
    metres_per_unit: float = 1.0
    uri: str = ""
    scale_set: str = ""

    def matrix_size(self, z: int) -> tuple[int, int]:
        """Columns and rows of level `z`."""
        if not self.min_level <= z <= self.max_level:
            raise TileOutside(grid=self.identifier, z=z, x="?", y="?")
        return 1 << z, (1 << z) // self.aspect

    def contains(self, z: int, x: int, y: int) -> bool:
        """Whether there is such a tile."""
        if not self.min_level <= z <= self.max_level:
            return False
        columns, rows = self.matrix_size(z)
        return 0 <= x < columns and 0 <= y < rows

    def bounds(self, z: int, x: int, y: int) -> BBox:
        """The box of one tile, x/y order, units of the coordinate system.

        Raises
        ------
        TileOutside
            There is no such tile.
        """
        if not self.contains(z, x, y):
            raise TileOutside(grid=self.identifier, z=z, x=x, y=y)
        side = self.resolution(z) * TILE_PIXELS
        # Every edge from its own number: neighbours then name their common edge by the very same float, which the
        # half-open test that gives a point to one tile rests on.
        return BBox(
            self.left + x * side,
            self.top - (y + 1) * side,
            self.left + (x + 1) * side,
            self.top - y * side,
        )

    def resolution(self, z: int) -> float:
        """Units per pixel at level `z`."""
        return self.unit_resolution / (1 << z)

    def scale_denominator(self, z: int) -> float:
        """Scale of level `z` on a pixel of 0.28 mm."""
        return self.resolution(z) * self.metres_per_unit / PIXEL_METRES

    def to_json(self) -> dict[str, Any]:
        """The set as OGC TileMatrixSet 2.0 JSON; points of origin are in the system's own axis order."""
        crs = crs_of(self.srid)
        axes = ["E", "N"] if not crs.geographic else ["Lon", "Lat"]
        found: dict[str, Any] = {
            "id": self.identifier,
            "title": self.identifier,
            "crs": crs.uri,
            "orderedAxes": axes[::-1] if crs.north_first else axes,
            "tileMatrices": [self._matrix(z, crs.north_first) for z in self.levels],
        }
        if self.uri:
            found["uri"] = self.uri
        if self.scale_set:
            found["wellKnownScaleSet"] = self.scale_set
        return found

    @property
    def levels(self) -> range:
        """All levels, coarsest first."""
        return range(self.min_level, self.max_level + 1)

    def _matrix(self, z: int, north_first: bool) -> dict[str, Any]:
        columns, rows = self.matrix_size(z)
        corner = [self.top, self.left] if north_first else [self.left, self.top]
        return {
            "id": str(z),
            "scaleDenominator": self.scale_denominator(z),
            "cellSize": self.resolution(z),
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": corner,
            "tileWidth": TILE_PIXELS,
            "tileHeight": TILE_PIXELS,
            "matrixWidth": columns,
            "matrixHeight": rows,
        }


WEB_MERCATOR_QUAD = TileMatrixSet(
    identifier="WebMercatorQuad",
    srid=3857,
    min_level=0,
    max_level=24,
    left=-_MERCATOR_EDGE,
    top=_MERCATOR_EDGE,
    unit_resolution=2 * _MERCATOR_EDGE / TILE_PIXELS,
    uri="http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
    scale_set="http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
)

# The levels of the national map service (set "c"): level 1 is 2 x 1 tiles, there is no level 0.
CGCS2000_QUAD = TileMatrixSet(
    identifier="CGCS2000Quad",
    srid=4490,
    min_level=1,
    max_level=18,
    left=-180.0,
    top=90.0,
    unit_resolution=360.0 / TILE_PIXELS,
    aspect=2,
    metres_per_unit=METRES_PER_DEGREE,
)


def city_matrix_set(grid: CityGrid) -> TileMatrixSet:
    """The city's own grid as a tile matrix set named CityGrid."""
    return TileMatrixSet(
        identifier="CityGrid",
        srid=grid.srid,
        min_level=0,
        max_level=grid.levels - 1,
        left=grid.origin_x,
        top=grid.origin_y,
        unit_resolution=grid.size / TILE_PIXELS,
    )


def matrix_sets(grid: CityGrid) -> dict[str, TileMatrixSet]:
    """All sets offered in a city with `grid`, by identifier."""
    offered = (WEB_MERCATOR_QUAD, CGCS2000_QUAD, city_matrix_set(grid))
    return {matrix_set.identifier: matrix_set for matrix_set in offered}
