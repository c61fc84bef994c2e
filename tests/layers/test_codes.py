"""Code lists: what comes with the platform, what an operator adds, and what stands in the doors."""

import json

import pytest
from django.db import connection

from layers import catalogue, codes, seed
from layers.actions import FeatureEdit, edit_features
from layers.actions.errors import BadEdit
from layers.exchange.options import BadOption, ImportOptions
from layers.models import CodeList, CodeMapping, CodeValue, Field, Layer
from layers.rights import Action, operator_scope
from layers.rules.codelists import faults, seeded
from tests import layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant, import_file, make_layer
from tests.people import Caller, body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

LISTS = [f"{row['code']}@{row['edition']}" for row in seeded("lists")]
SOURCES = "/api/code-lists/city-uses/2026"


@pytest.fixture(scope="module")
def offices(kept):
    return people.offices()


@pytest.fixture(scope="module")
def manager(offices):
    return people.person("keeper", offices["data"], ["datamanager"])


def send(caller, method, body, path=SOURCES):
    answer = caller.ask(method, path, json.dumps(body))
    return answer.status_code, json.loads(body_of(answer))


def plots(name, uses, **options):
    """A layer of squares with these codes."""
    rows = [
        {"DLBM": use, "MJ": 10.0 * number, "geometry": layermaking.square(WEST + 300 * number, NORTH)}
        for number, use in enumerate(uses, 1)
    ]
    return rows, {"fields": {"DLBM": {"code_list": "landuse-sd@2023", "required": True}}, **options}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_that_comes_along_is_sound(name):
    assert list(faults(seeded(name))) == []
    marks = {row["mark"] for row in seeded(name)}
    assert marks <= set(CodeValue.Mark.values)
    assert marks


@pytest.mark.parametrize(
    ("name", "top", "below"),
    [
        ("landuse-sd@2023", 24, None),
        ("gbt21010@2017", 12, 73),
        ("gb50137@2011", 10, None),
        ("czcsxm@2020", 5, 3),
    ],
)
def test_the_lists_have_the_classes_of_their_standards(name, top, below):
    rows = seeded(name)
    assert sum(not row["parent"] for row in rows) == top
    assert below is None or sum(bool(row["parent"]) for row in rows) == below


@pytest.mark.parametrize(
    ("name", "code", "title", "parent", "colour"),
    [
        ("landuse-sd@2023", "0303", "灌木林地", "03", "#68b167"),
        ("landuse-sd@2023", "080403", "中小学用地", "0804", "#ff85c9"),
        ("landuse-sd@2023", "1207", "城镇村道路用地", "12", "#a3a3a3"),
        ("gbt21010@2017", "0303", "红树林地", "03", ""),
        ("landuse-survey@2020", "0303", "红树林地", "00", ""),
        ("landuse-survey@2020", "08H2", "科教文卫用地", "08", ""),
        ("gb50137@2011", "R1", "一类居住用地", "R", "#ffffbe"),
        ("gb50137@2011", "S1", "城市道路用地", "S", "#9c9c9c"),
        ("sz-standards@2013", "GIC5", "教育设施用地", "GIC", ""),
    ],
)
def test_a_code_means_what_its_edition_says(name, code, title, parent, colour):
    row = next(one for one in seeded(name) if one["code"] == code)
    assert (row["title_zh"], row["parent"], row["colour"]) == (title, parent, colour)


def test_seeding_again_adds_what_is_missing_and_touches_nothing(kept):
    assert codes.load_seeds() == 0
    changed = CodeValue.objects.get(code_list__code="landuse-sd", code="0101")
    CodeValue.objects.filter(pk=changed.pk).update(title_zh="水田（市标）")
    CodeList.objects.get(code="gbt21010").delete()
    assert CodeMapping.objects.filter(target__code_list__code="gbt21010").count() == 0
    seed.seed()
    assert CodeList.objects.filter(code="gbt21010").count() == 1
    changed.refresh_from_db()
    assert changed.title_zh == "水田（市标）"
    assert CodeMapping.objects.filter(target__code_list__code="gbt21010").count() > 20


def test_anyone_reads_the_lists(offices):
    reader = Caller("reader")
    listed = {f"{one['code']}@{one['edition']}": one for one in reader.json("/api/code-lists")["code_lists"]}
    assert set(LISTS) <= set(listed)
    assert listed["landuse-sd@2023"]["valid_from"] == "2023-11-22"
    told = reader.json("/api/code-lists/landuse-sd/2023")
    assert len(told["values"]) == listed["landuse-sd@2023"]["values"] == 175
    tree = {one["code"]: one for one in told["tree"]}
    assert [one["code"] for one in tree["07"]["children"]] == ["0701", "0702", "0703", "0704"]
    assert [one["code"] for one in tree["07"]["children"][0]["children"]] == ["070101", "070102", "070103"]
    assert reader.get("/api/code-lists/landuse-sd/1999").status_code == 404


def test_mappings_are_read_from_both_sides_and_nothing_is_guessed(offices):
    reader = Caller("reader")
    there = reader.json("/api/code-lists/landuse-survey/2020/mapping/gbt21010/2017")
    joined = [one["target"]["code"] for one in there["mappings"] if one["source"]["code"] == "05H1"]
    assert joined == ["0501", "0502", "0503", "0504", "0505", "0506", "0507"]
    assert {one["relation"] for one in there["mappings"] if one["source"]["code"] == "05H1"} == {"wider"}
    assert "0101" in there["unmapped"]
    back = reader.json("/api/code-lists/gbt21010/2017/mapping/landuse-survey/2020")
    retail = next(one for one in back["mappings"] if one["source"]["code"] == "0501")
    assert (retail["target"]["code"], retail["relation"]) == ("05H1", "narrower")
    mangrove = reader.json("/api/code-lists/gbt21010/2017/mapping/landuse-sd/2023")["mappings"][0]
    assert (mangrove["source"]["code"], mangrove["target"]["code"]) == ("0303", "0507")


EDITION = {
    "title_zh": "城市用途",
    "title_en": "City uses",
    "valid_from": "2026-01-01",
    "csv": "code,title_zh,parent,colour,selectable\nA,公共,,#FF0000,no\nA1,办公,A,,\nB,商业,,#00ff0080,yes\n",
}


def test_an_edition_is_added_and_extended(manager):
    status, told = send(manager, "POST", EDITION)
    assert (status, [one["selectable"] for one in told["values"]]) == (201, [False, True, True])
    assert told["values"][2]["colour"] == "#00ff0080"
    assert send(manager, "POST", EDITION)[1]["code"] == "code-list-exists"
    values = [
        {"code": "A", "title_zh": "公共", "selectable": False},
        {"code": "A1", "title_zh": "办公", "parent": "A"},
    ]
    body = {"title_zh": "城市用途", "values": [*values, {"code": "C", "title_zh": "工业"}]}
    status, told = send(manager, "PUT", body)
    assert (status, [one["code"] for one in told["values"]]) == (200, ["A", "A1", "C"])
    assert told["valid_from"] is None
    assert send(manager, "PUT", body, "/api/code-lists/city-uses/2027")[0] == 404


def test_every_faulty_row_is_named(manager):
    text = "code,title_zh,parent,colour,selectable\nA,,,,\nA,公共,X,red,maybe\n,无码,,,\nB,商业,C,,\nC,工业,B,,\n"
    status, told = send(manager, "POST", {**EDITION, "csv": text})
    assert (status, told["code"]) == (422, "code-list-faulty")
    found = {(one["row"], one["reason"]) for one in told["facts"]["rows"]}
    assert found == {
        (1, "title_zh is missing"),
        (2, "colour is not #rrggbb"),
        (2, "selectable is yes or no"),
        (2, "code A is there already"),
        (1, "parent X is not in the list"),
        (2, "parent X is not in the list"),
        (3, "code is missing"),
        (4, "B stands above itself"),
        (5, "C stands above itself"),
    }
    assert not CodeList.objects.filter(code="city-uses").exists()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"csv": "name,title\n1,2\n"}, "bad-csv"),
        ({"csv": "code,title_zh,colour_of_hat\nA,a,b\n"}, "bad-csv"),
        ({"csv": "code,title_zh\n"}, "code-list-faulty"),
        ({"csv": "code,title_zh\nA,a,b,c\n"}, "code-list-faulty"),
        ({"csv": None}, "values-or-csv"),
        ({"values": []}, "values-or-csv"),
        ({"valid_to": "2025-01-01"}, "code-list-faulty"),
    ],
)
def test_what_is_no_edition_is_refused(manager, change, code):
    status, told = send(manager, "POST", {**EDITION, **change})
    assert (status, told["code"]) == (422, code)


@pytest.mark.parametrize("path", ["/api/code-lists/Big/2026", "/api/code-lists/a/b@c", "/api/code-lists/-/1"])
def test_names_that_cannot_be_addressed_are_refused(manager, path):
    assert send(manager, "POST", EDITION, path)[1]["code"] == "bad-code-list-name"


def test_only_the_data_manager_writes_lists(offices):
    editor = people.person("editor_of_codes", offices["data"], ["editor"])
    grant(None, "role:editor", "view,query,edit,publish", area=area(WEST, NORTH, EAST, NORTH + 10))
    program = people.program(offices["data"])
    for caller in (Caller("nobody"), editor, program):
        assert send(caller, "POST", EDITION)[0] == 403
        assert send(caller, "PUT", EDITION, "/api/code-lists/landuse-sd/2023")[0] == 403
    assert not CodeList.objects.filter(code="city-uses").exists()


def test_a_new_layer_takes_only_the_codes_of_its_list(kept, tmp_path):
    rows, told = plots("plots", ["0701", "16", "X9", None, "0303"])
    frame = layermaking.frame_of(rows)
    path = tmp_path / "plots.gpkg"
    frame.to_file(path, layer="plots", driver="GPKG")
    people.offices()
    report = import_file(path, ImportOptions(layer="plots", title="地块", department="data", **told))
    assert (report["inserted"], report["rejected"]) == (3, 2)
    assert [(one["code"], one["row"]) for one in report["findings"] if one["level"] == "rejected"] == [
        ("not-in-code-list", 3),
        ("required", 4),
    ]
    field = Field.objects.get(layer__name="plots", name="DLBM")
    assert (str(field.code_list.edition), field.required) == ("2023", True)
    told["fields"] = {"DLBM": {"code_list": "landuse-sd@1999"}}
    with pytest.raises(BadOption, match="no code list"):
        import_file(path, ImportOptions(layer="again", title="地块", department="data", **told))


def test_a_required_field_that_the_file_lacks_is_held(kept, tmp_path):
    rows, told = plots("lacking", ["0701"], fields={"SJNF": {"required": True}})
    people.offices()
    path = tmp_path / "lacking.gpkg"
    layermaking.frame_of(rows).to_file(path, layer="lacking", driver="GPKG")
    report = import_file(path, ImportOptions(layer="lacking", title="地块", department="data", **told))
    assert [(one["code"], one["gone"]) for one in report["held"]] == [("fields-changed", ["SJNF"])]


def test_headings_are_no_values_of_a_feature(kept):
    people.offices()
    rows, _ = plots("survey", ["0101", "0303"])
    make_layer("survey", rows, fields={"DLBM": {"code_list": "landuse-survey@2020"}})
    whole = operator_scope("survey", Action.EDIT)
    told = {"author": "lin", "reason": ""}
    with pytest.raises(BadEdit, match="not-in-code-list"):
        edit_features(whole, [FeatureEdit("update", 1, 1, properties={"DLBM": "00"})], **told)
    assert edit_features(
        whole, [FeatureEdit("update", 1, 1, properties={"DLBM": "05H1"})], **told
    ).versions == (2,)


def test_codes_in_use_stay(kept, manager):
    assert send(manager, "POST", EDITION)[0] == 201
    rows, told = plots("used", ["A1", "B", "A1"], fields={"DLBM": {"code_list": "city-uses@2026"}})
    make_layer("used", rows, **told)
    lean = {**EDITION, "csv": "code,title_zh,selectable\nA,公共,no\nA1,办公,no\n"}
    status, answer = send(manager, "PUT", lean)
    assert (status, answer["code"], answer["facts"]["codes"]) == (409, "code-in-use", "A1, B")
    whole = operator_scope("used", Action.EDIT)
    edits = [FeatureEdit("update", fid, 1, properties={"DLBM": "B"}) for fid in (1, 3)]
    edit_features(whole, edits, author="lin", reason="")
    wide = {**EDITION, "csv": "code,title_zh,selectable\nB,商业,\nD,新用途,\n"}
    assert send(manager, "PUT", wide)[0] == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM data.used WHERE f_001 = 'B'")
        assert cursor.fetchone() == (3,)
    known = catalogue.current().layer("used").by_name["DLBM"]
    assert [code[0] for code in known.codes] == ["B", "D"]  # at once, in every process


def test_the_doors_show_what_may_be_chosen(kept, offices):
    rows, told = plots("shown", ["0701", "16"], secrecy="public")
    layer = make_layer("shown", rows, **told)
    grant(
        layer, "department:water", "view,query", area=area(WEST - 100, NORTH - 100, WEST + 100, NORTH + 100)
    )
    for caller in (people.program(offices["water"]),):
        schema = caller.json("/ogc/collections/shown/schema")["properties"]["DLBM"]
        assert {"const": "0701", "title": "城镇住宅用地"} in schema["oneOf"]
        listed = next(one for one in caller.json("/api/layers")["layers"] if one["name"] == "shown")
        field = next(one for one in listed["fields"] if one["name"] == "DLBM")
        assert field["code_list"] == "landuse-sd@2023"
        assert ["16", "留白用地", "Reserved blank land"] in field["codes"]
        assert "codes" not in next(one for one in listed["fields"] if one["name"] == "MJ")
    assert Layer.objects.get(name="shown").fields.get(name="MJ").code_list is None


def test_the_administration_keeps_a_list_in_use(kept, offices):
    rows, told = plots("kept_uses", ["0701"])
    make_layer("kept_uses", rows, **told)
    admin = people.person("chief", offices["city"], is_superuser=True)
    used, free = (CodeList.objects.get(code=code) for code in ("landuse-sd", "sz-standards"))
    for found, editable in ((used, False), (free, True)):
        page = body_of(admin.get(f"/admin/layers/codelist/{found.pk}/change/")).decode()
        assert ('name="edition"' in page) == editable
        assert ('name="values-0-code"' in page) == editable
        assert admin.get(f"/admin/layers/codelist/{found.pk}/delete/").status_code == (
            200 if editable else 403
        )
    assert "水浇地" in body_of(admin.get("/admin/layers/codevalue/?q=水浇地")).decode()
    assert admin.get("/admin/layers/codemapping/?q=0303").status_code == 200
