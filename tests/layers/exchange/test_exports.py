"""Every format that is written: what comes back is what was there, but for the limits each format states."""

import csv
import io
import sqlite3
import tempfile
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import ezdxf
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from layers.exchange import exports
from layers.exchange.exports import Clip, export, spreadsheets
from layers.exchange.exports.refusals import (
    NoGeometryToWrite,
    TooLongForCell,
    TooManyRows,
    UnknownEncoding,
    UnknownExport,
    UnwritableText,
)
from layers.exchange.exports.shapefile import short_names
from layers.models import CodeList, CodeValue, Field, Layer
from layers.rights import operator_scope
from spatial.crs import crs_of
from spatial.formats import open_source
from spatial.formats.geoparquet import open_geoparquet
from spatial.formats.workbook import open_workbook
from tests import layermaking, people
from tests.layermaking import NORTH, WEST, make_layer, square

pytest_plugins = ["tests.layermaking"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_memory")]

NAMES = ("宗地代码_parcel", "名称", "日期", "层数", "比率", "有效", "时刻")
ROWS = 6
STYLE = {
    "fill": "#eeeeee",
    "stroke": "#7a7a7a",
    "width": 0.5,
    "categories": {
        "field": "名称",
        "values": {"0701": {"fill": "#ff000080", "stroke": "#000000", "label_zh": "住宅"}},
    },
}


def values_of(number):
    return (
        "007",
        "深圳市福田区㐀𠮷〇",
        date(2026, 1, number),
        number,
        number / 4,
        True,
        datetime(2026, 1, number, 4, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
def parcels(kept):
    people.offices()
    rows = [
        {**dict(zip(NAMES, values_of(n), strict=True)), "geometry": square(WEST + 200 * n, NORTH)}
        for n in range(1, ROWS + 1)
    ]
    layer = make_layer("parcels_out", rows, label_field="名称", title="宗地", style=STYLE)
    codes = CodeList.objects.create(code="landuse-x", edition="2020", title_zh="用地", title_en="land use")
    CodeValue.objects.create(code_list=codes, code="0701", title_zh="住宅")
    Field.objects.filter(layer=layer, name="名称").update(code_list=codes, alias_zh="地类名称")
    return layer


@pytest.fixture
def scope(parcels):
    return operator_scope("parcels_out")


def put(values):
    """Set the fields of all rows, by fid."""
    columns = list(
        Field.objects.filter(layer__name="parcels_out").order_by("order").values_list("name", "column")
    )
    assert [name for name, _ in columns] == list(NAMES)
    text = ", ".join(f"{column} = %s" for _, column in columns)
    with connection.cursor() as cursor:
        for fid, row in enumerate(values, 1):
            cursor.execute(f"UPDATE data.parcels_out SET {text} WHERE fid = %s", [*row, fid])


def written(scope, suffix, folder, **options):
    path = Path(folder) / f"out{suffix}"
    assert export(scope, path, crs=crs_of(options.pop("srid", 4547)), **options) == ROWS
    return path


def rows_of(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


MARKS = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"])
SAMPLES = [
    "=1+1",
    "-1.5",
    "+86",
    "@x",
    "'=a",
    "''@b",
    "007",
    "440304199912310012",
    "深圳市福田区㐀𠮷〇",
    "_x0041_",
    'a,b"c',
]
TEXTS = st.one_of(
    st.none(),
    st.sampled_from(SAMPLES),
    st.from_regex(r"\A[0-9]{1,20}\Z"),
    st.text(MARKS, min_size=1, max_size=20),
)
DAYS = st.none() | st.dates(date(1900, 3, 1), date(2199, 12, 31))
WHOLE = st.none() | st.integers(-(2**62), 2**62)
REAL = st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 1024)
SEEN = st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)).map(
    lambda t: t.replace(microsecond=0, tzinfo=UTC)
)
ROW = st.tuples(TEXTS, TEXTS, DAYS, WHOLE, REAL, st.none() | st.booleans(), SEEN)
ANY_ROWS = st.lists(ROW, min_size=ROWS, max_size=ROWS)
OFTEN = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def naive(value):
    return (
        value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value
    )


@OFTEN
@given(ANY_ROWS)
def test_typed_formats_keep_every_value(scope, rows):
    put(rows)
    with tempfile.TemporaryDirectory() as folder:
        package = rows_of(open_source(written(scope, ".gpkg", folder), source_layer="parcels_out"))
        flat = sorted(rows_of(open_source(written(scope, ".fgb", folder))), key=lambda row: row["fid"])
        parquet = rows_of(open_geoparquet(written(scope, ".parquet", folder), "p"))
    for found in (package, flat, parquet):
        for row, (code, name, day, number, ratio, is_open, seen) in zip(found, rows, strict=True):
            assert [row[one] for one in (NAMES[0], NAMES[1], NAMES[3], NAMES[4], NAMES[5])] == [
                code,
                name,
                number,
                ratio,
                is_open,
            ]
            assert naive(row["时刻"]) == naive(seen)
            told = row["日期"]
            # FlatGeobuf knows no date: midnight of the day comes back.
            assert (told.date() if isinstance(told, datetime) else told) == day


@OFTEN
@given(ANY_ROWS)
def test_a_shapefile_keeps_codes_names_and_days(scope, rows):
    put(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = written(scope, ".shp.zip", folder)
        found = rows_of(open_source(path, encoding="utf-8"))
        with zipfile.ZipFile(path) as archive:
            told = list(csv.reader(io.StringIO(archive.read("names.csv").decode("utf-8-sig"))))
    short = {name: cut for cut, name, *_ in told[1:]}
    for row, (code, name, day, number, ratio, _, seen) in zip(found, rows, strict=True):
        assert (row[short[NAMES[0]]], row[short[NAMES[1]]], row[short[NAMES[2]]]) == (code, name, day)
        assert (
            row[short[NAMES[3]]] is None if number is None else float(row[short[NAMES[3]]]) == float(number)
        )
        assert row[short[NAMES[4]]] == (ratio if ratio is None else pytest.approx(ratio, abs=1e-12))
        assert row[short[NAMES[6]]] == (None if seen is None else seen.isoformat())


@OFTEN
@given(ANY_ROWS)
def test_texts_and_days_survive_geojson_csv_and_a_workbook(scope, rows):
    put([(*row[:5], True, row[6]) for row in rows])  # a row without any value is a blank row of a sheet
    with tempfile.TemporaryDirectory() as folder:
        geojson = rows_of(open_source(written(scope, ".geojson", folder, srid=4326)))
        table = rows_of(open_source(written(scope, ".csv", folder)))
        sheet = open_workbook(written(scope, ".xlsx", folder), "x", None)
        cells = rows_of(sheet)
    for place in range(ROWS):
        code, name, day, number, ratio, _, _ = rows[place]
        # A CSV has no types: a column of numbers alone comes back as numbers.
        assert [text(table[place][one]) for one in NAMES[:5]] == [
            code,
            name,
            text(day),
            text(number),
            text(ratio),
        ]
        assert [geojson[place].get(one) for one in NAMES[:2]] == [code, name]
        assert text(geojson[place].get(NAMES[2])) == text(day)
        # JSON promises whole numbers up to 2^53.
        if abs(number or 0) <= 2**53:
            assert text(geojson[place].get(NAMES[3])) == text(number)
        assert [cells[place].get(one) for one in NAMES[:2]] == [code, name]
        assert [text(cells[place].get(one)) for one in NAMES[2:5]] == [text(day), text(number), text(ratio)]


def text(value):
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return None if value is None else str(value)


@OFTEN
@given(ANY_ROWS)
def test_a_drawing_carries_codes_and_names(scope, rows):
    put(rows)
    with tempfile.TemporaryDirectory() as folder:
        drawing = ezdxf.readfile(written(scope, ".dxf", folder))
    assert drawing.audit().has_errors is False
    lines = list(drawing.modelspace().query("LWPOLYLINE"))
    for line, (code, name, *_) in zip(lines, rows, strict=True):
        told = dict(tag.value.split("=", 1) for tag in line.get_xdata("ONEMAP") if tag.code == 1000)
        assert (told.get(NAMES[0]), told.get(NAMES[1])) == (code, name)
    labels = [one.dxf.text for one in drawing.modelspace().query("TEXT")]
    assert labels == [row[1] for row in rows if row[1] is not None]


def test_shapes_are_the_same_in_every_format(scope, tmp_path):
    put([values_of(n) for n in range(1, ROWS + 1)])
    wanted = [square(WEST + 200 * n, NORTH) for n in range(1, ROWS + 1)]
    kinds = {".gpkg": "parcels_out", ".fgb": None, ".shp.zip": None, ".csv": None, ".geojson": None}
    sources = [open_source(written(scope, one, tmp_path), source_layer=name) for one, name in kinds.items()]
    for source in [*sources, open_geoparquet(written(scope, ".parquet", tmp_path), "p")]:
        shapes = [shape for batch in source.batches() for shape in batch.geometries]
        shapes.sort(key=lambda shape: shape.bounds)  # FlatGeobuf orders by place
        assert source.srid == (None if source.driver == "CSV" else 4547), source.driver
        assert all(shapely.hausdorff_distance(*pair) < 1e-3 for pair in zip(shapes, wanted, strict=True))
    drawing = ezdxf.readfile(written(scope, ".dxf", tmp_path))
    lines = list(drawing.modelspace().query("LWPOLYLINE"))
    assert all(line.closed and line.dxf.layer == "parcels_out" for line in lines)
    assert np.allclose(
        [line.get_points()[0][:2] for line in lines], [shape.exterior.coords[0] for shape in wanted]
    )


def test_a_geopackage_knows_aliases_codes_and_its_style(scope, tmp_path):
    path = written(scope, ".gpkg", tmp_path)
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        told = base.execute("SELECT column_name, name, constraint_name FROM gpkg_data_columns").fetchall()
        assert ("名称", "地类名称", "landuse-x@2020") in told
        kept = base.execute(
            "SELECT value, description FROM gpkg_data_column_constraints WHERE constraint_type = 'enum'"
        )
        assert kept.fetchall() == [("0701", "住宅")]
        assert base.execute(
            "SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'"
        ).fetchone() == (2,)
        name, shape, qml = base.execute(
            "SELECT f_table_name, f_geometry_column, styleQML FROM layer_styles"
        ).fetchone()
    assert (name, shape) == ("parcels_out", "geom")
    renderer = ET.fromstring(qml).find("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "名称")
    assert [one.get("value") for one in renderer.iter("category")] == ["0701", ""]
    colours = [one.get("value") for one in renderer.iter("Option") if one.get("name") == "color"]
    assert colours == ["255,0,0,128", "238,238,238,255"]
    assert pyogrio.read_info(path, layer="parcels_out")["features"] == ROWS


def test_a_style_does_not_tell_hidden_fields(parcels):
    layer = operator_scope("parcels_out").layer
    assert "住宅" not in exports.writing.geopackage.qml_of(layer, ["宗地代码_parcel"])


def test_a_style_of_rules_is_one_in_qgis(parcels):
    layer = operator_scope("parcels_out").layer
    hatch, line = (
        {"type": "hatch", "pattern": "cross", "color": "#00ff00"},
        {"type": "line", "color": "#000000"},
    )
    cased = {**line, "casing": "#ffffff", "dash": [4, 2]}
    rules = [
        {
            "where": ["all", ["in", "名称", ["它's", "b"]], ["not", ["null", "名称"]]],
            "symbols": [hatch, cased],
        },
        {"otherwise": True, "symbols": [line], "max_scale": 5000},
    ]
    qml = exports.writing.geopackage.qml_of(replace(layer, style={"kind": "rules", "rules": rules}), ["名称"])
    renderer = ET.fromstring(qml).find("renderer-v2")

    assert [one.get("filter") for one in renderer.iter("rule")] == [
        """("名称" IN ('它''s', 'b')) AND (NOT coalesce("名称" IS NULL, false))""",
        "ELSE",
    ]
    assert [one.get("scalemaxdenom") for one in renderer.iter("rule")] == [None, "5000"]
    drawn = [one.get("class") for one in renderer.iter("layer")]
    assert drawn == ["SimpleFill", "SimpleLine", "SimpleLine", "SimpleLine"]


def test_gbk_is_written_and_what_it_lacks_is_refused(scope, tmp_path):
    put([values_of(n) for n in range(1, ROWS + 1)])
    for suffix in (".shp.zip", ".csv"):
        with pytest.raises(UnwritableText, match="GBK"):
            export(scope, tmp_path / f"x{suffix}", crs=crs_of(4547), encoding="gbk")
    put([("007", "深圳市福田区", None, 1, 1.0, True, None)] * ROWS)
    path = written(scope, ".shp.zip", tmp_path, encoding="gbk")
    source = open_source(path)
    assert (source.encoding, source.encoding_sure) == ("gb18030", True)
    assert [row["名称"] for row in rows_of(source)] == ["深圳市福田区"] * ROWS
    assert "深圳市福田区" in written(scope, ".csv", tmp_path, encoding="GBK").read_text("gbk")
    with pytest.raises(UnknownEncoding):
        export(scope, tmp_path / "x.csv", crs=crs_of(4547), encoding="latin-1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "out.shp.zip"]


def test_a_text_too_long_for_the_format_is_refused(scope, tmp_path):
    put([("码" * 11_000, None, None, 1, 1.0, True, None)] * ROWS)
    for suffix in (".shp.zip",):
        with pytest.raises(TooLongForCell):
            export(scope, tmp_path / f"x{suffix}", crs=crs_of(4547))
    put([("码" * 33_000, None, None, 1, 1.0, True, None)] * ROWS)
    with pytest.raises(TooLongForCell, match="32767"):
        export(scope, tmp_path / "x.xlsx", crs=crs_of(4547))


def test_a_workbook_has_no_formula_and_an_end(scope, tmp_path, monkeypatch):
    put([("=1+1", "\x07a\rb", None, 10**17, 1.0, True, None)] * ROWS)
    path = written(scope, ".xlsx", tmp_path)
    book = openpyxl.load_workbook(path)
    assert [cell.data_type for cell in book.active[2][:4]] == ["s", "s", "n", "s"]
    assert rows_of(open_workbook(path, "x", None))[0]["名称"] == "\x07a\rb"
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", ROWS)
    with pytest.raises(TooManyRows):
        export(scope, tmp_path / "y.xlsx", crs=crs_of(4547))


def test_an_area_takes_what_touches_it_or_cuts(scope, tmp_path):
    west, east = WEST + 200, WEST + 450  # the first parcel whole, half of the second
    area = shapely.to_wkb(shapely.box(west, NORTH, east, NORTH + 100))
    for cut, wanted in ((False, [10_000, 10_000]), (True, [10_000, 5_000])):
        for suffix in (".gpkg", ".geojson"):
            path = tmp_path / f"clipped{suffix}"
            assert export(scope, path, crs=crs_of(4547), clip=Clip(area, cut)) == 2
            source = open_source(path, source_layer="parcels_out" if suffix == ".gpkg" else None)
            assert [round(shape.area) for batch in source.batches() for shape in batch.geometries] == wanted
    touching = shapely.to_wkb(shapely.box(WEST + 300, NORTH, WEST + 350, NORTH + 100))
    assert export(scope, tmp_path / "edge.csv", crs=crs_of(4547), clip=Clip(touching)) == 1
    assert export(scope, tmp_path / "edge.csv", crs=crs_of(4547), clip=Clip(touching, True)) == 0
    assert exports.count_of(scope, Clip(area), crs_of(4547), 10) == 2


def test_a_workbook_holds_points_as_coordinates_and_a_shapefile_multiple_ones(parcels, tmp_path):
    rows = [
        {"名": "甲", "geometry": shapely.Point(WEST, NORTH)},
        {"名": "乙", "geometry": shapely.MultiPoint([(WEST, NORTH), (WEST + 1, NORTH)])},
    ]
    make_layer("points_out", rows)
    scope = operator_scope("points_out")
    assert export(scope, tmp_path / "p.xlsx", crs=crs_of(4490)) == 2
    source = open_workbook(tmp_path / "p.xlsx", "p", None)
    assert [one.name for one in source.fields] == ["名", "lon", "lat"]
    assert 113 < next(source.batches()).geometries[0].x < 115
    assert export(scope, tmp_path / "p.shp.zip", crs=crs_of(4547)) == 2
    shapes = next(open_source(tmp_path / "p.shp.zip").batches()).geometries
    assert [len(shapely.get_parts(shape)) for shape in shapes] == [1, 2]


def test_a_table_is_written_without_geometry(parcels, tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT table_made")
        cursor.execute("ALTER TABLE data.parcels_out DROP COLUMN geom CASCADE")
        cursor.execute("ALTER TABLE data.parcels_out ADD COLUMN geom geometry")
        Layer.objects.filter(name="parcels_out").update(family="table")
        layermaking.forget_catalogue()
        try:
            table = operator_scope("parcels_out")
            assert exports.suffixes_for(table) == (".gpkg", ".csv", ".xlsx", ".parquet")
            for suffix in exports.suffixes_for(table):
                written(table, suffix, tmp_path)
            with pytest.raises(NoGeometryToWrite):
                export(table, tmp_path / "x.dxf", crs=crs_of(4547))
        finally:
            cursor.execute("ROLLBACK TO SAVEPOINT table_made")
            layermaking.forget_catalogue()
    assert pyogrio.read_info(tmp_path / "out.gpkg", layer="parcels_out")["geometry_type"] is None
    assert b"geo" not in (pq.read_schema(tmp_path / "out.parquet").metadata or {})
    with (tmp_path / "out.csv").open(encoding="utf-8-sig") as file:
        assert next(csv.reader(file)) == list(NAMES)
    assert open_workbook(tmp_path / "out.xlsx", "x", None).family is None


def test_other_suffixes_are_refused(scope, tmp_path):
    with pytest.raises(UnknownExport):
        export(scope, tmp_path / "x.exe", crs=crs_of(4547))
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=100)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=14),
        max_size=30,
        unique=True,
    ),
    st.sampled_from(["utf-8", "gbk"]),
)
def test_short_names_differ_and_fit(names, encoding):
    found = short_names(names, encoding)
    assert len({name.lower() for name in found}) == len(names)
    assert all(0 < len(name.encode(encoding)) <= 10 for name in found)
