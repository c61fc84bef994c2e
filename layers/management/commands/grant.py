"""Give a right on a layer or a theme (contract.md, grant)."""

import getpass
import json
from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from accounts.commandline import JsonCommand
from layers.actions.grants import AREA_SRID, BadGrant, give, grantee
from layers.catalogue import LayerNotFound
from layers.models import Layer, Theme
from layers.queries import division_area
from spatial.strictjson import loads


class Command(JsonCommand):
    """`manage.py grant --layer NAME --to department:CODE --actions view,query`."""

    help = "give a right on a layer or a theme to a department, a role, a user or the public"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        on = parser.add_mutually_exclusive_group(required=True)
        on.add_argument("--layer")
        on.add_argument("--theme")
        parser.add_argument("--to", required=True, help="department:CODE, role:R, user:U or public")
        parser.add_argument("--actions", required=True, help="view,query,download,edit,publish,admin")
        parser.add_argument("--fields", help="a,b; all of them if not given")
        parser.add_argument("--area", help="GeoJSON (longitude, latitude), a file of it, or division:CODE")
        parser.add_argument("--until", help="the last day")

    def run(self, **options: Any) -> dict[str, Any]:
        layer = self._layer(options["layer"]) if options["layer"] else None
        theme = Theme.objects.filter(code=options["theme"]).first() if options["theme"] else None
        if options["theme"] and theme is None:
            raise BadGrant(reason=f"there is no theme {options['theme']}")
        area, label = self._area(options["area"]) if options["area"] else (None, "")
        grant = give(
            grantee(options["to"]),
            [one for one in options["actions"].split(",") if one],
            by=f"cli:{getpass.getuser()}",
            layer=layer,
            theme=theme,
            fields=[one for one in options["fields"].split(",") if one]
            if options["fields"] is not None
            else None,
            area=area,
            area_label=label,
            until=self._until(options["until"]) if options["until"] else None,
        )
        on = layer.name if layer else f"theme:{options['theme']}"
        return {
            "grant": grant.pk,
            "on": on,
            "to": options["to"],
            "actions": grant.actions,
            "fields": grant.fields,
            "area": label or None,
        }

    def _layer(self, name: str) -> Layer:
        layer = Layer.objects.filter(name=name, deleted_at=None).first()
        if layer is None:
            raise LayerNotFound(layer=name)
        return layer

    def _until(self, text: str) -> datetime:
        day = parse_date(text)
        if day is None:
            raise BadGrant(reason="--until is a date such as 2026-12-31")
        return timezone.make_aware(datetime.combine(day, time.max))

    def _area(self, text: str) -> tuple[MultiPolygon, str]:
        if text.startswith("division:"):
            found = division_area(text.removeprefix("division:"), AREA_SRID)
            if found is None:
                raise BadGrant(reason=f"there is no {text}")
            return self._multi(GEOSGeometry(memoryview(found), srid=AREA_SRID)), text
        body = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        document = loads(body)
        geometry = document.get("geometry", document) if isinstance(document, dict) else None
        # A `crs` member would go to GDAL as it stands (threats V2), and says nothing that is true here.
        if not isinstance(geometry, dict) or "crs" in geometry or "crs" in document:
            raise BadGrant(reason="--area is a GeoJSON polygon in longitude and latitude, without crs")
        try:
            shape = GEOSGeometry(json.dumps(geometry))
        except (ValueError, TypeError) as error:
            raise BadGrant(reason="--area is no GeoJSON polygon") from error
        shape = GEOSGeometry(shape.wkb, srid=AREA_SRID)
        return self._multi(shape), "drawn"

    def _multi(self, shape: GEOSGeometry) -> MultiPolygon:
        if shape.geom_type not in {"Polygon", "MultiPolygon"} or not shape.valid:
            raise BadGrant(reason="--area is a valid polygon in longitude and latitude")
        if isinstance(shape, MultiPolygon):
            return shape
        return MultiPolygon(shape, srid=AREA_SRID)
