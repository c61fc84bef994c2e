"""Write a layer to a file (contract.md, export_layer)."""

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.export_jobs import ExportRequest, export_now
from layers.exchange.exports import suffix_of
from layers.exchange.exports.areas import drawn_area
from layers.ogc import axes
from process.models import Job
from spatial.crs import crs_of, parse_crs
from spatial.errors import Kind, OnemapError


class BadAreaOption(OnemapError):
    """An area is not named as the command takes it."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-area"
    message: ClassVar = "--area takes division:CODE or a GeoJSON polygon, as text or file; --cut needs --area"
    message_zh: ClassVar = (
        "--area 的写法是 division:代码，或 GeoJSON 面（文本或文件）；--cut 须与 --area 同用"
    )


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
        parser.add_argument("--area", help="division:CODE, or GeoJSON in longitude and latitude; only that")
        parser.add_argument("--cut", action="store_true", help="cut features at the edge of the area")

    def run(self, **options: Any) -> dict[str, Any]:
        path: Path = options["path"].resolve()
        suffix = suffix_of(path.name)
        fallback = crs_of(4326 if suffix == ".geojson" else settings.ONEMAP_SRID)
        wanted = ExportRequest(
            layer=options["layer"],
            format=suffix,
            crs=parse_crs(options["crs"], axes.OUTPUT).code if options["crs"] else fallback.code,
            encoding=options["encoding"],
            area=_area(options["area"], cut=options["cut"]),
            cut=options["cut"],
        )
        return export_now(wanted, path, f"cli:{getpass.getuser()}", self._tell)

    def _tell(self, job: Job) -> None:
        self.stderr.write(f"{job.progress:6.1%} {job.step}")


def _area(area: str | None, *, cut: bool) -> str | None:
    """The area as a request keeps it.

    Raises
    ------
    BadAreaOption, BadArea
    """
    if area is None and not cut:
        return None
    if area is not None and area.startswith("division:"):
        return area
    return drawn_area(_document(area or "")).hex()


def _document(area: str) -> Mapping[str, Any]:
    """The polygon of a GeoJSON text or file: a geometry, or a feature's.

    Raises
    ------
    BadAreaOption
    """
    try:
        text = area if area.lstrip().startswith("{") else Path(area).read_text(encoding="utf-8")
        found = json.loads(text)
        return dict(found.get("geometry") or found)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        raise BadAreaOption() from None
