"""A site whose database the tests of layers share with its web server: work goes through both."""

import itertools
import threading
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from django.db import connection, connections
from django.test import override_settings

from accounts.actions import create_key, department_of, ensure_role, ensure_user
from accounts.principals import principal_of_user
from layers import catalogue, queries
from layers.actions import FeatureEdit, edit_features, give
from layers.actions.grants import grantee
from layers.exchange import imports
from layers.exchange.options import ImportOptions
from layers.models import Layer
from layers.moments import Moment
from layers.rights import Action, operator_scope
from process.execution import run_next
from tests.conftest import Site

# A corner within the city, storage CRS (EPSG:4547), metres.
EAST, NORTH = 505_000.0, 2_494_000.0
PASSWORD = "correct horse battery"


def square(x=0.0, y=0.0, side=10.0):
    """A square whose lower left corner lies x east and y north of the corner, metres."""
    return shapely.box(EAST + x, NORTH + y, EAST + x + side, NORTH + y + side)


def at(x=0.0, y=0.0):
    """A point x east and y north of the corner."""
    return shapely.Point(EAST + x, NORTH + y)


def _column(values):
    whole = all(value is None or isinstance(value, int) for value in values)
    return pd.array(values, dtype="Int64") if whole else values


class Land(Site):
    """The site, with its layers reached in this process too."""

    names = itertools.count(1)

    def name_of_layer(self, stem="layer"):
        """A name no layer had yet."""
        return f"{stem}_{next(self.names)}"

    def bring(self, path, layer, **options):
        """Import a file as `import_layer` does, in this process; the report."""
        given = {"title": layer, "department": "data", "actor": "user:lin", **options}
        return imports.import_now(Path(path), ImportOptions(layer=layer, **given))

    def deliver(self, layer, rows, **options):
        """Import rows, each a geometry and its values, from a GeoPackage in the storage CRS."""
        return self.bring(self.package(rows), layer, **options)

    def package(self, rows):
        """A GeoPackage in the storage CRS of rows, each a geometry and its values."""
        return self.package_in(rows, 4547)

    def package_in(self, rows, srid):
        """A GeoPackage in a coordinate system of rows, each a geometry and its values."""
        names = list(dict.fromkeys(name for _, values in rows for name in values))
        columns = {name: _column([values.get(name) for _, values in rows]) for name in names}
        path = self.folder / f"delivery_{next(self.names)}.gpkg"
        frame = gpd.GeoDataFrame(columns, geometry=[shape for shape, _ in rows], crs=srid)
        frame.to_file(path, driver="GPKG", layer="delivery")
        return path

    def lots(self, count=4, **options):
        """A new layer of numbered squares in a row; its name."""
        name = self.name_of_layer("lots")
        rows = [(square(20 * n), {"code": f"A{n}", "floors": n}) for n in range(1, count + 1)]
        assert self.deliver(name, rows, **options)["inserted"] == count
        return name

    def scope(self, layer, action=Action.EDIT):
        return operator_scope(layer, action)

    def edit(self, layer, *edits, author="user:lin", reason="survey of May"):
        """Write edits as one change."""
        return edit_features(self.scope(layer), edits, author=author, reason=reason)

    def update(self, layer, fid, version, **properties):
        return self.edit(layer, FeatureEdit("update", fid, version, properties=properties))

    def rows(self, layer, *fields, moment=None):
        """fid and the fields of every feature, by fid, as shown at a moment."""
        scope = self.scope(layer, Action.QUERY)
        inner = queries.relation(scope, moment or Moment.today())
        named = ["fid", "version", "rev_from", "valid_from", "valid_to", "geom"]
        columns = [name if name in named else scope.field(name).column for name in fields]
        text = ", ".join(["fid", *(f"ST_AsText({one})" if one == "geom" else one for one in columns)])
        order = "1, 2" if columns else "1"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {text} FROM {inner.text.as_string(connection.connection)} AS r ORDER BY {order}",
                inner.params,
            )
            return cursor.fetchall()

    def state(self, layer):
        return Layer.objects.get(name=layer)

    def sound(self, layer):
        """Assert what holds of every layer at any time: versions, revisions, counts, periods, feed."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM history.{layer} WHERE rev_from >= rev_to")
            assert cursor.fetchone() == (0,)
            one = self.state(layer)
            cursor.execute(f"SELECT count(DISTINCT fid), coalesce(max(rev_from), 0) FROM data.{layer}")
            assert cursor.fetchone()[0] == one.feature_count
            cursor.execute(
                "SELECT array_agg(revision ORDER BY at), count(DISTINCT at) FROM layers_change WHERE layer_id = %s",
                [one.pk],
            )
            revisions, moments = cursor.fetchone()
            assert revisions == list(range(1, one.revision + 1))
            assert moments == len(revisions)
            cursor.execute(
                f"SELECT count(*) FROM (SELECT fid, rev_from, NULL AS rev_to FROM data.{layer}) AS now"
                f" JOIN history.{layer} AS past USING (fid) WHERE past.rev_to > now.rev_from AND NOT %s",
                [one.valid_time],
            )
            assert cursor.fetchone() == (0,)

    def key_for(self, department, layer, *actions, **limits):
        """A service key of a department that may do this on a layer."""
        give(grantee(f"department:{department}"), actions, by="user:lin", layer=self.state(layer), **limits)
        return create_key(department_of(department), "desk", None, "user:lin")[1]


def here(job, on_progress=None):
    """Do a job in this process."""
    assert run_next(job.pk) == job.pk
    job.refresh_from_db()
    return job


@contextmanager
def on_database(site):
    """Django's default connection, of every thread, goes to the site's database within this block."""
    config, test_name = connections.settings["default"], connections.settings["default"]["NAME"]
    connection.close()
    config["NAME"], catalogue._current = site.name, None
    try:
        with override_settings(ONEMAP_VAR=site.folder), patch.object(imports, "run_or_wait", here):
            yield
    finally:
        connection.close()
        config["NAME"], catalogue._current = test_name, None


@pytest.fixture(scope="session")
def land_site(tmp_path_factory, peopled):
    folder = tmp_path_factory.mktemp("land")
    one = Land(folder, f"onemap_{folder.name}_{folder.parent.name.replace('-', '_')}")
    one.copy(peopled)
    one.start_web()
    yield one
    one.stop()
    one.drop()


@pytest.fixture
def land(land_site, django_db_blocker):
    """The shared site; tests make layers of their own in it."""
    with django_db_blocker.unblock(), on_database(land_site):
        yield land_site


@pytest.fixture
def people(land):
    """Lin manages the data, Wang is of transport, Zhao of water."""
    found = {}
    for name, department, display in (
        ("lin", "data", "林"),
        ("wang", "transport", "王"),
        ("zhao", "water", "赵"),
    ):
        role = ensure_role(name, display, name.title())
        found[name] = principal_of_user(
            ensure_user(name, PASSWORD, department_of(department), [role], display)
        )
    return SimpleNamespace(**found)


class Racer(threading.Thread):
    """A thread that lets go of its database connection and keeps what came of it."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.function, self.arguments, self.value, self.error = function, arguments, None, None

    def run(self):
        try:
            self.value = self.function(*self.arguments)
        except Exception as error:
            self.error = error
        finally:
            connection.close()


def race(function, argument_lists, seconds=60):
    """Run a function once per list of arguments, all at the same moment; the threads, ended."""
    gate = threading.Barrier(len(argument_lists))

    def run(*arguments):
        gate.wait(seconds)
        return function(*arguments)

    racers = [Racer(run, *arguments) for arguments in argument_lists]
    for one in racers:
        one.start()
    for one in racers:
        one.join(seconds)
        assert not one.is_alive()
    return racers
