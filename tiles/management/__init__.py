"""Commands of tiles."""
