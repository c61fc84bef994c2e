"""Addresses of the site (contract.md, URLs)."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from config import pages
from config.api import api
from layers.urls import catalogue, ogc
from tiles import urls as tiles

# These only read. Another method is refused as such (405), not for want of a page's token.
for one in (*ogc, *catalogue, *tiles.ogc, *tiles.tiles, *tiles.services):
    one.callback = csrf_exempt(one.callback)

urlpatterns = [
    path("", pages.map_page),
    path("data/", pages.data_page),
    path("healthz", pages.healthz),
    path("api/", api.urls),
    path("ogc", include(ogc[:1])),
    path("ogc/", include([*ogc, *tiles.ogc])),
    path("catalogue/", include(catalogue)),
    path("admin/", admin.site.urls),
    *tiles.tiles,
    *tiles.services,
]
handler400 = "config.errors.bad_request"
handler403 = "config.errors.no_permission"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
