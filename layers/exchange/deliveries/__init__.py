"""Deliveries: many layers, tables and rasters that are taken or refused as one."""
