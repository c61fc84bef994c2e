"""Metadata in versions: a draft and a delivery change nothing of what was approved; the data tell their own part."""

import json

import pytest

from layers.actions import metadata
from layers.models import Layer, MetadataVersion
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, grant, square
from tests.people import body_of

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory", "callers")]

RECORD = {
    "title_zh": "土地利用现状",
    "title_en": "Land use",
    "abstract_zh": "年度变更调查成果",
    "abstract_en": "The yearly survey",
    "keywords": ["土地", "调查", "土地"],
    "topic": "planningCadastre",
    "contact": "数据处 8888",
    "update_cycle": "每年",
    "epoch": "2025-12-31",
    "produced": "2026-01-15",
    "lineage": "外业调查后内业整理",
}


@pytest.fixture(scope="module")
def callers(kept):
    offices = people.offices()
    return {
        "lin": people.person("lin", offices["data"], ["datamanager"]),
        "wang": people.person("wang", offices["transport"]),
    }


def lots(name: str, count: int = 2, **options) -> Layer:
    rows = [{"code": f"A{n}", "geometry": square(WEST + 100 * n, NORTH)} for n in range(count)]
    return layermaking.make_layer(name, rows, key="code", **options)


def told(caller, method: str, path: str, body=None, status: int = 200) -> dict:
    answer = caller.ask(method, path, json.dumps(body) if body is not None else None)
    assert answer.status_code == status, body_of(answer)
    return json.loads(body_of(answer))


def test_a_draft_changes_nothing_until_it_is_approved(callers):
    layer = lots("meta_one")
    lin = callers["lin"]
    draft = told(lin, "PUT", "/api/layers/meta_one/metadata", {"document": RECORD})
    assert (draft["number"], draft["state"], draft["document"]["keywords"]) == (1, "draft", ["土地", "调查"])
    again = told(lin, "PUT", "/api/layers/meta_one/metadata", {"document": RECORD | {"scale": "1:500"}})
    assert (again["number"], again["document"]["scale"]) == (1, "1:500")
    assert Layer.objects.get(pk=layer.pk).title_zh == "图层 meta_one"

    approved = told(lin, "POST", "/api/layers/meta_one/metadata/approve", {"number": 1})
    assert (approved["state"], approved["revision"], approved["approved_by"]) == ("approved", 1, "user:lin")
    row = Layer.objects.get(pk=layer.pk)
    assert (row.title_zh, row.title_en, row.abstract_en) == ("土地利用现状", "Land use", "The yearly survey")
    assert (row.keywords, row.contact, row.update_cycle) == (["土地", "调查"], "数据处 8888", "每年")
    listed = next(one for one in lin.json("/api/layers")["layers"] if one["name"] == "meta_one")
    assert listed["title_en"] == "Land use"


def test_an_approved_version_outlives_drafts_and_deliveries(callers):
    lots("meta_two")
    lin = callers["lin"]
    told(lin, "PUT", "/api/layers/meta_two/metadata", {"document": RECORD})
    told(lin, "POST", "/api/layers/meta_two/metadata/approve", {"number": 1})
    told(lin, "PUT", "/api/layers/meta_two/metadata", {"document": RECORD | {"title_zh": "草稿标题"}})
    lots("meta_two", 3, mode="replace", title="交付时的标题", title_en="As delivered")
    about = lin.json("/api/layers/meta_two/about")
    assert (about["title_zh"], about["revision"], about["counts"]) == ("土地利用现状", 2, {"features": 3})
    kept = about["metadata"]
    assert (kept["approved"]["number"], kept["approved"]["revision"]) == (1, 1)
    assert kept["approved"]["document"]["title_zh"] == "土地利用现状"
    assert (kept["draft"]["number"], kept["draft"]["document"]["title_zh"]) == (2, "草稿标题")

    told(lin, "POST", "/api/layers/meta_two/metadata/approve", {"number": 2})
    states = {
        one["number"]: one["state"] for one in lin.json("/api/layers/meta_two/about")["metadata"]["versions"]
    }
    assert states == {1: "replaced", 2: "approved"}
    assert MetadataVersion.objects.get(layer__name="meta_two", number=2).revision == 2
    refused = told(lin, "POST", "/api/layers/meta_two/metadata/approve", {"number": 2}, 409)
    assert refused["code"] == "not-a-draft"


def test_nobody_writes_over_a_record_unseen(callers):
    lots("meta_race")
    lin, path = callers["lin"], "/api/layers/meta_race/metadata"
    first = told(lin, "PUT", path, {"document": RECORD})
    mine = told(lin, "PUT", path, {"document": RECORD | {"scale": "1:500"}, "seen": first["written_at"]})
    refused = told(lin, "PUT", path, {"document": RECORD, "seen": first["written_at"]}, 409)
    assert (refused["code"], refused["facts"]["by"]) == ("metadata-changed", "user:lin")
    told(lin, "PUT", path, {"document": RECORD, "seen": mine["written_at"]})


def test_what_the_data_say_is_read_from_them(callers):
    lots("meta_three")
    automatic = callers["lin"].json("/api/layers/meta_three/about")["metadata"]["automatic"]
    assert automatic["crs"]["code"] == "EPSG:4547"
    west, south, east, north = automatic["extent"]
    assert 113 < west < east < 115
    assert 22 < south < north < 23
    assert (automatic["features"], automatic["secrecy"]) == (2, "internal")
    assert [one["name"] for one in automatic["dictionary"]] == ["code"]
    assert automatic["services"][0]["url"].endswith("/ogc/collections/meta_three/items")
    assert automatic["deliveries"][0]["driver"]
    for part in ("crs", "extent", "secrecy", "services", "no_such_part"):
        document = {"document": RECORD | {part: "typed"}}
        refused = told(callers["lin"], "PUT", "/api/layers/meta_three/metadata", document, 422)
        assert (refused["code"], refused["facts"]["part"]) == ("bad-metadata", part)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("title_zh", ""),
        ("title_zh", 7),
        ("title_en", "x" * 201),
        ("abstract_zh", "\x00"),
        ("keywords", "土地"),
        ("keywords", ["x" * 61]),
        ("topic", "land"),
        ("produced", "2026-02-30"),
    ],
)
def test_a_record_of_another_form_is_refused(part, value):
    with pytest.raises(metadata.BadMetadata) as refused:
        metadata.judge(RECORD | {part: value})
    assert refused.value.facts["part"] == part


def test_only_who_keeps_the_whole_layer_writes(callers):
    layer = lots("meta_four")
    wang = callers["wang"]
    assert wang.get("/api/layers/meta_four/about").status_code == 404
    grant(layer, "department:transport", "view,query")
    assert (
        told(wang, "PUT", "/api/layers/meta_four/metadata", {"document": RECORD}, 403)["code"]
        == "not-granted"
    )
    west = layermaking.area(WEST - 50, NORTH - 50, WEST + 50, NORTH + 50)
    grant(layer, "department:transport", "publish", area=west)
    refused = told(wang, "PUT", "/api/layers/meta_four/metadata", {"document": RECORD}, 403)
    assert refused["code"] == "whole-layer-only"
    about = wang.json("/api/layers/meta_four/about")
    assert (about["limited"], about["extent"], about["counts"], about["lineage"]) == (
        True,
        None,
        {"features": None},
        [],
    )
    grant(layer, "department:transport", "publish")
    told(wang, "PUT", "/api/layers/meta_four/metadata", {"document": RECORD})


def test_the_catalogue_shows_what_was_approved(callers):
    lots("meta_five")
    lin = callers["lin"]
    told(lin, "PUT", "/api/layers/meta_five/metadata", {"document": RECORD})
    assert "外业调查后内业整理" not in body_of(lin.get("/catalogue/meta_five/")).decode()
    told(lin, "POST", "/api/layers/meta_five/metadata/approve", {"number": 1})
    page = body_of(lin.get("/catalogue/meta_five/")).decode()
    assert "外业调查后内业整理" in page
    assert "土地 · 调查" in page
    assert "version 1" in body_of(lin.get("/catalogue/meta_five/?lang=en")).decode()
