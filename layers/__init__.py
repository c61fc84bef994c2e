"""The one map: catalogue, rights, features, two times, OGC."""
