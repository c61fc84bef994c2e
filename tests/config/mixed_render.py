"""The mixed calls with Mapnik and rasterio among them, as a render process of its own."""

import json

import django

django.setup()

from tests.config import mixed_calls, mixed_raster  # noqa: E402
from tiles.render import mapnik  # noqa: E402


def by_mapnik(folder):
    moved = mapnik.ProjTransform(mapnik.Projection("epsg:4490"), mapnik.Projection("epsg:4547"))
    there = moved.forward(mapnik.Coord(*mixed_calls.DEGREES))
    mixed_calls.near((there.x, there.y))
    page = mapnik.Map(8, 8, "epsg:4547")
    page.zoom_to_box(mapnik.Box2d(*mixed_calls.METRES, mixed_calls.METRES[0] + 8, mixed_calls.METRES[1] + 8))
    page.background = mapnik.Color("#112233")
    image = mapnik.Image(8, 8)
    mapnik.render(page, image)
    assert image.get_pixel(4, 4) != 0


if __name__ == "__main__":
    print(json.dumps(mixed_calls.report(mixed_raster.by_rasterio, by_mapnik)))
