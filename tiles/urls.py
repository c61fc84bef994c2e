"""Addresses of tiles."""

from django.urls import path

from tiles import rasters, views
from tiles.wms.views import wms
from tiles.wmts import views as wmts

tiles = [
    path("tiles/<str:name>/<str:grid>/<str:z>/<str:x>/<str:y>.mvt", views.tile),
    path("tiles/<str:name>/<str:grid>/<str:z>/<str:x>/<str:y>.<str:suffix>", rasters.tile),
]
ogc = [
    path("tileMatrixSets", views.tile_matrix_sets),
    path("tileMatrixSets/<str:grid>", views.tile_matrix_set),
    path("collections/<str:name>/tiles", views.tilesets),
    path("collections/<str:name>/tiles/<str:grid>", views.tileset),
    path("collections/<str:name>/tiles/<str:grid>/<str:z>/<str:y>/<str:x>", views.tile),
]
services = [
    path("services/wms", wms),
    path("services/wmts", wmts.wmts),
    path("services/wmts/1.0.0/WMTSCapabilities.xml", wmts.capabilities),
    path(
        "services/wmts/rest/<str:layer>/<str:style>/<str:grid>/<str:z>/<str:row>/<str:column>.<str:suffix>",
        wmts.by_address,
    ),
]
