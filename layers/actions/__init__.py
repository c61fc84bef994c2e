"""The only code that writes features, and the verbs of the catalogue."""

from layers.actions.edit import FeatureEdit, edit_features
from layers.actions.errors import (
    BadEdit,
    EditConflict,
    FeatureMissing,
    LayerBusy,
    OutsideArea,
    TooManyEdits,
    VersionRequired,
    WholeLayerOnly,
)
from layers.actions.grants import give, take_back
from layers.actions.past import restore_feature, undo_change
from layers.actions.shelf import delete_layer, purge_deleted, restore_layer

__all__ = [
    "BadEdit",
    "EditConflict",
    "FeatureEdit",
    "FeatureMissing",
    "LayerBusy",
    "OutsideArea",
    "TooManyEdits",
    "VersionRequired",
    "WholeLayerOnly",
    "delete_layer",
    "edit_features",
    "give",
    "purge_deleted",
    "restore_feature",
    "restore_layer",
    "take_back",
    "undo_change",
]
