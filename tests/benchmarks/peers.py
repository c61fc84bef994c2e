"""Starting the peers (docs of each: MapServer FastCGI, tipg, ogr2ogr) on the table that we serve."""

import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2 import sql

from tests.benchmarks.bed import CORES
from tests.benchmarks.parcels import SIDE_M, SOUTH, WEST
from tests.conftest import ROOT, free_port, wait_until

MAPSERV = Path("/usr/lib/cgi-bin/mapserv")
NGINX = Path("/usr/sbin/nginx")
TIPG = ROOT / "var" / "tools" / "tipg"
TEMPLATES = Path(__file__).parent / "templates"


class Missing(Exception):
    """A peer is not on this machine."""


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip().splitlines()[0]


class Peer:
    """A server beside ours: processes, a port, a version."""

    name = ""

    def __init__(self, bed):
        self.bed, self.folder, self.port = bed, bed.folder / self.name, free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.processes = []

    def start(self, words, env=None, **more):
        log = (self.folder / "log").open("ab")
        process = subprocess.Popen(
            words, env={**os.environ, **(env or {})}, stdout=log, stderr=log, start_new_session=True, **more
        )
        self.processes.append(process)

    def come_up(self, path, seconds=60):
        """Wait until it answers; a peer that does not is missing, and says where it wrote why.

        Raises
        ------
        Missing
        """
        try:
            wait_until(lambda: self.answers(path), seconds)
        except AssertionError:
            self.stop()
            told = (self.folder / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise Missing(f"does not answer: {told[-1] if told else 'no word'}") from None

    def database(self):
        """The database's address with the socket's folder as host, as a URL."""
        s = {name: quote(value, safe="") for name, value in self.bed.server.items()}
        secret = f":{s['PASSWORD']}" if s["PASSWORD"] else ""
        return (
            f"postgresql://{s['USER']}{secret}@{s['HOST'] or 'localhost'}:{s['PORT'] or 5432}/{self.bed.name}"
        )

    def answers(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status == 200
        except OSError:
            return False

    def features(self, path):
        """How many features a path answers; None where it answers none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=120) as answer:
                return len(json.load(answer)["features"])
        except (OSError, ValueError, KeyError):
            return None

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


class MapServer(Peer):
    """MapServer, one FastCGI process per core behind nginx."""

    name = "mapserver"

    def __init__(self, bed, layer, extent):
        for program in (MAPSERV, NGINX, Path("/usr/bin/spawn-fcgi")):
            if not program.exists():
                raise Missing(f"{program.name} is not installed")
        super().__init__(bed)
        self.version = re.search(r"version ([0-9.]+)", first_line(str(MAPSERV), "-v")).group(1)
        columns, rows = extent
        east, north = WEST + SIDE_M * columns, SOUTH + SIDE_M * rows
        self._write(layer, (WEST, SOUTH, east, north))
        config = {"MAPSERVER_CONFIG_FILE": str(self.folder / "mapserver.conf")}
        for number in range(CORES):
            socket = str(self.folder / f"{number}.socket")
            self.start(["/usr/bin/spawn-fcgi", "-n", "-M", "0666", "-s", socket, "--", str(MAPSERV)], config)
        self.start([str(NGINX), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")])
        self.come_up("/?map=CITY&SERVICE=WFS&VERSION=2.0.0&REQUEST=GetCapabilities")

    def _write(self, layer, box):
        facts = {
            "folder": str(self.folder),
            "port": str(self.port),
            "user": f"user {pwd.getpwuid(os.geteuid()).pw_name};" if os.geteuid() == 0 else "",
            "sockets": " ".join(f"server unix:{self.folder}/{number}.socket;" for number in range(CORES)),
            "connection": self.bed.dsn,
            "data": f"geom from (select fid, geom, {self.bed.named_columns(layer)} from data.{layer}) as t"
            " using unique fid using srid=4547",
            "extent": " ".join(str(value) for value in box),
        }
        for name in ("mapserver.conf", "city.map", "nginx.conf"):
            text = (TEMPLATES / name).read_text(encoding="utf-8")
            for fact, value in facts.items():
                text = text.replace(f"@{fact}@", value if name == "nginx.conf" else value.replace('"', '\\"'))
            (self.folder / name).write_text(text, encoding="utf-8")

    def items(self, box):
        """Path of 10,000 parcels as GeoJSON in longitude and latitude (EPSG:4326: it knows no CRS84)."""
        west, south, east, north = box
        return (
            "/?map=CITY&SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES=parcels&OUTPUTFORMAT=geojson"
            f"&SRSNAME=EPSG:4326&COUNT=10000&BBOX={south},{west},{north},{east},urn:ogc:def:crs:EPSG::4326"
        )


class Tipg(Peer):
    """tipg under uvicorn, one process per core, without its compression (nobody asks for it) or any cache."""

    name = "tipg"

    def __init__(self, bed, layer, _extent):
        uvicorn = TIPG / "bin" / "uvicorn"
        if not uvicorn.exists():
            raise Missing("tipg is not installed (`make bench-peers`)")
        super().__init__(bed)
        self.layer = layer
        self.version = first_line(str(TIPG / "bin" / "python"), "-c", "import tipg; print(tipg.__version__)")
        columns = ",".join(f'"{column}"' for column, _ in bed.columns(layer))
        env = {
            "DATABASE_URL": self.database(),
            "TIPG_DB_SCHEMAS": '["data"]',
            "TIPG_DB_TABLES": f'["data.{layer}"]',
            "TIPG_TABLE_CONFIG": f'{{"data_{layer}": {{"pk": "fid", "properties": [{columns}]}}}}',
            "TIPG_TILE_BUFFER": "64",  # ours; its own default of 256 makes it slower
        }
        words = [str(uvicorn), "tipg.main:app", "--workers", str(CORES), "--host", "127.0.0.1"]
        self.start([*words, "--port", str(self.port), "--log-level", "error"], env, cwd=self.folder)
        self.come_up(f"/collections/data.{layer}")

    def items(self, box):
        listed = ",".join(str(value) for value in box)
        return f"/collections/data.{self.layer}/items?f=geojson&limit=10000&bbox={listed}"

    def tile(self, z, x, y):
        return f"/collections/data.{self.layer}/tiles/WebMercatorQuad/{z}/{x}/{y}"

    def filtered(self, asked):
        """Path of a question: `filter`, `limit`, `bbox`, `sortby`, `offset`."""
        return f"/collections/data.{self.layer}/items?{urlencode({'f': 'geojson', **asked})}"


class Ogr2ogr:
    """GDAL's own loader."""

    name, table = "ogr2ogr", "bench_ogr2ogr"

    def __init__(self, bed):
        if shutil.which("ogr2ogr") is None:
            raise Missing("ogr2ogr is not installed")
        self.bed = bed
        self.version = first_line("ogr2ogr", "--version")

    def load(self, path, *words):
        """Run it, away from what our own libraries of the same kind read from the environment."""
        theirs = {"GDAL_DATA", "PROJ_LIB", "PROJ_DATA"}
        clean = {name: value for name, value in os.environ.items() if name not in theirs}
        subprocess.run(
            [
                "ogr2ogr",
                "-f",
                "PostgreSQL",
                f"PG:{self.bed.dsn}",
                str(path),
                "-nln",
                f"public.{self.table}",
                *words,
            ],
            env={**clean, "PG_USE_COPY": "YES"},
            check=True,
        )

    def index(self, names):
        """The indexes that make columns sortable."""
        with closing(psycopg2.connect(self.bed.dsn)) as connection, connection, connection.cursor() as cursor:
            for name in names:
                cursor.execute(
                    sql.SQL("CREATE INDEX ON {} ({}, fid)").format(
                        sql.Identifier("public", self.table), sql.Identifier(name)
                    )
                )

    def create(self, path):
        self.load(path, "-overwrite", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST")

    def append(self, path):
        self.load(path, "-append")
