"""Commands of the one map."""
