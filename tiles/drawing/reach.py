"""How far outside a picture features are asked for: their symbols and texts reach into it."""

BUFFER_PX = 128
