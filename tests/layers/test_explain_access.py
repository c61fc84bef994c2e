"""`manage.py explain_access`, as an administrator asks it."""

import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ServiceKey, User
from tests import layermaking, people
from tests.layermaking import grant

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]
NAME = "explained_ground"


@pytest.fixture(scope="module")
def layer(kept):
    people.offices()
    return layermaking.make_layer(NAME, layermaking.ground(NAME))


@pytest.fixture
def because(capsys):
    def ask(who):
        call_command("explain_access", "--layer", NAME, "--who", who, "--action", "query", "--json")
        told = json.loads(capsys.readouterr().out.splitlines()[-1])
        return told["because"]

    return ask


def test_a_department_and_its_key_are_told_the_same_grant(layer, because):
    office = people.offices()["water"]
    key = ServiceKey.objects.get(pk=people.program(office).principal.key_id)
    made = grant(layer, "department:water", "view,query")
    told = [f"grant {made.pk}: query, view on this layer to department {office.pk} and below"]
    assert because("department:water") == because(f"key:{key.prefix}") == told
    assert because("public") == ["refused: public is cleared for public, the layer is internal"]


def test_a_key_that_opens_nothing_is_said_to(layer, because):
    office = people.offices()["water"]
    key = ServiceKey.objects.get(pk=people.program(office).principal.key_id)
    grant(layer, "department:water", "view,query")
    key.revoked_at = key.created_at
    key.save()
    assert because(f"key:{key.prefix}") == ["refused: key:water/program is revoked"]


def test_who_has_left_is_said_to_be_inactive(layer, because):
    grant(layer, "public", "view,query")
    wang = people.person("wang_left", people.offices()["water"], [])
    User.objects.filter(username="wang_left").update(is_active=False)
    assert because("user:wang_left") == [f"refused: {wang.principal.name} is inactive"]


@pytest.mark.parametrize("who", ["public:x", "key:none", "user:", "department:none", "group:x"])
def test_nobody_of_that_name(layer, because, who):
    with pytest.raises(CommandError):
        because(who)
