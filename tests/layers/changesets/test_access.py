"""Which changesets somebody finds."""

import pytest

from tests import people
from tests.changesetting import begin, plots_named, put, step, update
from tests.layermaking import grant
from tests.people import Caller

pytest_plugins = ["tests.layermaking", "tests.changesetting"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]


def test_the_list_of_what_waits_for_a_review_of_the_caller(ming, hong, gao, wei, offices, plots):
    """Not what others may review, nor one's own, nor what one edited, nor what is decided or not handed in."""
    other = plots_named(f"{plots.name}_elsewhere")
    gong = people.person("gong", offices["data"])
    grant(plots, "user:gong", "view,query,publish")
    made = {}
    for name, owner, layer in (
        ("waits", ming, plots),
        ("own", gao, plots),
        ("elsewhere", ming, other),
        ("drafted", ming, plots),
        ("approved", ming, plots),
        ("helped", ming, plots),
    ):
        made[name] = begin(owner, name, shared=True)
        put(owner, made[name], layer, update(1, amount=11))
    put(hong, made["helped"], plots, update(2, amount=22))
    for name in made.keys() - {"drafted"}:
        step(gao if name == "own" else ming, made[name], "submit")
    step(gao, made["approved"], "approve", counter=1)

    def listed(caller, more=""):
        found = caller.json(f"/api/changesets?review=true{more}")
        assert found["total"] == len(found["changesets"])
        return {one["title"] for one in found["changesets"]}

    assert listed(gao) == {"waits", "elsewhere", "helped"}
    assert listed(gao, f"&layer={other.name}") == {"elsewhere"}
    assert listed(gong) == {"waits", "own", "helped"}
    assert listed(ming) == listed(wei) == listed(Caller("public")) == set()
    grant(plots, "user:hong", "view,query,publish")
    assert listed(hong) == {"waits", "own"}
