"""The tables of the one map, one file per noun."""

from layers.models.catalogue import CatalogueState, Field, Layer, Theme
from layers.models.changes import Change, ChangeCell, ChangeFeature, Correction, Lineage
from layers.models.changesets import Changeset, ChangesetFeature, ChangesetLayer, ChangesetStep
from layers.models.codes import CodeList, CodeMapping, CodeValue
from layers.models.deliveries import (
    Delivery,
    DeliveryFinding,
    DeliveryPart,
    DeliveryProfile,
    Pull,
    TrustedKey,
)
from layers.models.grants import Grant
from layers.models.overviews import Follower, Overview
from layers.models.quality import MetadataVersion, QualityFinding, QualityRun
from layers.models.rasters import RasterVersion
from layers.models.styles import LayerStyle

__all__ = [
    "CatalogueState",
    "Change",
    "ChangeCell",
    "ChangeFeature",
    "Changeset",
    "ChangesetFeature",
    "ChangesetLayer",
    "ChangesetStep",
    "CodeList",
    "CodeMapping",
    "CodeValue",
    "Correction",
    "Delivery",
    "DeliveryFinding",
    "DeliveryPart",
    "DeliveryProfile",
    "Field",
    "Follower",
    "Grant",
    "Layer",
    "LayerStyle",
    "Lineage",
    "MetadataVersion",
    "Overview",
    "Pull",
    "QualityFinding",
    "QualityRun",
    "RasterVersion",
    "Theme",
    "TrustedKey",
]
