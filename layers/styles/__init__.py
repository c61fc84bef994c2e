"""How layers look: the style model, as data. What draws (tiles, client, legend, exports) reads the same rules."""
