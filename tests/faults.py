"""A small land survey with faults planted in it: what was planted, where, and which row it is.

`survey()` is right in every respect; `planted()` breaks it in fourteen named ways, far apart from one another.
Coordinates are metres of the storage CRS (EPSG:4547).
"""

from dataclasses import dataclass, field

import numpy as np
import shapely
from pyproj import Transformer

from spatial.measure import geodesic_area

EAST, NORTH, SIDE, COUNT = 500_000.0, 2_490_000.0, 50.0, 12
NAMES = {"0101": "水田", "0301": "乔木林地", "0701": "城镇住宅用地"}
LON_LAT = Transformer.from_crs(4547, 4490, always_xy=True)
CHECKS = {
    "unique": ["BSM"],
    "forms": {"ZDDM": "parcel_code"},
    "name_of": [{"code": "DLBM", "name": "DLMC"}],
    "partition": {"within": "part:XZQ", "tolerance_m": 0.01, "sliver_m2": 1.0, "thinness": 0.05},
    "area": {"field": "TBMJ", "absolute_m2": 1.0, "relative": 0.001},
    "sums": [{"field": "TBMJ", "by": "ZLDWDM", "table": "part:KZMJ", "total_field": "MJ", "tolerance": 1.0}],
    "matches": {"part": "part:QSB", "field": "BSM"},
}
PROFILE = {
    "version": 1,
    "title_zh": "年度土地变更调查",
    "parts": [
        {"source": "XZQ", "layer": "survey_district"},
        {"source": "DLTB", "layer": "survey_landuse", "checks": CHECKS},
        {"source": "QSB", "kind": "table", "layer": "survey_owners"},
        {"source": "KZMJ", "kind": "table", "layer": "survey_control"},
        {"source": "XZJX", "layer": "survey_border"},
    ],
}


@dataclass(frozen=True)
class Planted:
    """One fault: its code, the part and row (from 1) it is found at, and the ground on which it lies."""

    code: str
    part: str
    row: int | None = None
    ground: shapely.Geometry | None = None
    note: str = ""


@dataclass
class Survey:
    """The parts by their source names, each a list of rows; `geometry` where they have one."""

    parts: dict[str, list[dict]]
    planted: list[Planted] = field(default_factory=list)

    def plant(self, code, part="DLTB", row=None, ground=None, note=""):
        self.planted.append(Planted(code, part, row, ground, note))


def cell(column, row, width=SIDE, height=SIDE):
    """A lot by its place, metres."""
    x, y = EAST + SIDE * column, NORTH + SIDE * row
    return shapely.box(x, y, x + width, y + height)


def true_area(shape):
    """Square metres on the ellipsoid."""
    return geodesic_area(shapely.transform(shape, lambda xy: np.column_stack(LON_LAT.transform(*xy.T))))


def place(column, row):
    """Where a lot is in the list."""
    return row * COUNT + column


def survey():
    """Twelve by twelve lots in four villages, their owners, the control totals and the district."""
    lots = []
    for number in range(COUNT * COUNT):
        row, column = divmod(number, COUNT)
        shape = cell(column, row)
        code = list(NAMES)[number % len(NAMES)]
        lots.append(
            {
                "BSM": f"{number + 1:06d}",
                "ZDDM": f"440304001002GB{number + 1:05d}",
                "DLBM": code,
                "DLMC": NAMES[code],
                "ZLDWDM": f"44030400{1 + row // 3}",
                "TBMJ": round(true_area(shape), 2),
                "geometry": shape,
            }
        )
    totals = {}
    for lot in lots:
        totals[lot["ZLDWDM"]] = totals.get(lot["ZLDWDM"], 0.0) + lot["TBMJ"]
    return Survey(
        {
            "XZQ": [{"XZQDM": "440304", "geometry": cell(0, 0, SIDE * COUNT, SIDE * COUNT)}],
            "DLTB": lots,
            "QSB": [{"BSM": lot["BSM"], "QLR": "村集体"} for lot in lots],
            "KZMJ": [{"ZLDWDM": code, "MJ": round(total, 2)} for code, total in totals.items()],
        }
    )


def planted():
    """The survey with its faults, and without the part that the profile requires."""
    made = survey()
    _break_the_ground(made)
    _break_the_values(made)
    _break_the_tables(made)
    made.plant("part-missing", "XZJX")
    return made


def _reshape(made, column, row, shape):
    """Another shape for a lot, with the area and the control total that belong to it."""
    lot = made.parts["DLTB"][place(column, row)]
    before, lot["geometry"] = lot["TBMJ"], shape
    lot["TBMJ"] = round(true_area(shape), 2)
    control = next(one for one in made.parts["KZMJ"] if one["ZLDWDM"] == lot["ZLDWDM"])
    control["MJ"] = round(control["MJ"] + lot["TBMJ"] - before, 2)
    return place(column, row) + 1


def _break_the_ground(made):
    row = _reshape(made, 2, 1, cell(2, 1, SIDE + 3))
    made.plant("overlap", row=row, ground=cell(3, 1, 3))
    _reshape(made, 6, 1, cell(6, 1, SIDE, SIDE - 4))
    x, y = EAST + SIDE * 6, NORTH + SIDE * 2
    made.plant("gap", ground=shapely.box(x, y - 4, x + SIDE, y))
    row = _reshape(made, 11, 4, cell(11, 4, SIDE + 2.5))
    made.plant("outside", row=row, ground=cell(12, 4, 2.5))
    row = _reshape(made, 2, 6, cell(2, 6, SIDE + 0.2))
    made.plant("sliver", row=row, ground=cell(3, 6, 0.2), note="of an overlap")


def _break_the_values(made):
    lots = made.parts["DLTB"]
    lots[place(5, 4)]["BSM"] = lots[place(4, 4)]["BSM"]
    made.plant("duplicate-key", row=place(5, 4) + 1, ground=cell(5, 4))
    made.parts["QSB"] = [one for one in made.parts["QSB"] if one["BSM"] != f"{place(5, 4) + 1:06d}"]
    lots[place(8, 4)]["ZDDM"] = "440304001002XX00012"
    made.plant("code-form", row=place(8, 4) + 1, ground=cell(8, 4))
    lots[place(1, 8)]["DLMC"] = "旱地"
    made.plant("name-mismatch", row=place(1, 8) + 1, ground=cell(1, 8))
    lot = lots[place(4, 8)]
    lot["TBMJ"] += 40.0
    lots[place(5, 8)]["TBMJ"] -= 40.0  # the village's sum stays right
    made.plant("area-mismatch", row=place(4, 8) + 1, ground=cell(4, 8))
    made.plant("area-mismatch", row=place(5, 8) + 1, ground=cell(5, 8))


def _break_the_tables(made):
    made.parts["KZMJ"][3]["MJ"] += 500.0
    made.plant("sum-mismatch", row=place(0, 9) + 1, ground=cell(0, 9, SIDE * COUNT, SIDE * 3))
    made.parts["QSB"].append({"BSM": "999999", "QLR": "无此图斑"})
    made.plant("table-row-without-partner", "QSB", row=len(made.parts["QSB"]))
    gone = made.parts["DLTB"][place(9, 10)]["BSM"]
    blank = next(one for one in made.parts["QSB"] if one["BSM"] == gone)
    blank["BSM"] = "999998"
    made.plant("feature-without-partner", row=place(9, 10) + 1, ground=cell(9, 10))
    made.plant("table-row-without-partner", "QSB", row=made.parts["QSB"].index(blank) + 1)
