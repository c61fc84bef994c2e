"""Rasters on their way: received, judged by their header, rewritten as files of ours, published as versions."""

from layers.exchange.rasters.files import SUFFIXES, folder, sweep_rasters
from layers.exchange.rasters.preparing import PreparedRaster, inspect_raster, prepare_raster, target_of
from layers.exchange.rasters.publishing import RasterLost, publish_raster

__all__ = [
    "SUFFIXES",
    "PreparedRaster",
    "RasterLost",
    "folder",
    "inspect_raster",
    "prepare_raster",
    "publish_raster",
    "sweep_rasters",
    "target_of",
]
