"""Rasters: each delivery of a raster layer is a version, a Cloud Optimized GeoTIFF written by the platform."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from layers.models.catalogue import Layer


class RasterVersion(models.Model):
    """One version of a raster layer; the current one has no `rev_to`."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="raster_versions")
    rev_from = models.BigIntegerField()
    rev_to = models.BigIntegerField(null=True, blank=True)  # half open
    file = models.CharField(max_length=200)  # below the rasters' folder
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()  # bytes
    columns = models.IntegerField()
    rows = models.IntegerField()
    bands = models.SmallIntegerField()
    dtype = models.CharField(max_length=16)
    nodata = models.FloatField(null=True, blank=True)
    cell = models.FloatField()  # side of a cell, metres of the storage CRS
    extent = ArrayField(models.FloatField(), size=4)  # storage CRS: xmin, ymin, xmax, ymax
    statistics = models.JSONField(default=list)  # per band: minimum, maximum, mean, cells with a value

    class Meta:
        ordering = ("layer", "-rev_from")
        constraints = [models.UniqueConstraint(fields=("layer", "rev_from"), name="raster_version_once")]
