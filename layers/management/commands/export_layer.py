"""Write a layer to a file (contract.md, export_layer)."""

import getpass
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandParser

from accounts.commandline import JsonCommand
from layers.exchange.exports import Clip, division_clip, export
from layers.exchange.exports.areas import drawn_area
from layers.ogc import axes
from layers.rights import operator_scope
from process import audit
from spatial.crs import crs_of, parse_crs
from spatial.errors import Kind, OnemapError

MOST_TOLD = 200  # characters of an area that the audit keeps


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
        fallback = crs_of(4326) if path.suffix == ".geojson" else crs_of(settings.ONEMAP_SRID)
        crs = parse_crs(options["crs"], axes.OUTPUT) if options["crs"] else fallback
        scope = operator_scope(options["layer"])
        clip = _clip(options["area"], cut=options["cut"])
        target = axes.file_crs(crs, path)
        count = export(scope, path, crs=target, encoding=options["encoding"], clip=clip, told=self._told)
        audit.record(
            f"cli:{getpass.getuser()}",
            "layer.export",
            "layer",
            scope.layer.name,
            features=count,
            file=path.name,
            area=options["area"][:MOST_TOLD] if options["area"] else None,
        )
        return {"layer": scope.layer.name, "path": str(path), "features": count, "crs": crs.code}

    def _told(self, count: int) -> None:
        self.stderr.write(f"{count} features")


def _clip(area: str | None, *, cut: bool) -> Clip | None:
    """The area of the options.

    Raises
    ------
    BadAreaOption, BadArea, UnknownDivision
    """
    if area is None and not cut:
        return None
    if area is not None and area.startswith("division:"):
        return division_clip(area.removeprefix("division:"), cut=cut)
    return Clip(drawn_area(_document(area or "")), cut)


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
