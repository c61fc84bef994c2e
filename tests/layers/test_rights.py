"""The compiler of rights: from grants to a scope, and nothing but a scope shows rows."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.actions import ensure_role
from accounts.principals import PUBLIC
from layers import catalogue, queries
from layers.actions import delete_layer, restore_layer, take_back
from layers.actions.grants import BadGrant
from layers.catalogue import LayerNotFound
from layers.models import Grant, Layer, Theme
from layers.moments import Moment
from layers.rights import (
    Action,
    FieldNotFound,
    NotGranted,
    _compile,
    explain_access,
    operator_scope,
    scope,
    visible_layers,
)
from tests import layermaking, people
from tests.layermaking import EAST, NORTH, WEST, area, grant

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]
NAME = "rights_ground"
WEST_BOX = (WEST - 1_000, NORTH - 1_000, WEST + 5_000, NORTH + 5_000)
EAST_BOX = (EAST - 1_000, NORTH - 1_000, EAST + 5_000, NORTH + 5_000)


@pytest.fixture(scope="module")
def offices(kept):
    return people.offices()


@pytest.fixture(scope="module")
def layer(offices):
    """Three features in the west, three in the east."""
    return layermaking.make_layer(NAME, layermaking.ground(NAME))


@pytest.fixture(scope="module")
def keys(offices):
    """A program of every department."""
    return {code: people.program(office) for code, office in offices.items()}


def seen(caller, action=Action.QUERY, name=NAME):
    """What a caller sees: by fid, the visible fields with their values."""
    found = scope(caller.principal, name, action)
    statement = queries.relation(found, Moment.today())
    names = ["fid", "version", "rev_from", "geom", *(one.field.name for one in found.fields)]
    rows = [dict(zip(names, row, strict=True)) for row in queries.rows(statement)]
    return {row.pop("fid"): {name: row[name] for name in names[4:]} for row in rows}


def test_without_a_grant_a_layer_does_not_exist(layer, keys):
    with pytest.raises(LayerNotFound) as hidden:
        scope(keys["water"].principal, NAME, Action.VIEW)
    with pytest.raises(LayerNotFound) as missing:
        scope(keys["water"].principal, "never_made", Action.VIEW)
    assert hidden.value.text("en").replace(NAME, "never_made") == missing.value.text("en")
    assert visible_layers(keys["water"].principal) == []


def test_an_action_that_was_not_given_is_refused_by_name(layer, keys):
    grant(layer, "department:water", "view,query")
    for action in (Action.DOWNLOAD, Action.EDIT, Action.PUBLISH, Action.ADMIN):
        with pytest.raises(NotGranted) as refusal:
            scope(keys["water"].principal, NAME, action)
        assert refusal.value.facts == {"layer": NAME, "action": action.value}
    assert scope(keys["water"].principal, NAME, Action.VIEW).actions == {Action.VIEW, Action.QUERY}


def test_one_action_gives_no_other(layer, keys):
    grant(layer, "department:water", "edit")
    with pytest.raises(NotGranted):
        scope(keys["water"].principal, NAME, Action.VIEW)
    assert visible_layers(keys["water"].principal) == []
    assert scope(keys["water"].principal, NAME, Action.EDIT).unlimited


@pytest.mark.parametrize(
    ("given_to", "reached"),
    [
        (
            "city",
            {"city", "transport", "water", "planning", "emergency", "data", "citycare", "district", "street"},
        ),
        ("citycare", {"citycare", "district", "street"}),
        ("district", {"district", "street"}),
        ("street", {"street"}),
        ("water", {"water"}),
    ],
)
def test_a_grant_reaches_the_department_and_all_below_it_and_none_above(layer, keys, given_to, reached):
    grant(layer, f"department:{given_to}", "view")
    found = {code for code, caller in keys.items() if visible_layers(caller.principal)}
    assert found == reached
    assert not visible_layers(PUBLIC)


def test_a_grant_to_a_role_reaches_its_people_and_no_key(layer, offices, keys):
    ensure_role("planner", "规划编制", "Planner")
    grant(layer, "role:planner", "view,query")
    lin = people.person("lin", offices["transport"], ["planner"])
    wang = people.person("wang", offices["transport"], ["inspector"])
    assert len(seen(lin)) == 6
    for caller in (wang, keys["transport"]):
        with pytest.raises(LayerNotFound):
            scope(caller.principal, NAME, Action.VIEW)


def test_a_grant_to_a_user_reaches_only_that_user(layer, offices, keys):
    lin, wang = (people.person(name, offices["transport"]) for name in ("lin", "wang"))
    grant(layer, "user:lin", "view,query")
    assert len(seen(lin)) == 6
    for caller in (wang, keys["transport"]):
        assert visible_layers(caller.principal) == []


def test_a_public_grant_reaches_everyone(offices, keys):
    layermaking.make_layer("open_ground", layermaking.ground("open_ground"), public=True)
    for principal in (PUBLIC, keys["street"].principal):
        found = scope(principal, "open_ground", Action.QUERY)
        assert (found.unlimited, found.actions) == (True, {Action.VIEW, Action.QUERY})


def test_clearance_is_part_of_the_scope(layer, offices, keys):
    grant(layer, "department:city", "view,query")
    grant(layer, "public", "view,query")
    Layer.objects.filter(pk=layer.pk).update(secrecy="sensitive")
    assert len(seen(keys["city"])) == 6
    for principal in (keys["water"].principal, PUBLIC):
        with pytest.raises(LayerNotFound):
            scope(principal, NAME, Action.VIEW)
    low = people.person("low", offices["city"], clearance="internal")
    high = people.person("high", offices["city"], clearance="sensitive")
    assert (len(visible_layers(low.principal)), len(visible_layers(high.principal))) == (0, 1)
    assert explain_access(low.principal, NAME, Action.VIEW) == [
        "refused: user:low is cleared for internal, the layer is sensitive"
    ]


def test_grants_add_up(layer, keys):
    grant(layer, "department:water", "view,query", fields=["name"])
    grant(layer, "department:city", "view,query", fields=["amount"])
    grant(layer, "public", "view", fields=["ratio"])
    assert all(set(row) == {"name", "amount"} for row in seen(keys["water"]).values())
    looked = scope(keys["water"].principal, NAME, Action.VIEW)
    assert {one.field.name for one in looked.fields} == {"name", "amount", "ratio"}
    assert not looked.unlimited


def test_a_field_that_is_not_granted_does_not_exist(layer, keys):
    grant(layer, "department:water", "view,query", fields=["name"])
    found = scope(keys["water"].principal, NAME, Action.QUERY)
    assert found.field("name").type == "text"
    with pytest.raises(FieldNotFound) as hidden:
        found.field("secret_remark")
    with pytest.raises(FieldNotFound) as missing:
        found.field("never_there")
    assert hidden.value.text("zh").replace("secret_remark", "never_there") == missing.value.text("zh")


def test_an_area_shows_what_touches_it_and_nothing_else(layer, keys):
    grant(layer, "department:water", "view,query", area=area(*WEST_BOX))
    assert set(seen(keys["water"])) == {1, 2, 3}
    grant(layer, "department:city", "query", area=area(*EAST_BOX))
    assert set(seen(keys["water"])) == {1, 2, 3, 4, 5, 6}
    assert set(seen(keys["water"], Action.VIEW)) == {1, 2, 3}
    assert set(seen(keys["transport"])) == {4, 5, 6}


def test_a_field_granted_in_one_area_is_null_outside_it(layer, keys):
    grant(layer, "department:water", "view,query", fields=["name", "amount"])
    grant(layer, "department:water", "view,query", fields=["secret_remark"], area=area(*WEST_BOX))
    rows = seen(keys["water"])
    assert [rows[fid]["secret_remark"] is None for fid in range(1, 7)] == [False] * 3 + [True] * 3
    assert all(row["name"] and row["amount"] for row in rows.values())


def test_different_fields_in_different_areas(layer, keys):
    grant(layer, "department:water", "query", fields=["name"], area=area(*WEST_BOX))
    grant(layer, "department:water", "query", fields=["amount"], area=area(*EAST_BOX))
    rows = seen(keys["water"])
    assert {fid: row["name"] is not None for fid, row in rows.items()} == {n: n <= 3 for n in range(1, 7)}
    assert {fid: row["amount"] is not None for fid, row in rows.items()} == {n: n > 3 for n in range(1, 7)}


def test_an_unlimited_grant_beside_a_limited_one_is_unlimited(layer, keys):
    grant(layer, "department:water", "query", fields=["name"], area=area(*WEST_BOX))
    grant(layer, "department:city", "query")
    found = scope(keys["water"].principal, NAME, Action.QUERY)
    assert found.unlimited
    assert all(one.areas is None for one in found.fields)


def test_a_grant_without_any_field_shows_shapes_alone(layer, keys):
    grant(layer, "department:water", "query", fields=[])
    assert set(map(tuple, seen(keys["water"]).values())) == {()}


def test_a_grant_ends_and_begins_by_the_clock(layer, keys):
    now = timezone.now()
    ended = grant(layer, "department:water", "view", until=now - timedelta(seconds=1))
    assert visible_layers(keys["water"].principal) == []
    Grant.objects.filter(pk=ended.pk).update(until=now + timedelta(hours=1))
    assert len(visible_layers(keys["water"].principal)) == 1
    Grant.objects.filter(pk=ended.pk).update(valid_from=now + timedelta(minutes=1))
    assert visible_layers(keys["water"].principal) == []
    Grant.objects.filter(pk=ended.pk).update(valid_from=now - timedelta(minutes=1))
    assert len(visible_layers(keys["water"].principal)) == 1


def test_a_theme_grant_reaches_its_layers_later_ones_too(layer, keys):
    plan = Theme.objects.get_or_create(code="plan", defaults={"title_zh": "规划", "title_en": "Plan"})[0]
    grant(None, "department:water", "view", theme=plan)
    assert visible_layers(keys["water"].principal) == []
    layermaking.make_layer("planned", layermaking.ground("planned"), theme="plan")
    assert [one.layer.name for one in visible_layers(keys["water"].principal)] == ["planned"]


def test_a_grant_on_every_layer(layer, keys):
    grant(None, "department:water", "view")
    layermaking.make_layer("another", layermaking.ground("another"))
    assert {one.layer.name for one in visible_layers(keys["water"].principal)} >= {NAME, "another"}


def test_a_right_taken_back_is_dead_at_once(layer, keys):
    made = grant(layer, "department:water", "view,query")
    assert len(seen(keys["water"])) == 6
    take_back(made, by="tests")
    with pytest.raises(LayerNotFound):
        scope(keys["water"].principal, NAME, Action.QUERY)


def test_a_deleted_layer_is_gone_for_all_and_comes_back_as_it_was(layer, keys):
    grant(layer, "department:water", "view,query")
    delete_layer(layer, by="tests")
    with pytest.raises(LayerNotFound):
        scope(keys["water"].principal, NAME, Action.VIEW)
    with pytest.raises(LayerNotFound):
        operator_scope(NAME)
    restore_layer(NAME, by="tests")
    assert len(seen(keys["water"])) == 6


def test_giving_twice_is_one_grant(layer):
    first = grant(layer, "department:water", "query,view", fields=["name"], area=area(*WEST_BOX))
    again = grant(layer, "department:water", "view,query", fields=["name"], area=area(*WEST_BOX))
    other = grant(layer, "department:water", "view,query", fields=["name"], area=area(*EAST_BOX))
    assert first.pk == again.pk != other.pk


@pytest.mark.parametrize(
    ("to", "actions", "limits"),
    [
        ("department:water", "look", {}),
        ("department:water", "view", {"fields": ["never_there"]}),
        ("department:nowhere", "view", {}),
        ("role:nobody", "view", {}),
        ("user:nobody", "view", {}),
        ("everyone", "view", {}),
        ("", "view", {}),
    ],
)
def test_a_right_that_cannot_be_given_is_refused(layer, to, actions, limits):
    before = Grant.objects.count()
    with pytest.raises(BadGrant):
        grant(layer, to, actions, **limits)
    assert Grant.objects.count() == before


def test_explain_access_names_the_grant_and_its_limits(layer, keys):
    until = timezone.now() + timedelta(days=1)
    limits = {"fields": ["name"], "area": area(*WEST_BOX), "area_label": "west", "until": until}
    made = grant(layer, "department:city", "view,query", **limits)
    other = grant(layer, "public", "download")
    assert explain_access(keys["street"].principal, NAME, Action.QUERY) == [
        f"grant {made.pk}: query, view on this layer to department {made.department_id} and below"
        f" (fields name; area west; until {until.isoformat()})"
    ]
    water = keys["water"].principal
    assert explain_access(water, NAME, Action.DOWNLOAD) == [
        f"grant {other.pk}: download on this layer to everyone"
    ]
    assert explain_access(water, NAME, Action.EDIT) == [
        f"refused: no grant gives edit on {NAME} to key:water/program"
    ]
    assert explain_access(PUBLIC, NAME, Action.DOWNLOAD) == [
        "refused: public is cleared for public, the layer is internal"
    ]


def test_the_digest_is_equal_for_equal_rights_and_for_no_others(layer, offices, keys):
    grant(layer, "department:water", "view,query")
    grant(layer, "department:transport", "query,download")
    grant(layer, "department:planning", "query", fields=["name"])
    grant(layer, "department:emergency", "query", area=area(*WEST_BOX))
    grant(layer, "department:data", "query", area=area(*EAST_BOX))
    grant(layer, "department:citycare", "query", fields=["name"], area=area(*WEST_BOX))
    codes = ("water", "transport", "planning", "emergency", "data", "citycare")
    digests = {code: scope(keys[code].principal, NAME, Action.QUERY).digest for code in codes}
    assert digests["water"] == digests["transport"]
    assert digests["citycare"] == scope(keys["street"].principal, NAME, Action.QUERY).digest
    assert len(set(digests.values())) == 5
    # Who may do more than read sees no more of it.
    assert digests["water"] == scope(keys["water"].principal, NAME, Action.VIEW).digest


def test_the_digest_changes_with_the_rights(layer, keys):
    grant(layer, "department:water", "query", fields=["name"])
    before = scope(keys["water"].principal, NAME, Action.QUERY).digest
    grant(layer, "department:water", "query", fields=["amount"])
    assert scope(keys["water"].principal, NAME, Action.QUERY).digest != before


def test_every_change_of_rights_raises_the_catalogues_version(layer, offices):
    versions = [catalogue.version_now()]

    def note():
        versions.append(catalogue.version_now())

    made = grant(layer, "public", "view")
    note()
    Grant.objects.filter(pk=made.pk).update(fields=["name"])
    note()
    take_back(made, by="tests")
    note()
    Layer.objects.filter(pk=layer.pk).update(secrecy="sensitive")
    note()
    layer.fields.filter(name="name").update(alias_zh="名")
    note()
    offices["street"].parent = offices["water"]
    offices["street"].save()
    note()
    assert versions == sorted(set(versions))


def test_a_copy_of_the_catalogue_is_read_once_per_version(layer, django_assert_num_queries):
    first = catalogue.current()
    with django_assert_num_queries(1):
        assert catalogue.current() is first
    grant(layer, "public", "view")
    assert catalogue.current() is not first


FIELDS = st.none() | st.sets(st.sampled_from(["name", "secret_remark", "amount"]))
AREAS = st.none() | st.sampled_from(["west", "east"])


@given(st.lists(st.tuples(FIELDS, AREAS), max_size=5))
def test_the_union_of_grants_is_what_an_oracle_says(grants):
    """Compiled in memory: a value shows where, and only where, some grant gives field and place together."""
    info = _layer_info()
    given_ = [_grant_info(number, fields, where) for number, (fields, where) in enumerate(grants)]
    found = _compile(info, Action.QUERY, frozenset({Action.QUERY}), given_, 1)
    for place in ("west", "east", "elsewhere"):
        giving = [fields for fields, where in grants if where in {None, place}]
        visible = found.areas is None or place.encode() in found.areas
        assert visible == bool(giving)
        shown = {
            one.field.name
            for one in found.fields
            if visible and (one.areas is None or place.encode() in one.areas)
        }
        every = {"name", "secret_remark", "amount"}
        assert shown == set().union(*(every if fields is None else fields for fields in giving))


def _layer_info():
    text = {"type": "text", "alias_zh": "", "alias_en": "", "unit": "", "required": False}
    limits = {"minimum": None, "maximum": None, "max_length": None, "codes": None}
    fields = tuple(
        catalogue.FieldInfo(name=name, column=f"f_{number}", **text, **limits)
        for number, name in enumerate(("name", "secret_remark", "amount"))
    )
    parts = dict.fromkeys(catalogue.LayerInfo.__dataclass_fields__, None)
    return catalogue.LayerInfo(**{**parts, "id": 1, "name": NAME, "fields": fields})


def _grant_info(number, fields, where):
    parts = dict.fromkeys(catalogue.GrantInfo.__dataclass_fields__, None)
    limits = {
        "fields": None if fields is None else frozenset(fields),
        "area": where.encode() if where else None,
    }
    return catalogue.GrantInfo(**{**parts, "id": number, "actions": frozenset({"query"}), **limits})
