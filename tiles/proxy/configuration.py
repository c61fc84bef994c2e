"""MapProxy's configuration out of the catalogue."""

import hashlib
import json
from pathlib import Path
from typing import Any

from django.conf import settings

from layers.catalogue import Catalogue, LayerInfo
from layers.ogc.axes import OUTPUT
from spatial.citygrid import TILE_PIXELS
from spatial.tilegrids import TileMatrixSet
from tiles.queries import grids

MAKER = 1  # raise it when the same style gives other pictures

FORMATS = {
    "image/png": {"format": "image/png", "mode": "RGBA", "transparent": True},
    "image/jpeg": {"format": "image/jpeg", "mode": "RGB", "encoding_options": {"jpeg_quality": 85}},
    "image/webp": {"format": "image/webp", "mode": "RGBA", "transparent": True},
}
META_TILES = (4, 4)
META_BUFFER_PX = 64


def configuration(known: Catalogue) -> dict[str, Any]:
    """The configuration of every layer that can be drawn: by WMS straight, by tiles through a cache."""
    layers = [layer for layer in known.layers.values() if not layer.is_table]
    return {
        "services": {
            "wms": {
                "versions": ["1.1.1"],
                "srs": [f"EPSG:{srid}" for srid in OUTPUT],
                "image_formats": list(FORMATS),
                "on_source_errors": "raise",
            },
            "wmts": {"restful": True, "kvp": False},
        },
        "layers": [_layer(layer) for layer in layers],
        "caches": {cache_of(layer): _cache(layer) for layer in layers},
        "sources": {source_of(layer.name): {"type": "onemap", "layer": layer.name} for layer in layers},
        "grids": {name: _grid(grid) for name, grid in grids().items()},
        "globals": {
            "image": {"formats": FORMATS, "paletted": False},
            "cache": {"base_dir": str(folder()), "lock_dir": str(folder() / "locks")},
        },
    }


def folder() -> Path:
    """Where tiles are kept."""
    found: Path = settings.ONEMAP_VAR / "tiles"
    return found


def source_of(layer: str) -> str:
    """The name of a layer's source."""
    return f"{layer}-drawn"


def cache_of(layer: LayerInfo) -> str:
    """The name of a layer's cache, which is its folder too: another style is another one."""
    told = json.dumps([MAKER, layer.style, layer.label_field], sort_keys=True).encode()
    return f"{layer.name}/{hashlib.sha256(told).hexdigest()[:12]}"


def _layer(layer: LayerInfo) -> dict[str, Any]:
    sources = {"sources": [source_of(layer.name)], "tile_sources": [cache_of(layer)]}
    return {"name": layer.name, "title": layer.name, **sources}


def _cache(layer: LayerInfo) -> dict[str, Any]:
    return {
        "grids": list(grids()),
        "sources": [source_of(layer.name)],
        "format": "image/png",
        "meta_size": list(META_TILES),
        "meta_buffer": META_BUFFER_PX,
        "cache": {"type": "file", "directory_layout": "tms", "use_grid_names": True},
    }


def _grid(grid: TileMatrixSet) -> dict[str, Any]:
    """MapProxy counts levels from nought, whatever the set's first one is called."""
    columns, rows = grid.matrix_size(grid.min_level)
    side = grid.resolution(grid.min_level) * TILE_PIXELS
    return {
        "srs": f"EPSG:{grid.srid}",
        "origin": "nw",
        "bbox": [grid.left, grid.top - rows * side, grid.left + columns * side, grid.top],
        "res": [grid.resolution(z) for z in grid.levels],
        "tile_size": [TILE_PIXELS, TILE_PIXELS],
    }
