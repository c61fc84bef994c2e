"""Who may see a delivery, send one and accept one: another's is no delivery at all, and rights are asked each time."""

import hashlib
import json
from io import BytesIO

import geopandas as gpd
import pytest
from django.conf import settings

from layers.actions.grants import take_back
from layers.exchange.deliveries import flow
from layers.models import Delivery, Layer
from process.models import Upload
from process.uploads import append, begin
from tests import doors
from tests.delivering import work
from tests.layermaking import NORTH, WEST, area, grant, make_layer, square
from tests.people import body_of, offices, person

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

NOWHERE = 987_654_321
# Every door to one delivery, and what is sent through it.
DOORS = {
    "GET api/deliveries/<int:number>": ("", None),
    "POST api/deliveries/<int:number>/answers": ("/answers", {"repair": True}),
    "POST api/deliveries/<int:number>/accept": ("/accept", {"reason": "ok"}),
    "POST api/deliveries/<int:number>/refuse": ("/refuse", {"reason": "no"}),
    "POST api/deliveries/<int:number>/withdraw": ("/withdraw", {}),
    "GET api/deliveries/<int:number>/findings": ("/findings", None),
    "GET api/deliveries/<int:number>/findings.gpkg": ("/findings.gpkg", None),
    "GET api/deliveries/<int:number>/verdict.pdf": ("/verdict.pdf", None),
    "GET api/deliveries/<int:number>/package.zip": ("/package.zip", None),
    "GET api/deliveries/<int:number>/parts/<int:order>/diff": ("/parts/1/diff?op=update", None),
}
READING = [route for route in DOORS if route.startswith("GET")]


def lots(floors: int = 1) -> gpd.GeoDataFrame:
    """Four squares within the city."""
    shapes = [square(WEST + 200 * n, NORTH) for n in range(4)]
    columns = {"code": [f"A{n}" for n in range(4)], "floors": [1, 1, 1, floors]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)


@pytest.fixture
def callers():
    """Two layers; who publishes the one, who the other, who a part of the first, who all; a reader; nobody."""
    departments = offices()
    named = {
        name: person(name, departments["transport"]) for name in ("pub", "other", "part", "keeper", "reader")
    }
    for name in ("own_lots", "other_lots"):
        make_layer(name, lots(), key="code")
    own, other = Layer.objects.get(name="own_lots"), Layer.objects.get(name="other_lots")
    grant(own, "user:pub", "view,query,publish")
    grant(other, "user:other", "view,query,publish")
    grant(own, "user:part", "view,query,publish", area=area(WEST, NORTH, WEST + 300, NORTH + 300))
    grant(own, "user:reader", "view,query")
    grant(None, "user:keeper", "view,query,download,edit,publish,admin")
    return named


def document(layer: str = "own_lots", **checks) -> dict:
    part = {"source": "LOTS", "kind": "layer", "layer": layer, "key": "code", "theme": "base"}
    return {
        "version": 1,
        "title_zh": "地块",
        "department": "data",
        "mode": "replace",
        "parts": [{**part, "checks": checks} if checks else part],
    }


def uploaded(caller, floors: int = 5) -> str:
    """A whole upload of the caller; its token."""
    written = BytesIO()
    lots(floors).to_file(written, driver="GPKG", layer="LOTS")
    content, by = written.getvalue(), caller.principal.name
    upload = begin("LOTS.gpkg", len(content), hashlib.sha256(content).hexdigest(), sent_by=by)
    return append(upload.token, 0, content, sent_by=by).token


def post(caller, path: str, body: dict):
    return caller.ask("POST", path, json.dumps(body))


def send(caller, told: dict | None = None, token: str | None = None):
    body = {"name": "地块 2026", "department": "data", "uploads": [token or uploaded(caller)]}
    return post(caller, "/api/deliveries", {**body, "document": told or document()})


def sent(caller) -> Delivery:
    """A delivery of the caller, checked."""
    answer = send(caller)
    assert answer.status_code == 201, body_of(answer)
    delivery = work(Delivery.objects.get(pk=json.loads(body_of(answer))["id"]))
    assert delivery.state == "checked", delivery.reason
    return delivery


def through(caller, route: str, number: int):
    """The answer at a door of a delivery."""
    path, body = DOORS[route]
    text = None if body is None else json.dumps(body)
    return caller.ask(route.split(maxsplit=1)[0], f"/api/deliveries/{number}{path}", text)


def the_same(answer, nowhere) -> bool:
    """Whether two answers say the same, byte by byte, but for the numbers of their requests."""
    said = [doors.without_identity(one, f"/deliveries/{NOWHERE}") for one in (answer, nowhere)]
    return answer.status_code == nowhere.status_code and said[0] == said[1]


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, json.loads(body_of(answer))["code"]


def test_every_door_to_a_delivery_is_tried_here():
    assert {one for one in doors.routes() if "api/deliveries/<int:number>" in one} == DOORS.keys()


def test_another_s_delivery_is_none_at_all(callers):
    delivery = sent(callers["pub"])
    for accepted in (False, True):
        if accepted:
            flow.accept(delivery.pk, by="user:pub")
            assert work(delivery).state == "accepted"
        before = Delivery.objects.values().get(pk=delivery.pk)
        for name in ("other", "part", "reader"):
            for route in DOORS:
                answer, nowhere = (through(callers[name], route, one) for one in (delivery.pk, NOWHERE))
                assert answer.status_code == 404, (name, route)
                assert the_same(answer, nowhere), (name, route)
            listed = callers[name].json("/api/deliveries")
            assert listed == {"deliveries": [], "total": 0}
        assert Delivery.objects.values().get(pk=delivery.pk) == before


def test_the_public_sees_and_sends_none(callers):
    delivery = sent(callers["pub"])
    public = person("gone")
    public.client.logout()
    for route in DOORS:
        answer, nowhere = (through(public, route, one) for one in (delivery.pk, NOWHERE))
        assert answer.status_code in {401, 404}
        assert the_same(answer, nowhere), route
    assert send(public, token="0" * 32).status_code in {401, 403}


@pytest.mark.parametrize("name", ["pub", "keeper"])
def test_the_sender_and_who_keeps_the_whole_map_see_it(callers, name):
    delivery = sent(callers["pub"])
    for route in READING:
        expected = 404 if "package" in route else 200
        assert through(callers[name], route, delivery.pk).status_code == expected, route
    assert callers[name].json("/api/deliveries")["total"] == 1


@pytest.mark.parametrize(
    ("name", "layer"),
    [("pub", "other_lots"), ("pub", "new_lots"), ("part", "own_lots"), ("reader", "own_lots")],
)
def test_who_publishes_one_layer_delivers_to_no_other(callers, name, layer):
    token = uploaded(callers[name])
    assert code_of(send(callers[name], document(layer), token)) == (403, "may-not-deliver")
    assert not Delivery.objects.exists()
    assert Upload.objects.get(token=token).taken_at is None


def test_checks_tell_nothing_of_layers_the_sender_may_not_read(callers):
    for layer in ("other_lots", "nowhere_lots"):
        told = document(partition={"within": layer})
        assert code_of(send(callers["pub"], told)) == (403, "may-not-compare")
    assert send(callers["keeper"], document(partition={"within": "other_lots"})).status_code == 201


def test_a_right_taken_back_is_asked_for_again_at_acceptance(callers):
    delivery = sent(callers["pub"])
    (given,) = [
        one for one in Layer.objects.get(name="own_lots").grants.all() if one.user == callers["pub"].user
    ]
    take_back(given, by="tests")
    accept = "POST api/deliveries/<int:number>/accept"
    assert code_of(through(callers["pub"], accept, delivery.pk)) == (403, "may-not-deliver")
    shown = through(callers["pub"], "GET api/deliveries/<int:number>/parts/<int:order>/diff", delivery.pk)
    assert code_of(shown) == (403, "may-not-deliver")
    delivery.refresh_from_db()
    assert delivery.state == "checked"
    grant(Layer.objects.get(name="own_lots"), "user:pub", "view,query,publish")
    assert through(callers["pub"], accept, delivery.pk).status_code == 200
    assert work(delivery).state == "accepted"


def test_half_an_upload_becomes_no_delivery(callers):
    incoming = settings.ONEMAP_VAR / "incoming"
    before = set(incoming.glob("*"))
    upload = begin("LOTS.gpkg", 10, "0" * 64, sent_by="user:pub")
    assert send(callers["pub"], token=upload.token).status_code in {409, 422}
    assert not Delivery.objects.exists()
    assert set(incoming.glob("*")) == before


def test_a_profile_is_known_only_to_those_who_may_deliver_by_it(callers):
    for code, layer in (("own", "own_lots"), ("other", "other_lots")):
        flow.keep_profile(code, document(layer), by="tests")
    seen = {
        name: {one["code"] for one in callers[name].json("/api/delivery-profiles")["profiles"]}
        for name in callers
    }
    assert seen == {
        "pub": {"own"},
        "other": {"other"},
        "part": set(),
        "keeper": {"own", "other"},
        "reader": set(),
    }
    told = {}
    for code in ("other", "never"):
        body = {"name": "x", "department": "transport", "uploads": ["x"], "profile": code}
        told[code] = doors.without_identity(
            callers["pub"].ask("POST", "/api/deliveries", json.dumps(body)), code
        )
    assert told["other"] == told["never"]
    assert told["other"][0] == 404


def test_a_sender_has_no_more_undecided_deliveries_than_the_limit(callers, monkeypatch):
    monkeypatch.setattr("layers.views.deliveries.MOST_OPEN", 2)
    pub = callers["pub"]
    office = offices()["transport"]
    states = ("checked", "failed", "withdrawn", "refused")
    made = [
        Delivery.objects.create(
            name="x", department=office, folder=state, sent_by=pub.principal.name, state=state
        )
        for state in states
    ]
    body = json.dumps({"name": "x", "department": "transport", "uploads": ["x"], "document": document()})
    answer = pub.ask("POST", "/api/deliveries", body)
    assert (answer.status_code, json.loads(body_of(answer))["code"]) == (429, "too-many-deliveries")
    made[0].state = "withdrawn"
    made[0].save()
    assert json.loads(body_of(pub.ask("POST", "/api/deliveries", body)))["code"] == "upload-not-found"
