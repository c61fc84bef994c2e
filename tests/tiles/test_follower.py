"""The tile follower as a process: quick, and killed without harm."""

import geopandas as gpd
import pytest
import shapely

from tests.conftest import wait_until
from tests.layermaking import NORTH, WEST

pytestmark = pytest.mark.slow

CITY = "/tiles/plots/CityGrid/0/0/0.mvt"
CONTENT = (
    "SELECT md5(string_agg(level || ' ' || coalesce(fid::text, '') || ' ' || number || ' ' || ST_AsText(geom, 3), ','"
    " ORDER BY level, block, fid, class, number, ST_AsText(geom, 3))) FROM overview.shape"
)
EDIT = """
from layers.actions import FeatureEdit, edit_features
from layers.rights import Action, operator_scope
from shapely.geometry import box
edits = [FeatureEdit("insert", geometry=box({x}, {y}, {x} + 3000, {y} + 3000))]
print(edit_features(operator_scope("plots", Action.EDIT), edits, author="tests", reason="survey").fids[0])
"""


@pytest.fixture
def plots(fresh_site, tmp_path):
    shapes = [shapely.box(x, y, x + 20, y + 20) for x, y in _places(400)]
    path = tmp_path / "plots.gpkg"
    gpd.GeoDataFrame(geometry=shapes, crs=4547).to_file(path)
    words = ("--layer", "plots", "--title", "plots", "--department", "data", "--public")
    code, report = fresh_site.manage("import_layer", str(path), *words)
    assert code == 0, report
    fresh_site.query("UPDATE layers_layer SET first_levels = '{\"CityGrid\": 6}'")
    return fresh_site


def _places(count):
    return [(WEST + 400 * (n % 20), NORTH + 400 * (n // 20)) for n in range(count)]


def follow(site):
    return site._start(site.command("follow_tiles"), "follower")


def current(site):
    return site.query(
        "SELECT 1 FROM layers_overview o JOIN layers_layer l ON l.id = o.layer_id WHERE o.revision = l.revision"
    )


def test_a_change_is_seen_within_seconds_and_a_killed_follower_loses_nothing(plots):
    plots.start_web()
    plots.start_worker()
    assert plots.status(CITY) == 204
    follower = follow(plots)
    wait_until(lambda: plots.status(CITY) == 200, 60)  # built by a job of the worker
    assert wait_until(lambda: plots.json("/healthz")["follower"])
    before = plots.get(CITY)[2]
    plots.shell(EDIT.format(x=WEST + 30_000, y=NORTH))
    wait_until(lambda: plots.get(CITY)[2] != before, 10)
    for number in range(3):
        plots.shell(EDIT.format(x=WEST + 4_000 * number, y=NORTH + 12_000))
        plots.kill(follower)
        follower = follow(plots)
    wait_until(lambda: current(plots), 60)
    followed = plots.query(CONTENT)
    code = "from layers.overviews import making; from layers.models import Layer\n"
    code += "from django.db import transaction\n"
    code += "with transaction.atomic(): making.build(making.info_of(Layer.objects.get(name='plots').pk))"
    plots.kill(follower)
    plots.shell(code)
    assert plots.query(CONTENT) == followed
