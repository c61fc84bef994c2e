"""A survey with planted faults: every one is named at its row and its place, and nothing else is."""

import numpy as np
import pytest
import shapely
from django.db import connection
from pyproj import Transformer

from layers import catalogue, tables
from layers.exchange.deliveries.checking import CheckedPart, check_layer, check_parts
from layers.exchange.deliveries.profile import judge_document, plan_parts
from layers.exchange.options import ImportOptions
from layers.exchange.publishing import StagedRows
from layers.models import CodeList, CodeValue, Layer
from spatial.topology import partition_faults
from spatial.validity import Family
from tests import faults, layermaking, people

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

STORAGE = Transformer.from_crs(4490, 4547, always_xy=True)
TYPES = {str: "text", float: "real", int: "integer"}


@pytest.fixture(scope="module")
def codes(kept):
    """Departments, and the code list of land use classes."""
    people.offices()
    made = CodeList.objects.create(code="classes", edition="1", title_zh="地类", title_en="Classes")
    CodeValue.objects.bulk_create(
        CodeValue(code_list=made, code=code, title_zh=name) for code, name in faults.NAMES.items()
    )
    return "classes@1"


def staged(name, rows, checks=None, **options):
    """A part of a delivery whose rows wait in schema staging."""
    table = f"trial_{name.lower()}"
    kinds = {one: TYPES[type(value)] for one, value in rows[0].items() if one != "geometry"}
    columns = {one: f"f_{place:03d}" for place, one in enumerate(kinds, start=1)}
    with connection.cursor() as cursor:
        tables.create_loading(cursor, table, [(columns[one], kind) for one, kind in kinds.items()])
        marks = ", ".join(["%s", "ST_GeomFromWKB(%s, 4547)", *["%s"] * len(kinds)])
        cursor.executemany(
            f"INSERT INTO staging.{table} VALUES ({marks})",
            [
                (row, shapely.to_wkb(one.get("geometry")), *(one[field] for field in kinds))
                for row, one in enumerate(rows, start=1)
            ],
        )
    told = {
        "layer": f"survey_{name.lower()}",
        "title": name,
        "department": "data",
        "mode": "replace",
        **options,
    }
    family = Family.POLYGON if "geometry" in rows[0] else Family.TABLE
    fields = [(one, columns[one], kind) for one, kind in kinds.items()]
    waiting = StagedRows(ImportOptions(**told), table, family, fields, len(rows), None, {})
    return CheckedPart.of_staged(name, waiting, checks or {}, new=False)


def parts_of(made, codes):
    """The parts of a survey as the check of a delivery gets them."""
    told = {"fields": {"DLBM": {"code_list": codes}}, "key": "BSM"}
    return [
        staged(name, rows, faults.CHECKS if name == "DLTB" else None, **(told if name == "DLTB" else {}))
        for name, rows in made.parts.items()
    ]


def on_the_ground(place):
    """A fault's place in the storage CRS."""
    if place is None:
        return None
    shape = shapely.geometry.shape(place)
    return shapely.transform(shape, lambda xy: np.column_stack(STORAGE.transform(*xy.T)))


def lies(found, planted):
    """Whether a fault was found where it was planted: on that very ground, or a point of it."""
    ground = on_the_ground(found.place)
    if planted.ground is None or ground is None:
        return planted.ground is None and ground is None
    if ground.geom_type == "Point":
        return planted.ground.contains(ground)
    return ground.symmetric_difference(planted.ground).area < 0.2 + 0.001 * planted.ground.area


def test_a_right_survey_has_no_fault(codes):
    assert list(check_parts(parts_of(faults.survey(), codes))) == []


def test_every_planted_fault_is_named_at_its_place(codes):
    made = faults.planted()
    judge_document(faults.PROFILE)
    planned = plan_parts(
        faults.PROFILE,
        [(name, "layer" if "geometry" in rows[0] else "table") for name, rows in made.parts.items()],
    )
    assert planned.missing_required == [one.part for one in made.planted if one.code == "part-missing"]
    expected = [one for one in made.planted if one.code != "part-missing"]
    assert len({one.code for one in made.planted}) >= 12

    found = list(check_parts(parts_of(made, codes)))
    for one in expected:
        there = [
            fault
            for fault in found
            if (fault.code, fault.part, fault.row) == (one.code, one.part, one.row) and lies(fault, one)
        ]
        assert len(there) == 1, (one, [fault for fault in found if fault.code == one.code])
        assert there[0].level == "block"
        assert there[0].message
        assert there[0].message_zh
        found.remove(there[0])
    assert found == []


def test_it_tells_how_far_it_is_and_stops_when_told(codes):
    parts, shares = parts_of(faults.survey(), codes), []
    list(check_parts(parts, tell=shares.append))
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(check_parts(parts, cancelled=stop))


def test_what_cannot_be_checked_is_a_fault(codes):
    rows = faults.survey().parts["DLTB"]
    checks = {
        "unique": ["NO_SUCH"],
        "partition": {"within": "no_such_layer"},
        "matches": {"part": "part:GONE", "field": "BSM"},
    }
    found = list(check_parts([staged("DLTB", rows, checks)]))
    assert [(one.code, one.level) for one in found] == [
        ("check-field-missing", "block"),
        ("check-reference-missing", "block"),
        ("check-reference-missing", "block"),
    ]
    assert [one.facts for one in found] == [
        {"field": "NO_SUCH"},
        {"reference": "GONE"},
        {"reference": "no_such_layer"},
    ]


def test_the_boundary_is_the_part_of_a_layer_that_is_named(codes):
    west, east = faults.cell(0, 0, 300, 600), faults.cell(6, 0, 300, 600)
    layermaking.make_layer(
        "check_district", [{"code": "1", "geometry": west}, {"code": "2", "geometry": east}]
    )
    rows = [{"BSM": "a", "geometry": west}]
    within = {"within": "check_district", "where": {"code": ["1"]}}
    assert list(check_parts([staged("DLTB", rows, {"partition": within})])) == []
    (gap,) = check_parts([staged("DLTB", rows, {"partition": {"within": "check_district"}})])
    assert (gap.code, gap.row, gap.facts["rows"]) == ("gap", None, [1])
    assert on_the_ground(gap.place).symmetric_difference(east).area < 0.001 * east.length


def test_a_layer_of_the_one_map_is_checked_by_the_same_rules(codes):
    lots = faults.planted().parts["DLTB"]
    layer = layermaking.make_layer("check_landuse", lots, checks={"unique": ["BSM"], "partition": {}})
    assert Layer.objects.get(pk=layer.pk).checks
    found = list(check_layer(catalogue.current().layer("check_landuse")))
    direct = partition_faults(np.array([one["geometry"] for one in lots], dtype=object))
    assert sorted(one.code for one in found) == sorted(["duplicate-key", *(one.kind for one in direct)])
    overlap = next(one for one in found if one.code == "overlap")
    assert overlap.row == faults.place(2, 1) + 1  # the fid


def test_a_new_layer_numbers_its_features_by_the_rows_of_the_file(codes):
    bow = shapely.Polygon([(5e5, 2.49e6), (5e5 + 9, 2.49e6 + 9), (5e5 + 9, 2.49e6), (5e5, 2.49e6 + 9)])
    rows = [
        {"n": 1, "geometry": bow},
        {"n": 2, "geometry": faults.cell(0, 0)},
        {"n": 3, "geometry": faults.cell(1, 0)},
    ]
    layermaking.make_layer("check_numbers", rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT fid FROM data.check_numbers ORDER BY fid")
        assert [fid for (fid,) in cursor.fetchall()] == [2, 3]
        cursor.execute("SELECT nextval(pg_get_serial_sequence('data.check_numbers', 'fid'))")
        assert cursor.fetchone() == (4,)


def test_rows_of_a_table_need_the_feature_they_are_joined_to(codes):
    survey = faults.survey()
    owners = [*survey.parts["QSB"], {"BSM": "888888", "QLR": "无"}]
    table = staged("QSB", owners, joins="survey_dltb", join_field="BSM")
    (fault,) = check_parts([staged("DLTB", survey.parts["DLTB"], key="BSM"), table])
    assert (fault.code, fault.part, fault.row) == ("table-row-without-partner", "QSB", len(owners))


def test_rows_that_are_added_are_judged_with_those_that_stay(codes):
    """Half a survey is on the one map; the other half fills the ground, and one lot comes anew under its key."""
    lots = faults.survey().parts["DLTB"]
    layermaking.make_layer(
        "check_halves", [{"BSM": one["BSM"], "geometry": one["geometry"]} for one in lots[:72]], key="BSM"
    )
    east, other = lots[60]["geometry"].bounds[0], lots[60]["geometry"].bounds[1]
    wider = shapely.box(east, other, east + faults.SIDE + 2, other + faults.SIDE)
    sent = [{"BSM": lots[60]["BSM"], "geometry": wider}]
    sent += [{"BSM": one["BSM"], "geometry": one["geometry"]} for one in lots[72:]]
    district = staged("XZQ", faults.survey().parts["XZQ"])
    checks = {"unique": ["BSM"], "partition": {"within": "part:XZQ"}}
    given = {"layer": "check_halves", "mode": "upsert", "key": "BSM"}
    (overlap,) = check_parts([district, staged("DLTB", sent, checks, **given)])
    assert (overlap.code, overlap.row) == ("overlap", 1)
    assert sorted(overlap.facts["members"]) == [lots[60]["BSM"], lots[61]["BSM"]]
    assert overlap.facts["rows"] == [1]
