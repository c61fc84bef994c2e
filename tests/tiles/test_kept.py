"""Kept tiles: never older than the layer, never touched without need, never damaged, on a running site."""

import io
import os
import signal
import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from tests.conftest import wait_until
from tests.tiles.conftest import GRIDS, imported, tile_at
from tiles import kept

LEVEL = 11
GRID = GRIDS["CityGrid"]


def corner_in(x, y):
    """A place from which 100 m fit into its tile."""
    box = GRID.bounds(LEVEL, *tile_at(GRID, LEVEL, x, y))
    return box.xmin + 20, box.ymin + 20


HERE, FAR = corner_in(506_000.0, 2_500_000.0), corner_in(506_000.0, 2_512_000.0)


@pytest.fixture(scope="module")
def plots(site, tmp_path_factory):
    """Two squares of 100 m, 12 km apart, that one key may edit; fid 1 and 2."""
    shapes = [shapely.box(x, y, x + 100, y + 100) for x, y in (HERE, FAR)]
    frame = gpd.GeoDataFrame({"name": ["此处", "远处"]}, geometry=shapes, crs=4547)
    made = imported(site, tmp_path_factory.mktemp("kept") / "plots.gpkg", "kept_plots", frame)
    code, told = site.manage("service_key", "create", "--department", "data", "--name", "editor of plots")
    assert code == 0, told
    given = ("--layer", made.name, "--to", "department:data", "--actions", "view,query,edit")
    assert site.manage("grant", *given)[0] == 0
    made.key = told["key"]
    return made


def path_of(place):
    x, y = tile_at(GRID, LEVEL, place[0] + 50, place[1] + 50)
    return f"/tiles/kept_plots/CityGrid/{LEVEL}/{x}/{y}.png", x, y


def got(site, place):
    status, headers, body = site.get(path_of(place)[0])
    assert (status, headers["Content-Type"]) == (200, "image/png"), body[:300]
    return body


def painted(body):
    return int((np.asarray(Image.open(io.BytesIO(body)))[..., 3] > 0).sum())


def file_of(site, place):
    _, x, y = path_of(place)
    (found,) = (site.folder / "tiles" / "kept_plots").glob(f"*/CityGrid/{LEVEL}/{x}/{y}.png")
    return found


def resized(site, plots, side):
    """The square here gets another size."""
    version = site.json("/ogc/collections/kept_plots/items/1", plots.key)["properties"]
    status, headers, _ = site.get("/ogc/collections/kept_plots/items/1", plots.key)
    assert status == 200, version
    x, y = HERE
    ring = [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]
    answer = site.get(
        "/api/layers/kept_plots/features/1",
        plots.key,
        method="PATCH",
        headers={"If-Match": headers["ETag"], "Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4547>"},
        body={"reason": "重测", "geometry": {"type": "Polygon", "coordinates": [[p[::-1] for p in ring]]}},
    )
    assert answer[0] == 200, answer[2][:300]


def test_an_edit_is_on_the_tile_at_once_and_what_it_did_not_touch_stays(site, plots):
    before, _ = got(site, HERE), got(site, FAR)
    kept = file_of(site, FAR).stat().st_ino
    resized(site, plots, 60)

    assert painted(got(site, HERE)) < painted(before) * 0.5
    got(site, FAR)
    assert file_of(site, FAR).stat().st_ino == kept


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n and then nothing", b"<html>"])
def test_a_damaged_file_is_drawn_again(site, plots, damage):
    whole = got(site, HERE)
    file_of(site, HERE).write_bytes(damage)

    assert got(site, HERE) == whole
    assert file_of(site, HERE).read_bytes() == whole


def test_a_tile_the_browser_has_is_not_sent_again(site, plots):
    path, _, _ = path_of(HERE)
    _, headers, _ = site.get(path)

    assert site.get(path, headers={"If-None-Match": headers["ETag"]})[0] == 304


def renderers(site):
    """The render processes of a site."""

    def ours(process):
        try:
            command, told = (Path("/proc", process, name).read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            return False
        return b"tiles.drawing.child" in command and f"PGDATABASE={site.name}".encode() in told.split(b"\0")

    return [int(one) for one in os.listdir("/proc") if one.isdigit() and ours(one)]


class Asked(threading.Thread):
    """A request under way."""

    def __init__(self, site, path):
        super().__init__()
        self.site, self.path, self.answer = site, path, None
        self.start()

    def run(self):
        self.answer = self.site.get(self.path)


def stopped(site, place):
    """A request for a tile that is not there, whose render process stands still, and that process."""
    got(site, place)
    file_of(site, place).unlink()
    running = renderers(site)
    for one in running:
        os.kill(one, signal.SIGSTOP)
    asked = Asked(site, path_of(place)[0])
    note = next(
        (site.folder / "tiles" / "kept_plots").glob(f"*/CityGrid/notes/{LEVEL}/{note_name(place)}"), None
    )
    wait_until(lambda: note is None or not note.exists())
    return asked, running


def note_name(place):
    _, x, y = path_of(place)
    return f"{x - x % 4}_{y - y % 4}.json"


def test_a_change_while_a_tile_is_drawn_is_on_the_next_one(site, plots):
    resized(site, plots, 100)
    asked, running = stopped(site, HERE)
    resized(site, plots, 50)
    for one in running:
        os.kill(one, signal.SIGCONT)
    asked.join()

    assert asked.answer[0] == 200
    large, small = 100**2, 50**2
    assert painted(got(site, HERE)) < (large + small) / 2 / GRID.resolution(LEVEL) ** 2


def test_a_render_process_that_dies_is_one_refusal_and_no_kept_tile(site, plots):
    asked, running = stopped(site, FAR)
    for one in running:
        os.kill(one, signal.SIGKILL)
    asked.join()

    status, headers, body = asked.answer
    assert (status, b"not-drawn" in body, headers["Cache-Control"]) == (503, True, "no-store")
    assert painted(got(site, FAR)) > 0


def test_a_disk_that_cannot_be_written_still_serves_and_keeps_nothing(site, plots):
    whole = got(site, FAR)
    file, locks = file_of(site, FAR), site.folder / "tiles" / "locks"
    file.unlink()
    away = locks.rename(locks.with_name("locks-away"))
    locks.write_bytes(b"")  # a file where a folder is wanted
    try:
        assert painted(got(site, FAR)) == painted(whole)
        assert not file.exists()
    finally:
        locks.unlink()
        away.rename(locks)
    assert got(site, FAR) == whole


def test_the_databases_share_of_the_disk_is_not_filled_with_pictures(settings, tmp_path):
    settings.ONEMAP_VAR, settings.ONEMAP_DISK_RESERVE = tmp_path, 1.0
    assert not kept.has_room()
    settings.ONEMAP_DISK_RESERVE = 0.0
    assert kept.has_room()


def written_by(site):
    """Bytes that the render processes wrote so far."""
    told = [Path("/proc", str(one), "io").read_text() for one in renderers(site)]
    return sum(int(text.split("wchar:")[1].split()[0]) for text in told)


def test_many_who_ask_for_a_cold_tile_have_it_drawn_once(site, plots):
    def cold(times):
        file_of(site, FAR).unlink()
        before = written_by(site)
        answers = [Asked(site, path_of(FAR)[0]) for _ in range(times)]
        for one in answers:
            one.join()
        assert {one.answer[0] for one in answers} == {200}
        return written_by(site) - before

    got(site, FAR)
    assert cold(10) == cold(1)
