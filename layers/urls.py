"""Addresses of the one map's features and catalogue."""

from django.urls import path

from layers import catalogue_pages
from layers.ogc.features_api import transactions, views

ogc = [
    path("", views.landing),
    path("conformance", views.conformance),
    path("api", views.api),
    path("collections", views.collections),
    path("collections/<str:name>", views.collection),
    path("collections/<str:name>/items", transactions.Items.as_view()),
    path("collections/<str:name>/items/<str:fid>", transactions.Item.as_view()),
    path("collections/<str:name>/schema", views.schema, {"kind": "schema"}),
    path("collections/<str:name>/queryables", views.schema, {"kind": "queryables"}),
    path("collections/<str:name>/sortables", views.schema, {"kind": "sortables"}),
    path("collections/<str:name>/changes", views.collection_changes),
]
catalogue = [
    path("", catalogue_pages.index),
    path("<str:name>/", catalogue_pages.detail),
    path("<str:name>/download<str:suffix>", catalogue_pages.download),
]
