"""The programs that the benchmark compares with, as far as Debian and PyPI have them."""

from pathlib import Path

from deploy import packages, python_environment
from deploy.packages import Need
from deploy.places import Places

PROGRAMS = (
    Need(("cgi-mapserver",), lambda: Path("/usr/lib/cgi-bin/mapserv").exists()),
    Need(("spawn-fcgi",), lambda: Path("/usr/bin/spawn-fcgi").exists()),
    Need(("gdal-bin",), lambda: Path("/usr/bin/ogr2ogr").exists()),
    Need(("nginx-light",), lambda: Path("/usr/sbin/nginx").exists()),
)
# Apart from our own environment: a peer may need packages that must never come near the platform's.
TIPG = ("tipg==1.6.1", "uvicorn")


def install(places: Places) -> int:
    """Install the peers; repeatable."""
    packages.ensure(PROGRAMS)
    folder = python_environment.make_tool(places, "tipg", *TIPG)
    print(f"onemap: peers are installed (mapserver, ogr2ogr, nginx; tipg in {folder})", flush=True)
    return 0
