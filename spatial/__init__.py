"""The coordinate systems, geometry, formats and measures of the platform.

Pure Python: no Django, no database.
"""
