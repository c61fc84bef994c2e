import csv
import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spatial.formats import TooManyFields, UnreadableSource, open_source
from spatial.validity import Family


@pytest.fixture
def write(tmp_path):
    def put(text, encoding="utf-8", name="data.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return put


def column(source, name):
    return [row[name] for batch in source.batches() for row in batch.table.to_pylist()]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", "0"], "integer"),
        (["1", "", "3"], "integer"),
        (["1", "2.50", "-0.5"], "real"),
        (["007", "1"], "text"),
        (["+86"], "text"),
        (["1,234"], "text"),
        (["1e400"], "text"),
        (["1e5"], "text"),
        (["NaN", "1"], "text"),
        (["=1+2"], "text"),
        (["１２"], "text"),
        (["123456789012345678"], "text"),
        (["0.12345678901234567890"], "text"),
        (["-0"], "text"),
        (["440304001002GB00012"], "text"),
        (["", ""], "text"),
    ],
)
def test_only_numbers_in_their_usual_form_become_numbers(write, values, kind):
    text = "id,v\n" + "".join(f'{place},"{value}"\n' for place, value in enumerate(values))
    source = open_source(write(text))
    assert [field.type for field in source.fields] == ["integer", kind]
    if kind == "text":
        assert column(source, "v") == [value or None for value in values]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12), min_size=1, max_size=6))
def test_no_value_is_lost(write, values):
    text = io.StringIO()
    csv.writer(text).writerows([["id", "v"], *([f"#{place}", value] for place, value in enumerate(values))])
    source = open_source(write(text.getvalue()), encoding="utf-8")
    for found, value in zip(column(source, "v"), values, strict=True):
        if isinstance(found, int | float):
            assert math.isclose(float(value), found)
        else:
            assert found == (value or None)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("编号;经度;纬度\n007;114.1;22.5\n", "utf-8-sig"),
        ("编号\tLng\tLat\r\n007\t114.1\t22.5\r\n", "utf-16"),
        ("编号,经度,纬度\n007,114.1,22.5\n", "gb18030"),
        ("编号|Longitude|Latitude\n007|114.1|22.5", "utf-8"),
        ("编号,x,y\n007,114.1,22.5\n", "utf-8"),
        ("编号,wkt\n007,POINT (114.1 22.5)\n", "utf-8"),
    ],
)
def test_points_by_any_usual_names(write, text, encoding):
    source = open_source(write(text, encoding))
    batch = next(source.batches())
    assert (batch.geometries[0].x, batch.geometries[0].y) == (114.1, 22.5)
    assert column(source, "编号") == ["007"]
    assert (source.family, source.srid) == (Family.POINT, None)
    assert source.crs_note


def test_rows_without_coordinates_are_kept_and_told(write):
    source = open_source(write("x,y\n1,2\n,\n3,\n114°,22\n1e400,5\n"))
    geometries = next(source.batches()).geometries
    assert [geom is None for geom in geometries] == [False, True, True, True, False]
    assert [(note["code"], note["count"]) for note in source.notes] == [("bad-coordinates", 1)]


def test_ewkt_declares_its_system(write):
    source = open_source(write('id,geom\n1,"SRID=4547;POLYGON ((0 0, 1 0, 1 1, 0 0))"\n2,"POLYGON ((0 0"\n'))
    assert (source.srid, source.family) == (4547, Family.POLYGON)
    assert next(source.batches()).geometries[1] is None


def test_a_table_without_coordinates(write):
    source = open_source(write("a,b\n1,2\n"))
    assert (source.family, source.bounds, source.count) == (None, None, 1)
    assert source.notes[0]["code"] == "no-geometry"


def test_header_names_are_made_whole(write):
    assert [field.name for field in open_source(write("a, a ,,a\n1,2,3,4\n")).fields] == [
        "a",
        "a_2",
        "column_3",
        "a_3",
    ]


def test_a_doubtful_encoding_is_held_with_samples(write):
    source = open_source(write("name,x,y\nCafé Münster é,1,2\n", "latin-1"))
    assert not source.encoding_sure
    samples = {sample["encoding"]: sample["rows"] for sample in source.encoding_samples}
    assert samples["cp1252"][0]["name"] == "Café Münster é"


@pytest.mark.parametrize(
    "text",
    ["", "\n", "a,b\n1,2,3\n", 'a,b\n1,"2\n3,4\n', "a,b\n" + "x" * 1_000_001 + ",1\n", "x" * 1_000_002],
)
def test_broken_tables_are_refused(write, text):
    with pytest.raises(UnreadableSource):
        open_source(write(text))


def test_line_breaks_inside_quotes_and_mixed_ones_outside(write):
    assert column(open_source(write('a,b\r\n"x\ny",1\nz,2\r\n')), "a") == ["x\ny", "z"]


def test_too_many_columns(write):
    with pytest.raises(TooManyFields) as refusal:
        open_source(write(",".join(f"c{place}" for place in range(251)) + "\n"))
    assert refusal.value.facts == {"count": 251, "limit": 250}


def test_the_mark_of_text_is_taken_off(tmp_path):
    path = tmp_path / "marked.csv"
    path.write_text("a,b,c\n'-1.5,'=1+1,''@x\n'-2,'x,-3\n", encoding="utf-8")
    table = next(open_source(path).batches()).table
    assert table.to_pylist() == [{"a": "-1.5", "b": "=1+1", "c": "'@x"}, {"a": "-2", "b": "'x", "c": "-3"}]
