"""Mapnik, for render processes: the only module that imports it.

Mapnik's package sets PROJ_LIB, GDAL_DATA and ICU_DATA to folders of its own for the whole process, in which
other libraries' PROJ finds no database: under threads most of their calls failed (docs/decisions/0001). The
environment is therefore put back as it was; Mapnik has found its own data by then. The web server and the
workers never import this module.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "ICU_DATA")


@contextmanager
def kept_environment(names: tuple[str, ...] = NAMES) -> Iterator[None]:
    """Whatever happens inside, these variables of the environment are afterwards what they were before."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


with kept_environment():
    import mapnik

__all__ = ["NAMES", "kept_environment", "mapnik"]
