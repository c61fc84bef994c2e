"""A pull looks where the settings let it, and tells what is new from what is not."""

import os
import sqlite3
import threading
import time
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import geopandas as gpd
import psycopg2
import pyogrio
import pytest
from django.db import connection
from psycopg2 import extensions

from layers.exchange.pulls.databases import DatabaseSilent, MixedCoordinates
from layers.exchange.pulls.sources import NoSuchSource, SourceEmpty, StillWritten, bring, check, folder_of
from layers.models import Pull
from process.fetching import AddressNotAllowed


@pytest.fixture
def root(settings, tmp_path):
    folder = tmp_path / "survey"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "secret.csv").write_text("secret")
    (folder / "link").symlink_to(tmp_path)
    (folder / "2026" / "b.csv").symlink_to(tmp_path / "secret.csv")
    settings.ONEMAP_PULL_FOLDERS = {"survey": str(folder)}
    settle(folder)
    return folder


def settle(folder):
    """As if nobody had written here for an hour."""
    for one in folder.rglob("*"):
        if not one.is_symlink():
            os.utime(one, (time.time() - 3600,) * 2)


def pulled(kind, address, into, known=""):
    return bring(Pull(kind=kind, address=address), into, known=known, validators={})


def test_a_folder_is_new_until_it_was_seen(root, tmp_path):
    first = pulled("folder", "survey:2026", tmp_path)
    assert first.path == root / "2026"
    assert pulled("folder", "survey:2026", tmp_path, first.sha256).path is None
    (root / "2026" / "a.csv").rename(root / "2026" / "c.csv")
    assert pulled("folder", "survey:2026", tmp_path, first.sha256).path is not None
    assert pulled("folder", "survey:2026/c.csv", tmp_path).path == root / "2026" / "c.csv"


def test_a_folder_that_is_being_written_is_left_alone(root, tmp_path):
    (root / "2026" / "half.csv").write_text("x")
    with pytest.raises(StillWritten):
        pulled("folder", "survey:2026", tmp_path)


def test_an_empty_or_missing_folder_has_nothing(root, tmp_path):
    (root / "empty").mkdir()
    for address in ("survey:empty", "survey:never"):
        with pytest.raises(SourceEmpty):
            pulled("folder", address, tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "survey:..",
        "survey:../secret.csv",
        "survey:link",
        "survey:link/secret.csv",
        "other:2026",
        "/etc",
        "",
        "survey:\0",
    ],
)
def test_no_address_leads_out_of_the_listed_folder(root, address):
    with pytest.raises(NoSuchSource):
        folder_of(address)


def test_an_absolute_path_stays_below_too(root):
    assert folder_of("survey:/2026") == root / "2026"


def test_without_settings_nothing_may_be_pulled():
    for kind, address in (("folder", "survey:2026"), ("database", "cadastre:public.parcel")):
        with pytest.raises(NoSuchSource):
            check(kind, address)
    with pytest.raises(AddressNotAllowed):
        check("http", "https://data.gov.cn/parcels.zip")


class Portal(BaseHTTPRequestHandler):
    """A portal of data."""

    def do_GET(self):
        known = self.headers.get("If-None-Match") == '"7"'
        self.send_response(304 if known else 200)
        self.send_header("Content-Length", "0" if known else "8")
        self.send_header("ETag", '"7"')
        self.end_headers()
        self.wfile.write(b"" if known else b"x,y\n1,2\n")

    def log_message(self, *args):
        pass


def test_an_address_is_new_until_it_was_seen(settings, tmp_path):
    portal = HTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=portal.serve_forever, args=(0.05,), daemon=True).start()
    settings.ONEMAP_PULL_HOSTS = [f"data.lan:{portal.server_port}=private"]
    pull = Pull(kind="http", address=f"http://data.lan:{portal.server_port}/open/parcels.csv")
    asked = {"resolve": lambda host, port: ["127.0.0.1"]}
    check("http", pull.address)
    first = bring(pull, tmp_path, known="", validators={}, **asked)
    assert (first.path.name, first.path.read_bytes()) == ("parcels.csv", b"x,y\n1,2\n")
    again = bring(pull, tmp_path, known=first.sha256, validators=first.validators, **asked)
    assert (again.path, again.validators) == (None, {"etag": '"7"'})
    first.path.unlink()
    same = bring(pull, tmp_path, known=first.sha256, validators={}, **asked)
    assert same.path is None
    (tmp_path / "fetched.csv").unlink()
    assert bring(pull, tmp_path, known="", validators=first.validators, **asked).path is not None
    portal.shutdown()
    portal.server_close()


@pytest.fixture
def cadastre(settings, db):
    """A database of another office: its tables are committed where a second connection sees them."""
    given = connection.get_connection_params()
    names = ("dbname", "user", "password", "host", "port")
    dsn = extensions.make_dsn(**{name: given[name] for name in names if given.get(name)})
    settings.ONEMAP_PULL_DATABASES = {"cadastre": dsn}
    linked = psycopg2.connect(dsn)
    linked.autocommit = True
    cursor = linked.cursor()
    cursor.execute("DROP SCHEMA IF EXISTS office CASCADE; CREATE SCHEMA office")
    cursor.execute(
        """
        CREATE TABLE office."宗地 Parcel" (fid int, "BSM" text, area numeric(12,2), share real, open boolean,
            day date, seen timestamptz, tags jsonb, raw bytea, geom geometry(MultiPolygon, 4547));
        INSERT INTO office."宗地 Parcel"
        SELECT n, 'B' || n, n / 3.0, NULLIF(n, 3) / 4.0, n % 2 = 0, DATE '2026-01-01' + n, '2026-01-01 08:00+08',
               '{"a": 1}', '\\x00', ST_Multi(ST_MakeEnvelope(500000 + n, 2500000, 500001 + n, 2500001, 4547))
          FROM generate_series(1, 5) AS n;
        CREATE TABLE office.totals (code text, total integer);
        INSERT INTO office.totals VALUES ('01', 5), ('02', NULL);
        CREATE TABLE office.mixed (geom geometry);
        INSERT INTO office.mixed VALUES ('SRID=4326;POINT(1 1)'), ('SRID=4547;POINT(1 1)');
        """
    )
    yield cursor
    cursor.execute("DROP SCHEMA office CASCADE")
    linked.close()


def test_a_table_of_another_database_is_read(cadastre, tmp_path):
    got = pulled("database", "cadastre:office.宗地 Parcel", tmp_path)
    assert got.path.name == "宗地_Parcel.gpkg"
    frame = gpd.read_file(got.path)
    assert frame.crs.to_epsg() == 4547
    assert frame.geometry.area.tolist() == pytest.approx([1.0] * 5)
    first = frame.sort_values("BSM").iloc[0]
    assert (first.fid_, first.BSM, first.area, first.tags) == (
        1,
        "B1",
        pytest.approx(1 / 3, abs=0.01),
        '{"a": 1}',
    )
    assert first.day.date() == date(2026, 1, 2)
    assert first.seen.to_pydatetime().astimezone(UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert frame.share.isna().sum() == 1
    assert "raw" not in frame


def test_a_table_is_new_when_its_rows_are(cadastre, tmp_path):
    address = "cadastre:office.totals"
    (tmp_path / "1").mkdir()
    first = pulled("database", address, tmp_path / "1")
    assert pyogrio.read_dataframe(first.path).total.tolist()[:1] == [5]
    with sqlite3.connect(first.path) as base:
        assert base.execute("SELECT count(*) FROM gpkg_geometry_columns").fetchone() == (0,)
    base.close()
    cadastre.execute("UPDATE office.totals SET total = 5 WHERE code = '01'")  # another order on the disk
    (tmp_path / "2").mkdir()
    assert pulled("database", address, tmp_path / "2", first.sha256).path is None
    cadastre.execute("INSERT INTO office.totals VALUES ('03', 1)")
    (tmp_path / "3").mkdir()
    assert pulled("database", address, tmp_path / "3", first.sha256).path is not None


def test_a_database_that_gives_nothing_says_only_so(cadastre, settings, tmp_path):
    for address in ("cadastre:office.missing", 'cadastre:office.x"; DROP SCHEMA office CASCADE; --'):
        with pytest.raises(DatabaseSilent) as refusal:
            pulled("database", address, tmp_path)
        assert refusal.value.facts == {"table": address.partition(":")[2]}
    with pytest.raises(MixedCoordinates):
        pulled("database", "cadastre:office.mixed", tmp_path)
    settings.ONEMAP_PULL_DATABASES = {"cadastre": "host=127.0.0.1 port=1 password=hunter2"}
    with pytest.raises(DatabaseSilent) as refusal:
        pulled("database", "cadastre:office.totals", tmp_path)
    assert "hunter2" not in str(refusal.value)


def test_a_view_that_writes_cannot(cadastre, tmp_path):
    cadastre.execute(
        "CREATE FUNCTION office.write() RETURNS int LANGUAGE sql AS 'DELETE FROM office.totals RETURNING 1';"
        "CREATE VIEW office.trap AS SELECT office.write() AS n"
    )
    with pytest.raises(DatabaseSilent):
        pulled("database", "cadastre:office.trap", tmp_path)
    cadastre.execute("SELECT count(*) FROM office.totals")
    assert cadastre.fetchone() == (2,)
