"""The tile follower as a process: quick, and killed without harm."""

import geopandas as gpd
import pytest
import shapely

from process.context import KILLED
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

ANEW = """
from django.db import transaction
from layers.models import Layer
from layers.overviews import making
with transaction.atomic():
    making.build(making.info_of(Layer.objects.get(name="plots").pk))
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


def follow(site, **env):
    """Start the follower; `env` is added to its environment."""
    kept = site.env
    site.env = {**kept, **env}
    try:
        return site._start(site.command("follow_tiles"), "follower")
    finally:
        site.env = kept


def current(site):
    return site.query(
        "SELECT 1 FROM layers_overview o JOIN layers_layer l ON l.id = o.layer_id WHERE o.revision = l.revision"
    )


def test_a_change_is_seen_and_a_killed_follower_loses_nothing(plots):
    plots.start_web()
    plots.start_worker()
    assert plots.status(CITY) == 204
    follower = follow(plots)
    wait_until(lambda: plots.status(CITY) == 200, 120)  # built by a job of the worker
    wait_until(lambda: plots.json("/healthz")["follower"], 60)
    before = plots.get(CITY)[2]
    plots.shell(EDIT.format(x=WEST + 30_000, y=NORTH))
    wait_until(lambda: plots.get(CITY)[2] != before, 60)
    wait_until(lambda: current(plots), 60)
    plots.kill(follower)
    # Killed inside a refresh: the shapes are deleted and drawn again, nothing of it is committed.
    before = plots.query(CONTENT)
    plots.shell(EDIT.format(x=WEST + 4_000, y=NORTH + 12_000))
    doomed = follow(plots, FAIL_AT="follow_tiles:1")
    assert doomed.wait(120) == KILLED
    assert plots.query(CONTENT) == before, "the old shapes serve"
    assert not current(plots), "the change is still to be met"
    # A follower that said nothing for half a minute is dead, and that is no reason for 503.
    plots.query("UPDATE layers_follower SET heartbeat_at = heartbeat_at - interval '1 minute'")
    assert plots.json("/healthz")["follower"] is False
    follower = follow(plots)
    wait_until(lambda: current(plots), 60)
    wait_until(lambda: plots.json("/healthz")["follower"], 60)
    plots.kill(follower)
    followed = plots.query(CONTENT)
    assert followed != before
    plots.shell(ANEW)
    assert plots.query(CONTENT) == followed
