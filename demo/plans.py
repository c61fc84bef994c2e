"""Statutory plan areas, and land that was sold."""

from datetime import date, timedelta

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from demo.blocks import Blocks
from demo.frames import areas, as_multi, frame
from demo.ground import Geometries, Ground, merge
from demo.landuse import Uses
from demo.seeds import stream
from demo.tables import seats, streets

COMMUNITIES_EACH = 3
STATES = ("已批准", "已批准", "已批准", "修编中", "编制中")
SOLD_SHARE = 0.02
WAYS = ("挂牌", "挂牌", "拍卖", "招标", "协议")
FIRST_SALE = date(2012, 1, 5)
DAYS = 13 * 365
YEARS = {"07": 70, "09": 40, "10": 30}


def plan_areas(ground: Ground, urban: Geometries, seed: int) -> gpd.GeoDataFrame:
    """Features of `plan_area`: neighbouring communities of a street, what of them is built on."""
    random = stream(seed, "plan areas")
    built = np.flatnonzero([one is not None for one in urban])
    turn = _turns(ground.street[built]) // COMMUNITIES_EACH
    label, member = np.unique(ground.street[built] * 100 + turn, return_inverse=True)
    shapes = merge(urban[built], member, len(label))
    names = {one.code: one.name_zh.removesuffix("街道") for one in streets()}
    street = [seats()[at // 100].code for at in label]
    state = random.choice(np.array(STATES, dtype=object), len(label))
    day = [FIRST_SALE + timedelta(days=int(one)) for one in random.integers(0, DAYS, len(label))]
    approved = [when if one != "编制中" else None for when, one in zip(day, state, strict=True)]
    return frame(
        as_multi(shapes),
        code=[f"{code}-{at % 100 + 1:02d}" for code, at in zip(street, label, strict=True)],
        name=[
            f"[{names[code]}{at % 100 + 1:02d}]片区法定图则" for code, at in zip(street, label, strict=True)
        ],
        status=state,
        approved_on=approved,
        document=[
            f"深府函〔{when.year}〕{when.timetuple().tm_yday}号" if when else None for when in approved
        ],
        area_m2=areas(shapes),
    )


def _turns(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 … among those with the same owner, in the order given."""
    order = np.argsort(owner, kind="stable")
    start = np.flatnonzero(np.diff(owner[order], prepend=-1))
    count = np.diff(np.append(start, len(owner)))
    turn = np.empty(len(owner), dtype=np.int64)
    turn[order] = np.arange(len(owner)) - np.repeat(start, count)
    return turn


def land_sales(
    blocks: Blocks, uses: Uses, parcel: NDArray[np.object_], seed: int, district: str
) -> gpd.GeoDataFrame:
    """Features of `land_sale`: some of the parcels that homes, trade and industry stand on."""
    random = stream(seed, "land sales", district)
    fitting = np.array([code[:2] in YEARS for code in uses.plan])
    chosen = np.flatnonzero(fitting & (random.random(len(parcel)) < SOLD_SHARE))
    ground = areas(blocks.parcels[chosen])
    far = uses.far[chosen]
    price = np.round(ground * far * random.uniform(0.35, 2.2, len(chosen)), 2)
    day = [FIRST_SALE + timedelta(days=int(one)) for one in random.integers(0, DAYS, len(chosen))]
    return frame(
        shapely.set_precision(blocks.parcels[chosen], 0.001),
        code=[f"深地合字{district}-{number:04d}" for number in range(1, len(chosen) + 1)],
        parcel=parcel[chosen],
        way=random.choice(np.array(WAYS, dtype=object), len(chosen)),
        land_use=uses.plan[chosen],
        price=price,
        sold_on=day,
        years=np.array([YEARS[code[:2]] for code in uses.plan[chosen]], dtype=np.int64),
        far=far,
        area_m2=ground,
    )
