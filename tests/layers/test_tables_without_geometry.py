"""Tables without geometry: they join a layer by code, and share its areas, its history and its doors."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
import shapely
from django.db import connection
from django.utils import timezone

from layers import catalogue, queries
from layers.actions import (
    FeatureEdit,
    delete_layer,
    edit_features,
    purge_deleted,
    restore_feature,
    undo_change,
)
from layers.actions.errors import BadEdit, FeatureMissing, OutsideArea, WholeLayerOnly
from layers.exchange.options import BadOption, ImportOptions
from layers.models import Change, ChangeFeature, Layer
from layers.moments import Moment
from layers.rights import Action, operator_scope, scope
from tests import layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, import_file, make_layer
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 9_000, NORTH + 9_000)
OWNERS = "lot_code,owner,share\nA1,林一,0.5\nA1,林二,0.5\nA2,王,1\nB1,赵,1\nB2,孙,1\nZ9,无名,1\n"


def bring(folder, name, text, **options):
    """Import a CSV text; the report."""
    path = folder / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    told = {"title": f"表 {name}", "department": "data", "actor": "tests", **options}
    return import_file(path, ImportOptions(layer=name, **told))


@pytest.fixture(scope="module")
def offices(kept):
    return people.offices()


@pytest.fixture(scope="module")
def world(offices, tmp_path_factory):
    """Lots A1 to A3 in the west and B1, B2 in the east, and the table of their owners."""
    folder = tmp_path_factory.mktemp("tables")
    places = {"A1": WEST, "A2": WEST, "A3": WEST, "B1": EAST, "B2": EAST}
    rows = [
        {"code": code, "secret": f"S-{code}", "geometry": layermaking.square(x + 300 * number, NORTH)}
        for number, (code, x) in enumerate(places.items())
    ]
    lots = make_layer("lot", rows, key="code", secrecy="public")
    report = bring(folder, "owner", OWNERS, joins="lot", join_field="lot_code", secrecy="public")
    lonely = bring(folder, "lonely", "a,b\n1,x\n2,y\n", secrecy="public")
    return SimpleNamespace(
        folder=folder,
        lot=lots,
        owner=Layer.objects.get(name="owner"),
        lonely=Layer.objects.get(name="lonely"),
        reports=[report, lonely],
    )


@pytest.fixture(scope="module")
def callers(world, offices):
    for layer in (world.lot, world.owner, world.lonely):
        grant(layer, "department:transport", "view,query,download")
        grant(layer, "department:water", "view,query,edit,publish", area=area(*WEST_BOX))
    return {
        "all": people.program(offices["transport"]),
        "west": people.program(offices["water"]),
        "nobody": Caller("nobody"),
    }


def owners(caller, path="/ogc/collections/owner/items"):
    return [one["properties"]["owner"] for one in caller.json(path)["features"]]


def shown(name, moment=None):
    """fid and first field of the rows of a layer, as its operator sees them."""
    inner = queries.relation(operator_scope(name), moment or Moment.today())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT fid, version, f_002 FROM {inner.text.as_string(connection.connection)} AS r ORDER BY 1",
            inner.params,
        )
        return cursor.fetchall()


def test_a_table_is_imported_with_its_unmatched_codes_counted(world):
    report, lonely = world.reports
    assert (report["status"], report["read"], report["inserted"], report["rejected"]) == ("done", 6, 6, 0)
    unmatched = next(one for one in report["findings"] if one["code"] == "code-unmatched")
    assert (unmatched["level"], unmatched["count"], unmatched["values"]) == ("warning", 1, ["Z9"])
    assert lonely["inserted"] == 2
    assert not [one for one in lonely["findings"] if one["code"] == "code-unmatched"]
    owner = world.owner
    assert (owner.family, owner.joins.name, owner.join_field) == ("table", "lot", "lot_code")
    assert (owner.extent, owner.first_levels, owner.feature_count) == (None, {}, 6)
    assert catalogue.current().layer("owner").join.key.name == "code"


def test_the_database_itself_keeps_geometries_out(world):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'data' AND tablename = 'owner'")
        assert not [row for row in cursor.fetchall() if "gist" in row[0]]
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'data.owner'::regclass AND contype = 'c'"
        )
        assert cursor.fetchall() == [("CHECK ((geom IS NULL))",)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"joins": "lot"}, "go together"),
        ({"joins": "no_such", "join_field": "lot_code"}, "no layer of features"),
        ({"joins": "owner", "join_field": "lot_code"}, "no layer of features"),
        ({"joins": "lot", "join_field": "nothing"}, "no field nothing"),
    ],
)
def test_a_join_that_cannot_be_is_refused(world, options, word):
    with pytest.raises(BadOption, match=word):
        bring(world.folder, "wrong", OWNERS, **options)


def test_features_and_tables_do_not_mix(world):
    with pytest.raises(BadOption, match="is no table"):
        bring(world.folder, "lot", "code,secret\nA1,x\n", mode="append")
    with pytest.raises(BadOption, match="holds table features"):
        make_layer("lonely", [{"a": 1, "b": "x", "geometry": layermaking.square(WEST, NORTH)}], mode="append")
    with pytest.raises(BadOption, match="only a table"):
        rows = [{"lot_code": "A1", "geometry": layermaking.square(WEST, NORTH)}]
        make_layer("joined", rows, joins="lot", join_field="lot_code")
    with pytest.raises(BadOption, match="neither rows"):
        bring(world.folder, "nothing", "a,b\n")


def test_an_area_shows_of_a_table_what_joins_it(callers):
    assert owners(callers["all"]) == ["林一", "林二", "王", "赵", "孙", "无名"]
    assert owners(callers["west"]) == ["林一", "林二", "王"]
    assert owners(callers["west"], "/ogc/collections/owner/items?bbox=0,0,1,1") == ["林一", "林二", "王"]
    assert owners(callers["west"], "/ogc/collections/owner/items?owner=赵") == []
    assert callers["west"].json("/ogc/collections/lonely/items")["features"] == []
    assert callers["west"].get("/ogc/collections/owner/items/4").status_code == 404
    assert callers["west"].get("/api/layers/owner/features/4/history").status_code == 404
    changes = callers["west"].json("/ogc/collections/owner/changes?since=0")["features"]
    assert [one["fid"] for one in changes] == [1, 2, 3]
    assert callers["nobody"].get("/ogc/collections/owner/items").status_code == 404


def test_the_area_follows_the_feature(world, callers):
    square = layermaking.square(EAST, NORTH + 5_000)
    edit_features(operator_scope("lot"), [FeatureEdit("update", 2, 1, square)], author="lin", reason="moved")
    assert owners(callers["west"]) == ["林一", "林二"]


def test_a_field_granted_by_area_is_empty_elsewhere(world, offices):
    grant(world.owner, "department:emergency", "view,query", fields=["lot_code", "owner"])
    grant(world.owner, "department:emergency", "view,query", fields=["share"], area=area(*WEST_BOX))
    features = people.program(offices["emergency"]).json("/ogc/collections/owner/items")["features"]
    assert [one["properties"]["share"] for one in features] == [0.5, 0.5, 1, None, None, None]


def test_the_tables_of_a_feature(world, callers):
    told = callers["all"].json("/api/layers/lot/features/1/related")
    table = told["tables"][0]
    assert (told["layer"], table["layer"], table["join_field"], table["more"]) == (
        "lot",
        "owner",
        "lot_code",
        False,
    )
    assert [row["properties"]["owner"] for row in table["rows"]] == ["林一", "林二"]
    assert callers["all"].json("/api/layers/lot/features/3/related")["tables"] == []
    assert callers["all"].get("/api/layers/lot/features/99/related").status_code == 404
    assert callers["west"].get("/api/layers/lot/features/4/related").status_code == 404  # lies in the east
    assert callers["nobody"].get("/api/layers/lot/features/1/related").status_code == 404


def test_related_rows_need_the_right_on_the_table_and_the_key(world, offices):
    grant(world.lot, "department:planning", "view,query")
    reader = people.program(offices["planning"])
    assert reader.json("/api/layers/lot/features/1/related")["tables"] == []
    grant(world.owner, "department:planning", "view,query", fields=["owner"])
    assert reader.json("/api/layers/lot/features/1/related")["tables"] == []  # the join itself is hidden
    grant(world.lot, "department:citycare", "view,query", fields=["secret"])
    grant(world.owner, "department:citycare", "view,query")
    keyless = people.program(offices["citycare"])
    assert keyless.json("/api/layers/lot/features/1/related")["tables"] == []


def test_doors_tell_that_a_table_has_no_place(callers):
    caller = callers["all"]
    feature = caller.json("/ogc/collections/owner/items/1")
    assert feature["geometry"] is None
    document = caller.json("/ogc/collections/owner")
    assert (document["itemType"], "extent" in document) == ("feature", False)
    assert not [one for one in document["links"] if "tile" in one["rel"]]
    assert set(caller.json("/ogc/collections/owner/schema")["properties"]) == {"lot_code", "owner", "share"}
    listed = {one["name"]: one for one in caller.json("/api/layers")["layers"]}
    assert (listed["owner"]["geometry"], listed["owner"]["tiles"]) == ("table", None)
    assert listed["owner"]["joins"] == {"layer": "lot", "field": "lot_code"}
    assert listed["lot"]["joins"] is None
    assert (
        caller.json(f"/api/identify?x={WEST}&y={NORTH}&layers=owner,lot&tolerance=10")["hits"][0]["layer"]
        == "lot"
    )
    page = body_of(caller.get("/catalogue/owner/")).decode()
    assert "关联图层" in page
    assert ".mvt" not in page
    for path in ("/ogc/collections/owner/items?f=html", "/ogc/collections/owner/items/1?f=html"):
        assert caller.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/tiles/{}/CityGrid/0/0/0.mvt", "/ogc/collections/{}/tiles", "/ogc/collections/{}/tiles/CityGrid"],
)
def test_a_table_has_no_tiles(callers, path):
    table, unknown = (callers["all"].get(path.format(name)) for name in ("owner", "xyzzy"))
    assert table.status_code == unknown.status_code == 404
    assert json.loads(body_of(table))["code"] == json.loads(body_of(unknown))["code"]


def test_what_joins_a_hidden_layer_does_not_name_it(world, offices):
    grant(world.owner, "department:planning", "view,query")
    reader = people.program(offices["planning"])
    listed = {one["name"]: one for one in reader.json("/api/layers")["layers"]}
    assert listed["owner"]["joins"] is None
    assert "关联图层" not in body_of(reader.get("/catalogue/owner/")).decode()
    assert reader.get("/api/layers/lot/features/1/related").status_code == 404


def test_rows_are_edited_undone_and_restored(world):
    whole = operator_scope("owner", Action.EDIT)
    told = {"author": "lin", "reason": "转让"}
    with pytest.raises(BadEdit, match="no geometries"):
        edit_features(whole, [FeatureEdit("update", 1, 1, shapely.Point(WEST, NORTH))], **told)
    new = FeatureEdit("insert", properties={"lot_code": "A3", "owner": "周", "share": 1.0})
    written = edit_features(
        whole,
        [new, FeatureEdit("update", 3, 1, properties={"owner": "吴"}), FeatureEdit("delete", 6, 1)],
        **told,
    )
    assert (written.fids, written.revision) == ((7, 3, 6), 2)
    assert [row[2] for row in shown("owner")] == ["林一", "林二", "吴", "赵", "孙", "周"]
    assert [row[2] for row in shown("owner", Moment(revision=1))] == [
        "林一",
        "林二",
        "王",
        "赵",
        "孙",
        "无名",
    ]
    assert ChangeFeature.objects.filter(change__layer=world.owner, bbox__isnull=False).count() == 0
    undo_change(whole, 2, author="lin", reason="误操作")
    assert [row[2] for row in shown("owner")] == ["林一", "林二", "王", "赵", "孙", "无名"]
    restore_feature(whole, 3, 2, author="lin", reason="")
    assert dict((row[0], row[2]) for row in shown("owner"))[3] == "吴"
    world.owner.refresh_from_db()
    assert (world.owner.extent, world.owner.feature_count, world.owner.revision) == (None, 6, 4)


def test_an_editor_of_one_area_writes_rows_of_its_features_only(world, callers):
    hers = scope(callers["west"].principal, "owner", Action.EDIT)
    told = {"author": "wang", "reason": "登记"}
    assert edit_features(hers, [FeatureEdit("update", 1, 1, properties={"share": 0.4})], **told).versions == (
        2,
    )
    with pytest.raises(FeatureMissing):
        edit_features(hers, [FeatureEdit("update", 4, 1, properties={"share": 0.4})], **told)
    for outward in (
        FeatureEdit("update", 1, 2, properties={"lot_code": "B1"}),
        FeatureEdit("insert", properties={"lot_code": "Z9", "owner": "郑"}),
    ):
        with pytest.raises(OutsideArea):
            edit_features(hers, [outward], **told)
    inward = FeatureEdit("insert", properties={"lot_code": "A3", "owner": "郑"})
    assert edit_features(hers, [inward], **told).fids[0] > 6
    edit_features(operator_scope("owner"), [FeatureEdit("update", 4, 1, properties={"share": 0.1})], **told)
    publishing = scope(callers["west"].principal, "owner", Action.PUBLISH)
    with pytest.raises(WholeLayerOnly):
        restore_feature(publishing, 4, 1, author="wang", reason="")
    assert restore_feature(publishing, 1, 1, author="wang", reason="").fids == (1,)
    with pytest.raises(FeatureMissing):
        lonely = scope(callers["west"].principal, "lonely", Action.EDIT)
        edit_features(lonely, [FeatureEdit("update", 1, 1, properties={"b": "z"})], **told)


@pytest.mark.parametrize("key", [None, "serial"])
def test_next_years_table_changes_what_changed(world, key):
    first = "serial,lot_code,owner\n1,A1,林\n2,A2,王\n3,B1,赵\n"
    second = "serial,lot_code,owner\n1,A1,林\n2,A2,吴\n4,B2,孙\n"
    join = {"joins": "lot", "join_field": "lot_code", "key": key}
    bring(world.folder, "yearly", first, **join)
    report = bring(world.folder, "yearly", second, mode="replace", **join)
    counts = [report[name] for name in ("inserted", "updated", "unchanged", "removed")]
    assert counts == ([1, 1, 1, 1] if key else [2, 0, 1, 2])
    change = Change.objects.get(layer__name="yearly", revision=2)
    assert change.cells.count() == 0
    report = bring(world.folder, "yearly", second, mode="replace", **join)
    assert report["unchanged"] == 3


def test_a_table_of_valid_time_succeeds_itself(world):
    first, second = "serial,value\n1,a\n2,b\n", "serial,value\n1,c\n2,b\n"
    bring(world.folder, "periods", first, key="serial", valid_time=True, valid_from="2025-01-01")
    told = bring(world.folder, "periods", second, key="serial", mode="replace", valid_from="2026-01-01")
    assert (told["updated"], told["unchanged"]) == (1, 1)
    assert [row[2] for row in shown("periods")] == ["c", "b"]


def test_codes_that_are_numbers_in_one_file_and_text_in_the_other_join(world, offices):
    rows = [{"code": code, "geometry": layermaking.square(WEST + code, NORTH)} for code in (1, 2)]
    plots = make_layer("plot", rows, key="code", secrecy="public")
    text = "plot_code,owner\n1,林\n2x,王\n"
    report = bring(world.folder, "plot_owner", text, joins="plot", join_field="plot_code")
    assert next(one["values"] for one in report["findings"] if one["code"] == "code-unmatched") == ["2x"]
    for name in ("plot", "plot_owner"):
        grant(Layer.objects.get(name=name), "department:water", "view,query", area=area(*WEST_BOX))
    reader = people.program(offices["water"], "second")
    assert owners(reader, "/ogc/collections/plot_owner/items") == ["林"]
    assert (
        reader.json("/api/layers/plot/features/1/related")["tables"][0]["rows"][0]["properties"]["owner"]
        == "林"
    )
    Layer.objects.filter(pk=plots.pk).update(key_field="")
    assert owners(reader, "/ogc/collections/plot_owner/items") == []  # what it joins can no longer be told


def test_a_table_outlives_the_layer_it_joins(world, callers):
    delete_layer(world.lot, by="tests")
    assert owners(callers["west"]) == []
    assert len(owners(callers["all"])) == 6
    Layer.objects.filter(pk=world.lot.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    assert purge_deleted() == 1
    world.owner.refresh_from_db()
    assert world.owner.joins is None
    assert owners(callers["west"]) == []


@pytest.mark.parametrize("suffix", [".gpkg", ".csv"])
def test_a_table_is_downloaded_without_a_place(callers, suffix):
    answer = callers["all"].get(f"/catalogue/owner/download{suffix}")
    assert answer.status_code == 200
    assert "林一" in body_of(answer).decode("utf-8", "replace")
