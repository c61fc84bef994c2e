"""The two apps' routers alone, under the site's own middleware."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path
from ninja import NinjaAPI

from accounts.views import router as accounts_router
from process.upload_views import router as uploads_router
from process.views import router as process_router

api = NinjaAPI(urls_namespace="accounts-and-process")
api.add_router("", accounts_router)
api.add_router("", process_router)
api.add_router("", uploads_router)


def plain(request: HttpRequest) -> HttpResponse:
    """A view that never asks who asks."""
    return HttpResponse("plain")


urlpatterns = [path("api/", api.urls), path("plain", plain), path("admin/", admin.site.urls)]
