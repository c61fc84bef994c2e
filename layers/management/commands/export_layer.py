"""Write a layer to a file (contract.md, export_layer)."""

import getpass
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.exports import Clip, division_clip, export
from layers.ogc import axes
from layers.rights import operator_scope
from process import audit
from spatial.crs import crs_of, parse_crs
from spatial.errors import Kind, OnemapError


class BadAreaOption(OnemapError):
    """An area is not named as the command takes it."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-area"
    message: ClassVar = "--area takes division:CODE, and --cut needs --area"
    message_zh: ClassVar = "--area 的写法是 division:代码；--cut 须与 --area 同用"


class Command(JsonCommand):
    """`manage.py export_layer NAME PATH`: the driver by suffix."""

    help = "write a layer to a file: .gpkg .geojson .shp.zip .csv .xlsx .fgb .parquet .dxf"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("layer")
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--crs", help="EPSG:n; the storage coordinate system if not given (GeoJSON: CRS84)"
        )
        parser.add_argument("--encoding", default="utf-8", help="of a shapefile or CSV: utf-8 or gbk")

        parser.add_argument("--area", help="division:CODE; only what lies there")
        parser.add_argument("--cut", action="store_true", help="cut features at the edge of the area")

    def run(self, **options: Any) -> dict[str, Any]:
        path: Path = options["path"].resolve()
        fallback = crs_of(4326) if path.suffix == ".geojson" else crs_of(settings.ONEMAP_SRID)
        crs = parse_crs(options["crs"], axes.OUTPUT) if options["crs"] else fallback
        scope = operator_scope(options["layer"])
        clip = _clip(options["area"], cut=options["cut"])
        count = export(scope, path, crs=axes.file_crs(crs, path), encoding=options["encoding"], clip=clip)
        audit.record(
            f"cli:{getpass.getuser()}",
            "layer.export",
            "layer",
            scope.layer.name,
            features=count,
            file=path.name,
            area=options["area"],
        )
        return {"layer": scope.layer.name, "path": str(path), "features": count, "crs": crs.code}


def _clip(area: str | None, *, cut: bool) -> Clip | None:
    """The area of the options.

    Raises
    ------
    BadAreaOption, UnknownDivision
    """
    if area is None and not cut:
        return None
    if area is None or not area.startswith("division:"):
        raise BadAreaOption()
    return division_clip(area.removeprefix("division:"), cut=cut)
