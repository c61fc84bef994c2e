"""MapProxy inside the platform: its configuration out of the catalogue, our source in it, and calls to it."""
