"""The site that is measured: a database, web server and worker of its own on the given database server."""

import os
import shutil
import subprocess
import time
from functools import cached_property
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from tests.benchmarks.measure import Helper
from tests.conftest import ROOT, Site, wait_until

NAME = "onemap_bench"
CORES = os.cpu_count() or 1


class Bed(Site):
    """A site with as many web processes as the machine has cores.

    A login that may not create databases gets its own database used instead (`make bench` gives the benchmark a
    whole cluster): then nothing but layers of the benchmark may be in it.
    """

    def __init__(self, folder: Path, own: str) -> None:
        super().__init__(folder, f"{NAME}_{os.getpid()}")
        self.given = own
        if not self._may_create():
            self.name = own
            self.env["DATABASE_URL"] = self.url_of(own)

    def _may_create(self):
        with self.connect(self.given) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            return cursor.fetchone()[0]

    @property
    def borrowed(self) -> bool:
        """Whether the database is not the benchmark's own."""
        return self.name == self.given

    def prepare(self):
        """Migrate; departments; no layers."""
        if self.borrowed:
            self.folder.mkdir(parents=True, exist_ok=True)
            strangers = self.query("SELECT name FROM layers_layer WHERE name NOT LIKE %s", "bench\\_%")
            if strangers:
                raise SystemExit(
                    f"database {self.name} holds layers that are not the benchmark's: {strangers[:3]}"
                )
            self.drop_layers()
        else:
            self.create()
        self.shell("from demo.actions import settle_people; settle_people()")

    def leave(self):
        """End every process and remove what the benchmark made."""
        self.stop()
        if self.borrowed:
            self.drop_layers()
            self.query("DROP TABLE IF EXISTS public.bench_ogr2ogr")
            self.loader.close()
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.loader.close()
            self.drop()

    def drop_layers(self, *names):
        """Remove layers of the benchmark for good: those named, or all."""
        ours = self.query("SELECT name FROM layers_layer WHERE name LIKE %s", "bench\\_%")
        for name in names or [row[0] for row in ours]:
            self.loader.ask({"drop": name})

    @cached_property
    def loader(self):
        """The process that imports into the site."""
        return Helper("loader", env=self.env)

    def draw_overviews(self):
        """Bring the overviews of small zooms to the present."""
        subprocess.run(self.command("follow_tiles", "--once"), env=self.env, cwd=ROOT, check=True)

    def key(self, name):
        """A service key of the department that owns the layers."""
        return self.shell(
            "from accounts.actions import create_key, department_of\n"
            f"print(create_key(department_of('data'), {name!r}, None, 'bench')[1])"
        ).strip()

    def let_edit(self, layer):
        """Give the department that owns a layer the right to edit it: a key has what its department is granted."""
        self.shell(
            "from accounts.actions import department_of\nfrom layers.actions import give\n"
            "from layers.actions.grants import Grantee\nfrom layers.models import Layer\n"
            "give(Grantee(department=department_of('data')), ['view', 'query', 'edit'], by='bench',"
            f" layer=Layer.objects.get(name={layer!r}))"
        )

    def settle(self):
        """Bring the tables to rest before reading is measured: statistics, dead rows, the log."""
        connection = self.connect()
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        connection.close()

    @property
    def dsn(self) -> str:
        """libpq's connection string, also for the peers."""
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
        given = {"dbname": self.name, **{name: self.server[key] for name, key in names.items()}}
        return make_dsn(**{name: value for name, value in given.items() if value})

    def start_web(self):
        """granian as the platform starts it, one process per core."""
        granian = Path(self.command()[0]).with_name("granian")
        words = [str(granian), "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)]
        words += [
            "--workers",
            str(CORES),
            "--blocking-threads",
            "64",
            "--no-access-log",
            "config.wsgi:application",
        ]
        process = self._start(words, "web")
        wait_until(self.answers, 60)
        return process

    def columns(self, layer):
        """(column, field name) of a layer, in order."""
        return self.query(
            'SELECT field."column", field.name FROM layers_field AS field JOIN layers_layer AS layer'
            ' ON layer.id = field.layer_id WHERE layer.name = %s ORDER BY field."order"',
            layer,
        )

    def named_columns(self, layer):
        """The layer's columns under their fields' names, as SQL text."""
        connection = psycopg2.connect(self.dsn)
        listed = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(*map(sql.Identifier, one)) for one in self.columns(layer)
        )
        text = listed.as_string(connection)
        connection.close()
        return text

    def versions(self):
        """Versions of the database, PostGIS and its libraries."""
        text = "SELECT current_setting('server_version'), postgis_lib_version(), postgis_geos_version()"
        server, postgis, geos = self.query(text)[0]
        return {
            "postgresql": server,
            "postgis": f"{postgis} (GEOS {geos})",
            "cores": CORES,
            "day": time.strftime("%F"),
        }
