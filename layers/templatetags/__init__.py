"""Filters of the pages about layers."""
