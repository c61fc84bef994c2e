"""Pictures of layers: tiles."""
