"""Write a layer to a file (contract.md, export_layer)."""

import getpass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.exports import export
from layers.ogc import axes
from layers.rights import operator_scope
from process import audit
from spatial.crs import crs_of, parse_crs


class Command(JsonCommand):
    """`manage.py export_layer NAME PATH`: the driver by suffix."""

    help = "write a layer to a file: .gpkg .geojson .shp.zip .csv .fgb .parquet"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("layer")
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--crs", help="EPSG:n; the storage coordinate system if not given (GeoJSON: CRS84)"
        )
        parser.add_argument("--encoding", default="utf-8", help="of a shapefile or CSV: utf-8 or gbk")

    def run(self, **options: Any) -> dict[str, Any]:
        path: Path = options["path"].resolve()
        fallback = crs_of(4326) if path.suffix == ".geojson" else crs_of(settings.ONEMAP_SRID)
        crs = parse_crs(options["crs"], axes.OUTPUT) if options["crs"] else fallback
        scope = operator_scope(options["layer"])
        count = export(scope, path, crs=axes.file_crs(crs, path), encoding=options["encoding"])
        audit.record(
            f"cli:{getpass.getuser()}",
            "layer.export",
            "layer",
            scope.layer.name,
            features=count,
            file=path.name,
        )
        return {"layer": scope.layer.name, "path": str(path), "features": count, "crs": crs.code}
