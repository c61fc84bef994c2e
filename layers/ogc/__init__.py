"""The protocols of the OGC: nothing of rights or data is decided here."""
