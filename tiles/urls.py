"""Addresses of tiles."""

from django.urls import path

from tiles import rasters, views
from tiles.wms.views import wms

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
services = [path("services/wms", wms)]
