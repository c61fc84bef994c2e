"""GDAL's driver for OGC API Features (`OAPIF:`): the wheel's GDAL, and Debian's where it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from tests.real_buildings import SEEN

HERE = Path(__file__).parent
CLIENTS = ["wheel"] + (["debian"] if shutil.which("ogr2ogr") else [])
# Eight decimals are written; the two transformations of a coordinate add less.
DEGREES = 2e-8


# The newer driver reads in the storage CRS unless told otherwise; the older one knows CRS84 alone.
LIKE_THE_FILE = {"wheel": {"CRS": "OGC:CRS84"}, "debian": {}}


def texts(column):
    """The values of a column, None where there is none."""
    return column.astype(object).where(column.notna(), None).tolist()


def read(client, site, layer, path, key=None, **options):
    """The collection as a frame, as that GDAL gives it."""
    given = [f"{name}={value}" for name, value in {"PAGE_SIZE": 10_000, **options}.items()]
    env = {**os.environ, "PYTHONPATH": ""}
    if client == "wheel":
        words = [sys.executable, str(HERE / "read_oapif.py"), f"{site.url}/ogc", layer, str(path), *given]
        env |= {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": key} if key else {}
    else:
        opened = [word for one in given for word in ("-oo", one)]
        words = ["ogr2ogr", "-f", "GPKG", str(path), f"OAPIF:{site.url}/ogc", layer, *opened]
        env |= {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {key}"} if key else {}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = gpd.read_file(path, fid_as_index=True).sort_index()
    # A file with one shape of several parts in it is written with all of them so; one part is one shape again.
    shapes = found.geometry.to_numpy()
    one = shapely.get_num_geometries(shapes) == 1
    return found.set_geometry(np.where(one, shapely.get_geometry(shapes, 0), shapes), crs=found.crs)


@pytest.mark.parametrize("client", CLIENTS)
def test_109609_buildings_are_those_of_the_file(client, site, buildings, tmp_path):
    found = read(client, site, buildings.name, tmp_path / "out.gpkg", buildings.key, **LIKE_THE_FILE[client])
    source = buildings.source
    assert len(found) == len(source) == 109_609
    for name in ("name", "height", "levels", "building", "src_tile"):
        assert texts(found[name]) == texts(source[name]), name
    equal = shapely.equals_exact(found.geometry.to_numpy(), source.geometry.to_numpy(), DEGREES)
    repaired = [one["row"] for one in buildings.report["findings"] if one["code"] == "repaired"]
    assert len(repaired) == 4
    assert set(np.flatnonzero(~equal) + 1) <= set(repaired)
    assert shapely.is_valid(found.geometry.to_numpy()).all()
    assert any("人民政府" in name for name in texts(found["name"]) if name)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_limited_key_sees_its_fields_alone(client, site, buildings, tmp_path):
    found = read(client, site, buildings.name, tmp_path / "out.gpkg", buildings.limited)
    assert set(found.columns) == {*SEEN, "geometry"}
    assert len(found) == 109_609


@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_key_there_is_no_such_collection(client, site, buildings, blocks, tmp_path):
    # `blocks` is public: a site that shows nothing at all is not even opened.
    with pytest.raises(AssertionError, match=buildings.name):
        read(client, site, buildings.name, tmp_path / "out.gpkg")


@pytest.mark.parametrize("client", CLIENTS)
def test_pages_follow_one_another(client, site, blocks, tmp_path):
    found = read(client, site, blocks.name, tmp_path / "out.gpkg", PAGE_SIZE=17, **LIKE_THE_FILE[client])
    assert found["名称"].tolist() == blocks.source["名称"].tolist()
    assert found["count"].tolist() == list(range(230))
    assert found["share"].tolist() == pytest.approx(blocks.source["share"].tolist(), rel=1e-12)
    assert shapely.equals_exact(found.geometry.to_numpy(), blocks.source.geometry.to_numpy(), DEGREES).all()


def test_unasked_it_reads_in_the_storage_crs(site, blocks, tmp_path):
    found = read("wheel", site, blocks.name, tmp_path / "out.gpkg")
    wanted = blocks.source.to_crs(4547)
    assert found.crs.to_epsg() == 4547
    assert shapely.equals_exact(found.geometry.to_numpy(), wanted.geometry.to_numpy(), 1e-3).all()


@pytest.mark.parametrize("code", [4547, 4490, 3857])
def test_each_coordinate_system_arrives_the_right_way_round(code, site, blocks, tmp_path):
    found = read("wheel", site, blocks.name, tmp_path / "out.gpkg", CRS=f"EPSG:{code}")
    assert found.crs.to_epsg() == code
    wanted = blocks.source.to_crs(code)
    near = 1e-3 if wanted.crs.is_projected else DEGREES
    assert shapely.equals_exact(found.geometry.to_numpy(), wanted.geometry.to_numpy(), near).all()
