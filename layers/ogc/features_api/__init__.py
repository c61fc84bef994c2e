"""OGC API Features: parts 1 (core, GeoJSON, HTML) and 2 (coordinate reference systems)."""
