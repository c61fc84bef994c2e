"""Lin takes a district's yearly survey: asked once, judged whole, shown at one instant; next year only what changed."""

import pytest
import shapely
from django.db import connection

from layers.actions import FeatureEdit, edit_features
from layers.exchange.deliveries import flow
from layers.exchange.deliveries.flow import HasFaults, WrongState
from layers.exchange.sweeping import sweep_staging
from layers.models import Change, Delivery, Layer, RasterVersion
from layers.packages.reading import verify_package
from layers.rights import Action, operator_scope
from process.models import AuditRecord
from spatial.errors import OnemapError
from tests import people
from tests.delivering import ANSWERS, EAST, NORTH, SIDE, document, land, send, work, write
from tests.delivering import people as counted

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


@pytest.fixture(autouse=True)
def offices():
    return people.offices()


@pytest.fixture
def accepted(tmp_path):
    """Last year's survey, on the one map."""
    delivery = send(write(tmp_path / "2025", land()), **ANSWERS)
    flow.accept(delivery.pk, by="user:lin", reason="验收通过")
    return work(delivery)


def codes(delivery: Delivery) -> set[str]:
    return {one.code for one in delivery.findings.filter(level="block")}


def rows_of(name: str) -> dict[str, tuple]:
    """Key -> fid, version of a layer's features."""
    layer = Layer.objects.get(name=name)
    column = layer.fields.get(name=layer.key_field).column
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}, fid, version FROM data.{name}")
        return {key: (fid, version) for key, fid, version in cursor.fetchall()}


def test_what_the_files_do_not_say_is_asked_once_for_all_of_them(tmp_path):
    delivery = send(write(tmp_path / "2025", land()))
    assert delivery.state == "waiting"
    asked = {one["code"]: one["parts"] for one in delivery.questions}
    assert len(asked["crs-missing"]) == 2
    assert delivery.findings.filter(level="block").count() == 0
    flow.answer(delivery.pk, {"source_crs": "EPSG:4526", "encoding": "gbk"}, by="user:lin")
    assert work(delivery).state == "checked"
    assert delivery.verdict["passed"]


def test_an_accepted_delivery_is_on_the_map_with_its_table_its_raster_and_its_package(accepted, settings):
    assert (accepted.state, accepted.decided_by) == ("accepted", "user:lin")
    layers = {one.name: one for one in Layer.objects.filter(name__startswith="dv_")}
    assert {
        name: (one.family, one.feature_count) for name, one in layers.items() if one.family != "raster"
    } == {
        "dv_xzq": ("polygon", 1),
        "dv_dltb": ("polygon", 16),
        "dv_rk": ("table", 16),
    }
    assert (layers["dv_rk"].joins, layers["dv_rk"].join_field) == (layers["dv_dltb"], "BSM")
    assert RasterVersion.objects.get(layer=layers["dv_dem"]).columns == 20
    assert layers["dv_dltb"].extent == pytest.approx([EAST, NORTH, EAST + 400, NORTH + 400], abs=1e-3)
    verified = verify_package(settings.ONEMAP_VAR / "packages" / accepted.package)
    assert verified.trusted
    assert {one["report"]["inserted"] for one in accepted.parts.values("report")} == {1, 16}
    assert AuditRecord.objects.filter(action="delivery.accept", object_name=str(accepted.pk)).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'staging' AND tablename ~ 'delivery'"
        )
        assert cursor.fetchone() == (0,)


def test_all_layers_are_shown_by_one_transaction(accepted):
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT xmin::text FROM layers_change")
        assert len(cursor.fetchall()) == 1


def test_every_planted_fault_is_named_and_nothing_is_accepted(tmp_path):
    frame = land()
    frame.loc[0, "geometry"] = shapely.box(EAST, NORTH, EAST + SIDE + 5, NORTH + SIDE)
    frame.loc[5, "DLBM"] = "9999"
    frame.loc[7, "MJ"] = 12_345.0
    frame.loc[9, "DLMC"] = "水田"
    frame.loc[11, "BSM"] = frame.loc[10, "BSM"]
    table = counted(frame)
    table.loc[3, "BSM"] = "440304999999999999"
    delivery = send(write(tmp_path / "bad", frame.drop(index=15).reset_index(drop=True), table), **ANSWERS)
    assert delivery.state == "checked" and not delivery.verdict["passed"]
    assert codes(delivery) >= {
        "overlap",
        "gap",
        "not-in-code-list",
        "duplicate-key",
        "area-mismatch",
        "sum-mismatch",
    }
    assert any("name" in code for code in codes(delivery))
    overlap = delivery.findings.filter(code="overlap").first()
    assert overlap.place["type"] in {"Polygon", "MultiPolygon", "Point"}
    with pytest.raises(HasFaults):
        flow.accept(delivery.pk, by="user:lin")
    assert not Layer.objects.filter(name__startswith="dv_").exists()


def test_a_delivery_sent_back_leaves_its_list_and_nothing_else(tmp_path):
    frame = land().drop(index=3).reset_index(drop=True)
    delivery = send(write(tmp_path / "gap", frame), **ANSWERS)
    flow.refuse(delivery.pk, by="user:lin", reason="有缝隙，请整改")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("refused", "有缝隙，请整改")
    assert "gap" in codes(delivery)
    sweep_staging()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'staging' AND tablename ~ %s", [delivery.token]
        )
        assert cursor.fetchone() == (0,)
    with pytest.raises(WrongState):
        flow.accept(delivery.pk, by="user:lin")


def test_a_missing_part_and_a_file_nobody_asked_for_are_told(tmp_path):
    folder = write(tmp_path / "part", land())
    (folder / "RK.xlsx").unlink()
    (folder / "readme.docx").write_bytes(b"PK\x03\x04")
    delivery = send(folder, **ANSWERS)
    assert "part-missing" in codes(delivery)
    assert delivery.findings.filter(code="part-unknown").exists()


def test_a_part_that_cannot_be_read_is_told_with_the_faults_of_the_others(tmp_path):
    frame = land().drop(index=3).reset_index(drop=True)
    folder = write(tmp_path / "broken", frame)
    (folder / "DEM.tif").write_bytes(b"%PDF-1.7 no raster at all")
    delivery = send(folder, **ANSWERS)
    assert delivery.state == "checked"
    assert "gap" in codes(delivery) and len(codes(delivery)) >= 2


def test_next_year_only_what_changed_changes(accepted, tmp_path):
    before = rows_of("dv_dltb")
    frame = land()
    frame.loc[2, ["DLBM", "DLMC"]] = ["1401", "公园绿地"]
    delivery = send(write(tmp_path / "2026", frame), **ANSWERS)
    report = delivery.parts.get(source="DLTB").report
    assert (report["updated"], report["unchanged"], report["removed"]) == (1, 15, 0)
    flow.accept(delivery.pk, by="user:lin")
    assert work(delivery).state == "accepted"
    after = rows_of("dv_dltb")
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"440304000000000002"}
    last = Change.objects.filter(layer__name="dv_dltb").latest("revision")
    assert (last.revision, last.inserted, last.updated, last.deleted) == (2, 0, 1, 0)


def correct(key: str, **values):
    fid, version = rows_of("dv_dltb")[key]
    scope = operator_scope("dv_dltb", Action.EDIT)
    edit = FeatureEdit("update", fid=fid, version=version, properties=values)
    edit_features(scope, [edit], author="user:chen", reason="更正")


def value_of(key: str, field: str):
    layer = Layer.objects.get(name="dv_dltb")
    columns = {one.name: one.column for one in layer.fields.all()}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns[field]} FROM data.dv_dltb WHERE {columns['BSM']} = %s", [key])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(("choice", "kept"), [("keep", "1401"), ("take", "0701")])
def test_a_correction_is_never_overwritten_silently(accepted, tmp_path, choice, kept):
    key = "440304000000000001"
    correct(key, DLBM="1401", DLMC="公园绿地")
    frame = land()
    delivery = send(write(tmp_path / "2026", frame), **ANSWERS)
    assert delivery.state == "waiting"
    assert [one["code"] for one in delivery.questions] == ["corrections-conflict"]
    flow.answer(delivery.pk, {"conflicts": choice}, by="user:lin")
    assert work(delivery).state == "checked"
    flow.accept(delivery.pk, by="user:lin")
    assert work(delivery).state == "accepted"
    assert value_of(key, "DLBM") == kept


def test_the_map_moved_on_between_check_and_acceptance(accepted, tmp_path):
    frame = land()
    frame.loc[2, ["DLBM", "DLMC"]] = ["1401", "公园绿地"]
    delivery = send(write(tmp_path / "2026", frame), **ANSWERS)
    correct("440304000000000007", MJ=10_000.5)
    flow.accept(delivery.pk, by="user:lin")
    assert work(delivery).state == "waiting"
    assert [one["code"] for one in delivery.questions] == ["corrections-conflict"]


def test_staged_rows_that_a_crash_of_the_database_took_empty_no_layer(accepted, tmp_path):
    before = rows_of("dv_dltb")
    frame = land()
    frame.loc[2, ["DLBM", "DLMC"]] = ["1401", "公园绿地"]
    delivery = send(write(tmp_path / "2026", frame), **ANSWERS)
    for part in delivery.parts.exclude(kind="raster"):
        with connection.cursor() as cursor:  # tables that are not logged come back empty
            cursor.execute(f"TRUNCATE staging.{part.staged}, staging.{part.staged}_plan")
    flow.accept(delivery.pk, by="user:lin")
    assert work(delivery).state == "checked"
    assert rows_of("dv_dltb") == before
    flow.accept(delivery.pk, by="user:lin")
    assert work(delivery).state == "accepted"
    assert value_of("440304000000000002", "DLBM") == "1401"


def test_the_web_login_may_read_what_was_compared_and_nothing_else_that_waits(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = 'onemap_web'")
        if cursor.fetchone() is None:
            cursor.execute("CREATE ROLE onemap_web")  # gone with the test's transaction
        delivery = send(write(tmp_path / "2025", land()), **ANSWERS)
        cursor.execute("CREATE TABLE staging.job_1 (n integer)")
        cursor.execute(
            "SELECT tablename, has_table_privilege('onemap_web', 'staging.' || tablename, 'SELECT')"
            " FROM pg_tables WHERE schemaname = 'staging'"
        )
        seen = {name for name, may in cursor.fetchall() if may}
        cursor.execute("SELECT has_schema_privilege('onemap_web', 'staging', 'USAGE')")
        assert cursor.fetchone()[0]
    assert seen == {part.staged for part in delivery.parts.exclude(kind="raster")}


def test_a_profile_that_is_none_is_refused_before_anything_is_received(tmp_path, settings):
    wrong = document()
    wrong["parts"][0]["layer"] = "Robert'); DROP TABLE"
    with pytest.raises(OnemapError):
        send(write(tmp_path / "x", land()), wrong)
    assert not Delivery.objects.exists()
