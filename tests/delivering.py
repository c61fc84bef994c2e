"""A small delivery as surveyors hand one over: shapefiles in GBK, a workbook, a raster; and its profile."""

from datetime import timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from django.utils import timezone
from rasterio.transform import from_origin

from layers.exchange.deliveries import flow
from layers.models import Delivery
from process import execution
from process.models import Job

EAST, NORTH, SIDE, ACROSS = 505_000.0, 2_494_000.0, 100.0, 4
ZONE = np.array([38_000_000.0, 0.0])
CODES = {"0701": "城镇住宅用地", "1401": "公园绿地"}


def land() -> gpd.GeoDataFrame:
    """Sixteen squares that fill the district."""
    cells = [(n % ACROSS, n // ACROSS) for n in range(ACROSS**2)]
    shapes = [
        shapely.box(EAST + x * SIDE, NORTH + y * SIDE, EAST + (x + 1) * SIDE, NORTH + (y + 1) * SIDE)
        for x, y in cells
    ]
    code = ["1401" if n % 5 == 0 else "0701" for n in range(len(cells))]
    return gpd.GeoDataFrame(
        {
            "BSM": [f"4403040000000000{n:02d}" for n in range(len(cells))],
            "DLBM": code,
            "DLMC": [CODES[one] for one in code],
            "MJ": [SIDE**2] * len(cells),
        },
        geometry=shapes,
        crs=4547,
    )


def district() -> gpd.GeoDataFrame:
    """The district around them."""
    side = SIDE * ACROSS
    return gpd.GeoDataFrame(
        {"XZQDM": ["440304"], "XZQMC": ["福田区"]},
        geometry=[shapely.box(EAST, NORTH, EAST + side, NORTH + side)],
        crs=4547,
    )


def people(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """People by land parcel."""
    return pd.DataFrame({"BSM": frame["BSM"].tolist(), "RKS": [100 + n for n in range(len(frame))]})


def write(folder: Path, frame: gpd.GeoDataFrame, table: pd.DataFrame | None = None) -> Path:
    """Write the folder: DLTB and XZQ in zone 38, RK.xlsx, DEM.tif; nothing says encoding or system."""
    folder.mkdir(parents=True)
    for name, one in (("DLTB", frame), ("XZQ", district())):
        moved = gpd.GeoDataFrame(
            one.drop(columns="geometry"),
            geometry=shapely.transform(one.geometry.array, lambda xy: xy + ZONE),
            crs=4526,
        )
        moved.to_file(folder / f"{name}.shp", encoding="GBK")
        for suffix in (".prj", ".cpg"):
            (folder / f"{name}{suffix}").unlink(missing_ok=True)
    (people(frame) if table is None else table).to_excel(folder / "RK.xlsx", index=False)
    heights = np.arange(400, dtype="float32").reshape(20, 20)
    with rasterio.open(
        folder / "DEM.tif", "w", driver="GTiff", width=20, height=20, count=1, dtype="float32",
        crs="EPSG:4547", transform=from_origin(EAST, NORTH + 400, 20, 20), nodata=-9999.0,
    ) as file:  # fmt: skip
        file.write(heights, 1)
    return folder


def document(prefix: str = "dv") -> dict:
    """The profile of such a delivery."""
    return {
        "version": 1,
        "title_zh": "年度调查",
        "department": "data",
        "mode": "replace",
        "parts": [
            {"source": "XZQ", "kind": "layer", "layer": f"{prefix}_xzq", "key": "XZQDM", "theme": "status"},
            {
                "source": "DLTB",
                "kind": "layer",
                "layer": f"{prefix}_dltb",
                "title_zh": "地类图斑",
                "theme": "status",
                "key": "BSM",
                "fields": {"DLBM": {"code_list": "landuse-sd@2023"}},
                "checks": {
                    "unique": ["BSM"],
                    "partition": {"within": "part:XZQ", "tolerance_m": 0.01},
                    "area": {"field": "MJ", "method": "plane", "absolute_m2": 1.0, "relative": 0.001},
                    "sums": [{"field": "MJ", "total": SIDE**2 * ACROSS**2, "tolerance": 1.0}],
                    "name_of": [{"code": "DLBM", "name": "DLMC"}],
                },
            },
            {
                "source": "RK",
                "kind": "table",
                "layer": f"{prefix}_rk",
                "theme": "management",
                "key": "BSM",
                "joins": f"{prefix}_dltb",
                "join_field": "BSM",
                "checks": {"matches": {"part": "part:DLTB", "field": "BSM", "other_field": "BSM"}},
            },
            {"source": "DEM", "kind": "raster", "layer": f"{prefix}_dem", "theme": "base"},
        ],
    }


ANSWERS = {"source_crs": "EPSG:4526", "encoding": "gbk"}


def work(delivery: Delivery) -> Delivery:
    """Do the delivery's jobs as the worker would, but here, until none is left."""
    done: set[int] = set()
    delivery.refresh_from_db()
    while delivery.job is not None and delivery.job not in done:
        done.add(delivery.job)
        # Inside a test's transaction the database's clock stands still, so the job must be due before it began.
        Job.objects.filter(pk=delivery.job).update(not_before=timezone.now() - timedelta(days=1))
        execution.run_next(delivery.job)
        delivery.refresh_from_db()
    return delivery


def send(folder: Path, told: dict | None = None, **answers) -> Delivery:
    """Send a folder and let it be checked."""
    delivery = flow.start_delivery(
        folder, told or document(), name=folder.name, department="data", actor="user:lin", answers=answers
    )
    return work(delivery)
