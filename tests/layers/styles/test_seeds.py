import json
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command

from layers.models import Layer
from layers.styles import seeds
from layers.styles.model import rules_of
from layers.styles.reading import read_style
from layers.styles.showing import class_field
from spatial.validity import Family
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, square

pytest_plugins = ["tests.layermaking"]


@pytest.mark.parametrize("name", seeds.names())
def test_every_seed_is_a_style_in_which_everything_is_named(name):
    rules = rules_of(read_style(seeds.seed(name, "kind"), Family.POLYGON))
    assert all(one.title_zh and one.title_en for one in rules if one.where is not None)
    assert all(one.symbols for one in rules)


def test_the_national_colours_of_land_use_are_those_of_the_guide():
    """《市级国土空间总体规划制图规范(试行)》, appendix B."""
    style = read_style(seeds.seed("landuse-sd@2023", "DLBM"), Family.POLYGON)
    colours = {one.values[0]: one.symbols[0].color for one in style.classes}
    assert (colours["01"], colours["0901"], colours["1401"]) == ("#f5f8dc", "#ff0000", "#00ff00")
    white = next(one for one in style.classes if one.values == ("16",))
    assert [one.color for one in white.symbols] == ["#ffffff", "#000000"]
    assert class_field(seeds.seed("landuse-sd@2023", "DLBM")) == "DLBM"
    assert class_field(seeds.seed("buildings-floors")) == ""  # overviews merge by text


def applied(capsys, seed, field):
    """What the command says, as a script reads it."""
    with suppress(CommandError):
        call_command("apply_style", layer="seeded_lots", seed=seed, field=field, json=True)
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_memory", "kept")
def test_the_operator_applies_a_seed_to_a_field_of_the_layers_own(capsys):
    people.offices()
    rows = [{"code": "A1", "DLBM": "1401", "geometry": square(WEST, NORTH)}]
    layer = layermaking.make_layer("seeded_lots", rows, key="code")
    told = applied(capsys, "landuse-sd@2023", "DLBM")
    assert (told["status"], told["layer"]) == ("done", "seeded_lots")
    assert Layer.objects.get(pk=layer.pk).style["field"] == "DLBM"
    for seed, field, named in (("landuse-sd@2023", "gone", "gone"), ("no_such_seed", "", "roads-class")):
        told = applied(capsys, seed, field)
        assert told["status"] == "failed"
        assert named in told["reason"]
