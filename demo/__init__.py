"""The demonstration city: pure generators and one command to load it."""
