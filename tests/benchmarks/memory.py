"""Rows import_memory_points and import_memory_polygons: does the process that imports grow with the file?

Most resident memory (VmHWM of proc(5)) of the child that does the job, of a large file against a smaller one of the
same kind. Runs where no worker does: then every import has a child of its own, and no peak is an earlier one's.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from tests.benchmarks import parcels
from tests.benchmarks.report import Row
from tests.conftest import ROOT, wait_until

LAYER = "bench_memory"
NAMES = ("import_memory_points", "import_memory_polygons")
POINTS, POLYGONS = (300_000, 1_500_000), (120_000, 480_000)
LEAST_RATIO = 0.869  # of small to large: the large one may need 1.15 times as much
MIB = 1024.0  # KiB
LONGEST_S = 3_600.0


@dataclass(frozen=True)
class MemoryRow(Row):
    """MiB instead of seconds: of the large file, and of the smaller one."""

    @property
    def target(self) -> float:
        """The least ratio of small to large."""
        return LEAST_RATIO

    def told(self, value: float) -> str:
        """With its unit."""
        return f"{value:.0f} MiB"


def measure(bed, folder: Path, points=POINTS, polygons=POLYGONS):
    """Both rows; the files are written on first use."""
    rows = []
    for name, write, counts in (
        (NAMES[0], street_furniture, points),
        (NAMES[1], parcels.geopackage, polygons),
    ):
        small, large = (peak_of_import(bed, write(folder, count)) for count in counts)
        rows.append(MemoryRow(name, "small-file", large, small))
    return rows


def street_furniture(folder: Path, count: int) -> Path:
    """Path of a GeoPackage of numbered points with three attributes; written on first use, a part at a time."""
    path = folder / f"points-{count}.gpkg"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{path.name}")
        unfinished.unlink(missing_ok=True)
        for number in np.array_split(np.arange(count), max(count // 100_000, 1)):
            columns = {
                "code": [f"P{one:07d}" for one in number],
                "kind": np.array(["路灯", "井盖", "行道树", "座椅"])[number % 4],
                "height_m": np.round(number % 97 / 10, 1),
            }
            shapes = shapely.points(parcels.WEST + number % 1500 * 5.0, parcels.SOUTH + number // 1500 * 5.0)
            frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=parcels.SRID)
            pyogrio.write_dataframe(frame, unfinished, layer="points", append=unfinished.exists())
        unfinished.replace(path)
    return path


def peak_of_import(bed, path: Path) -> float:
    """Most resident memory of the child that imports a file, MiB."""
    words = [sys.executable, "-m", "tests.benchmarks.one_import", str(path), LAYER, "create", "code"]
    done = subprocess.Popen(words, env=bed.env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    peak = 0.0

    def ended() -> bool:
        nonlocal peak
        peak = max([peak, *(peak_of(child) for child in children_of(done.pid))])
        return done.poll() is not None

    wait_until(ended, LONGEST_S, step=0.01)
    bed.drop_layers(LAYER)
    if done.returncode or not peak:
        raise RuntimeError(f"the import of {path.name} was not measured")
    return peak


def children_of(pid: int) -> list[int]:
    """Processes that a process started and that still run."""
    try:
        listed = [task.joinpath("children").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return []
    return [int(child) for line in listed for child in line.split()]


def peak_of(pid: int) -> float:
    """Most resident memory so far of a process and of those below it, MiB; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
    return max([int(found) / MIB, *(peak_of(child) for child in children_of(pid))])
