"""Peers that no package of Debian or PyPI has: found on PATH, told of the one table, given every core, no cache.

Sources: the configuration chapters of pg_tileserv's, pg_featureserv's and Martin's documentation.
"""

import json
import shutil
from urllib.parse import urlencode

from tests.benchmarks.bed import CORES
from tests.benchmarks.measure import CLIENTS
from tests.benchmarks.parcels import SRID
from tests.benchmarks.peers import Missing, Peer, first_line

MOST = 1_000_000  # features a tile: none is left out
TYPES = {"integer": "int8", "real": "float8", "date": "date", "text": "text"}


class OnPath(Peer):
    """A program looked up by its name."""

    suffix = "toml"

    def __init__(self, bed, layer, _extent):
        program = shutil.which(self.name)
        if program is None:
            raise Missing("not on this machine")
        super().__init__(bed)
        self.layer, self.program, self.version = layer, program, first_line(program, "--version")
        config = self.folder / f"{self.name}.{self.suffix}"
        config.write_text(self.config(), encoding="utf-8")
        self.start([program, "--config", str(config), *self.words()], {"DATABASE_URL": self.database()})
        self.come_up(self.first())

    def words(self):
        """Further arguments."""
        return []


class PgTileserv(OnPath):
    """pg_tileserv; Go takes all cores by itself."""

    name = "pg_tileserv"

    def config(self):
        return (
            f'HttpHost = "127.0.0.1"\nHttpPort = {self.port}\nDefaultResolution = 4096\nDefaultBuffer = 64\n'
            f"MaxFeaturesPerTile = {MOST}\nDbPoolMaxConns = {CLIENTS}\nCacheTTL = 0\n"
        )

    def first(self):
        return f"/data.{self.layer}.json"

    def tile(self, z, x, y):
        return f"/data.{self.layer}/{z}/{x}/{y}.pbf"


class PgFeatureserv(OnPath):
    """pg_featureserv; filters in CQL."""

    name = "pg_featureserv"

    def config(self):
        return (
            f'[Server]\nHttpHost = "127.0.0.1"\nHttpPort = {self.port}\n[Paging]\nLimitMax = 10000\n'
            f'[Database]\nTableIncludes = ["data.{self.layer}"]\nDbPoolMaxConns = {CLIENTS}\n'
        )

    def first(self):
        return f"/collections/data.{self.layer}.json"

    def items(self, box):
        listed = ",".join(str(value) for value in box)
        return f"/collections/data.{self.layer}/items.json?limit=10000&bbox={listed}"

    def filtered(self, asked):
        """Path of a question: `filter`, `limit`, `bbox`, `sortby`, `offset`."""
        return f"/collections/data.{self.layer}/items.json?{urlencode(asked)}"


class Martin(OnPath):
    """Martin, without its cache of tiles."""

    name, suffix = "martin", "yaml"

    def config(self):
        kinds = dict(
            self.bed.query(
                'SELECT field."column", field.type FROM layers_field AS field JOIN layers_layer AS layer'
                " ON layer.id = field.layer_id WHERE layer.name = %s",
                self.layer,
            )
        )
        table = {
            **{"schema": "data", "table": self.layer, "srid": SRID, "geometry_column": "geom"},
            **{"geometry_type": "GEOMETRY", "id_column": "fid", "extent": 4096, "buffer": 64},
            "clip_geom": True,
            "properties": {column: TYPES[kind] for column, kind in kinds.items()},
        }
        # JSON is YAML.
        return json.dumps(
            {
                "postgres": {
                    "connection_string": self.database(),
                    "pool_size": CLIENTS,
                    "tables": {"it": table},
                }
            }
        )

    def words(self):
        return ["--listen-addresses", f"127.0.0.1:{self.port}", "--workers", str(CORES), "--cache-size", "0"]

    def first(self):
        return "/it"

    def tile(self, z, x, y):
        return f"/it/{z}/{x}/{y}"
