import math

import pytest
from django.apps import apps
from django.core import checks as system
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import SystemCheckError

from accounts.commandline import JsonCommand
from config import checks, libraries

SAFE = checks.loaded()


def gauss_krueger(lon, lat, meridian=114.0, false_easting=500_000.0):
    """Easting and northing on the CGCS2000 ellipsoid by Krueger's series to the fourth order."""
    f = 1 / 298.257222101
    n = f / (2 - f)
    radius = 6_378_137.0 / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    alphas = (
        n / 2 - 2 / 3 * n**2 + 5 / 16 * n**3 + 41 / 180 * n**4,
        13 / 48 * n**2 - 3 / 5 * n**3 + 557 / 1440 * n**4,
        61 / 240 * n**3 - 103 / 140 * n**4,
        49561 / 161280 * n**4,
    )
    phi, lam = math.radians(lat), math.radians(lon - meridian)
    e = 2 * math.sqrt(n) / (1 + n)
    t = math.sinh(math.atanh(math.sin(phi)) - e * math.atanh(e * math.sin(phi)))
    xi, eta = math.atan2(t, math.cos(lam)), math.asinh(math.sin(lam) / math.hypot(t, math.cos(lam)))
    pairs = list(enumerate(alphas, 1))
    north = xi + sum(a * math.sin(2 * k * xi) * math.cosh(2 * k * eta) for k, a in pairs)
    east = eta + sum(a * math.cos(2 * k * xi) * math.sinh(2 * k * eta) for k, a in pairs)
    return false_easting + radius * east, radius * north


def test_the_known_point_is_where_the_projection_puts_it():
    assert gauss_krueger(*checks.DEGREES) == pytest.approx(checks.METRES, abs=0.006)


def test_this_process_has_the_wheels_libraries():
    assert SAFE.gdal_path == libraries.gdal_library()
    assert SAFE.geos_path == libraries.geos_library()
    assert checks.faults(SAFE) == checks.misplaced() == checks.check_libraries(None) == []
    assert libraries.version_of(SAFE.gdal_proj) >= (9,)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"gdal": "3.6.2"}, "3.9 or newer is needed"),
        ({"gdal": "3.8.5"}, "3.9 or newer is needed"),
        ({"gdal": ""}, "3.9 or newer is needed"),
        ({"gdal": "3.11.0"}, "pyogrio has"),
        ({"geos": "3.10.6-CAPI-1.16.4"}, "older than 3.11"),
        ({"geos": "3.12.1-CAPI-1.18.1"}, "shapely has"),
        ({"gdal_path": "/usr/lib/x86_64-linux-gnu/libgdal.so.32"}, "not pyogrio's own"),
        ({"gdal_path": "libgdal.so"}, "not pyogrio's own"),
        ({"geos_path": "/usr/lib/x86_64-linux-gnu/libgeos_c.so.1"}, "not shapely's own"),
    ],
)
def test_unsafe_libraries_are_refused(monkeypatch, found, reason):
    monkeypatch.setattr(checks, "loaded", lambda: SAFE._replace(**found))
    errors = checks.check_libraries(None)
    assert any(reason in error.msg for error in errors)
    assert {error.id for error in errors} == {"onemap.E001"}
    with pytest.raises(ImproperlyConfigured, match=reason):
        apps.get_app_config("config").refuse_unsafe()
    with pytest.raises(SystemCheckError, match=r"onemap\.E001"):
        JsonCommand().check(tags=JsonCommand.requires_system_checks)


def test_a_library_that_moves_points_elsewhere_is_refused(monkeypatch):
    monkeypatch.setattr(checks, "_moved_by_pyproj", lambda: (math.inf, math.inf))
    assert [error.id for error in checks.check_libraries(None)] == ["onemap.E002"]


def test_the_log_says_which_versions_are_in_use(caplog):
    with caplog.at_level("INFO", "onemap.libraries"):
        checks.require_safe_libraries()
    assert SAFE.gdal in caplog.text
    assert SAFE.geos in caplog.text


def test_the_checks_are_registered_for_every_command():
    registered = system.registry.registry.get_checks()
    assert {checks.check_libraries, checks.tell_libraries} <= set(registered)
    assert checks.check_libraries.tags == (checks.TAG,)


def test_the_command_tells_the_versions(site):
    code, told = site.manage("check_libraries")
    assert code == 0
    assert told["status"] == "done"
    assert (told["gdal"], told["geos"], told["faults"]) == (SAFE.gdal, SAFE.geos, [])
    assert '"onemap.libraries"' in (site.folder / "web.log").read_text()
    assert '"onemap.libraries"' in (site.folder / "worker.log").read_text()
