"""The three control lines (三区三线): red line of ecology, basic farmland, boundary of urban development.

They never overlap: farmland lies between the red line and the boundary, each a set distance off the next.
"""

import geopandas as gpd
import numpy as np
import shapely

from demo.frames import areas, as_multi, frame
from demo.ground import Geometries, Ground, merge
from demo.roads import district_of
from demo.tables import districts

ECOLOGY_INSIDE_M = 120.0  # the red line keeps this far within a hill's foot
FARMLAND_M = (15.0, 105.0)  # farmland lies between these distances within a hill's foot
SMALLEST_ECOLOGY_M2 = 200_000.0
SMALLEST_FARMLAND_M2 = 20_000.0
FARMING = ("440306", "440309", "440310", "440311")  # districts that keep farmland
CLOSED_M = 25.0


def control_lines(ground: Ground, urban: Geometries) -> list[tuple[str, gpd.GeoDataFrame]]:
    """Features of `line_ecology`, `line_farmland` and `line_urban`."""
    hills = [at for at, each in enumerate(ground.naturals) if each.kind == "hill"]
    wild = np.isin(ground.nature, hills)
    shapes = merge(ground.faces[wild], ground.nature[wild], len(ground.naturals))
    kept = [at for at in hills if shapes[at] is not None]
    return [
        ("line_ecology", ecology(ground, shapes, kept)),
        ("line_farmland", farmland(ground, shapes, kept)),
        ("line_urban", urban_boundary(ground, urban)),
    ]


def ecology(ground: Ground, shapes: Geometries, kept: list[int]) -> gpd.GeoDataFrame:
    """The inside of every hill that is large enough."""
    inner = shapely.buffer(shapes[kept], -ECOLOGY_INSIDE_M)
    large = shapely.area(inner) > SMALLEST_ECOLOGY_M2
    names = [f"{ground.naturals[at].name_zh}生态保护红线" for at in np.array(kept)[large]]
    codes = [f"STHX{number:04d}" for number in range(1, len(names) + 1)]
    shown = shapely.set_precision(inner[large], 0.001)
    return frame(as_multi(shown), code=codes, name=names, area_m2=areas(shown))


def farmland(ground: Ground, shapes: Geometries, kept: list[int]) -> gpd.GeoDataFrame:
    """Patches along the hills' feet in the districts that keep farmland."""
    near, far = FARMLAND_M
    ring = shapely.difference(shapely.buffer(shapes[kept], -near), shapely.buffer(shapes[kept], -far))
    here = np.flatnonzero(np.isin(district_of(ground, np.arange(ground.communities)), FARMING))
    field = np.isin(ground.community, here)
    area = shapely.union_all(ground.faces[field])
    parts = shapely.get_parts(shapely.intersection(ring, area))
    parts = parts[shapely.area(parts) > SMALLEST_FARMLAND_M2]
    shown = shapely.set_precision(parts, 0.001)
    codes = [f"YJJBNT{number:05d}" for number in range(1, len(shown) + 1)]
    return frame(as_multi(shown), code=codes, area_m2=areas(shown))


def urban_boundary(ground: Ground, urban: Geometries) -> gpd.GeoDataFrame:
    """What is built on, closed over its small gaps, district by district."""
    ward = district_of(ground, np.arange(ground.communities))
    codes, names, shapes = [], [], []
    for each in districts():
        mine = [one for one in urban[ward == each.code] if one is not None]
        if mine:
            whole = shapely.buffer(shapely.union_all(mine), -CLOSED_M, join_style="mitre")
            shapes.append(shapely.set_precision(whole, 0.001))
            codes.append(f"CZKFBJ{each.code}")
            names.append(f"{each.name_zh}城镇开发边界")
    found = np.array(shapes, dtype=object)
    return frame(as_multi(found), code=codes, name=names, area_m2=areas(found))
