import ezdxf
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spatial.formats import NotAllowedFormat, SourceLayerMissing, UnreadableSource, open_source
from spatial.validity import Family

SQUARE = [(506_000, 2_494_000), (506_010, 2_494_000), (506_010, 2_494_010), (506_000, 2_494_010)]


@pytest.fixture
def draw(tmp_path):
    """Writes a drawing that a function fills."""

    def write(fill, version="R2010", unit=6, encoding=None, fmt="asc"):
        made = ezdxf.new(version, units=unit)
        if encoding:
            made.encoding = encoding
        fill(made, made.modelspace())
        path = tmp_path / "宗地图.dxf"
        made.saveas(path, fmt=fmt)
        return path

    return write


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def shapes(source):
    return [shape for batch in source.batches() for shape in batch.geometries]


def codes(source):
    return {note["code"] for note in source.notes}


def test_a_closed_outline_is_a_polygon_with_the_text_inside(draw):
    def fill(made, space):
        space.add_lwpolyline(SQUARE, close=True, dxfattribs={"layer": "宗地"})
        space.add_text("福田01").set_placement((506_005, 2_494_008))
        space.add_mtext("{\\fSimSun|b0;住宅}\\P甲").set_location((506_004, 2_494_002))
        space.add_text("外").set_placement((506_050, 2_494_005))

    path = draw(fill)
    source = open_source(path, source_layer="polygons")
    assert (source.driver, source.srid, source.family) == ("DXF", None, Family.POLYGON)
    assert source.layers == ["polygons", "texts"]
    (row,) = rows(source)
    assert (row["layer"], row["text"]) == ("宗地", "福田01\n住宅\n甲")
    assert shapes(source)[0].equals(shapely.Polygon(SQUARE))
    assert [row["text"] for row in rows(open_source(path, source_layer="texts"))] == [
        "福田01",
        "住宅\n甲",
        "外",
    ]


def test_a_text_belongs_to_the_smallest_polygon_around_it(draw):
    def fill(made, space):
        space.add_lwpolyline([(x * 2 - 506_000, y * 2 - 2_494_000) for x, y in SQUARE], close=True)
        space.add_lwpolyline(SQUARE, close=True)
        space.add_text("内").set_placement((506_005, 2_494_005))

    assert [row["text"] for row in rows(open_source(draw(fill), source_layer="polygons"))] == [None, "内"]


def test_each_kind_of_entity_goes_where_it_belongs(draw):
    def fill(made, space):
        space.add_polyline2d(SQUARE)
        space.add_polyline2d(SQUARE, close=True)
        space.add_polyline3d([(x, y, 5) for x, y in [*SQUARE, SQUARE[0]]])
        space.add_line((0, 0), (1, 1))
        space.add_arc((0, 0), 5, 0, 90)
        space.add_circle((0, 0), 5)
        space.add_ellipse((0, 0), (5, 0), 0.5)
        space.add_spline([(0, 0), (1, 2), (3, 1)])
        space.add_point((1, 2, 3))
        hatch = space.add_hatch()
        hatch.paths.add_polyline_path(SQUARE, is_closed=True)
        hatch.paths.add_polyline_path(
            [(x / 2 + 253_002, y / 2 + 1_247_002) for x, y in SQUARE], is_closed=True
        )
        space.add_ray((0, 0), (1, 1))
        space.add_3dface([(0, 0), (1, 0), (1, 1)])

    path = draw(fill)
    with pytest.raises(SourceLayerMissing) as refusal:
        open_source(path)
    layers = {layer: open_source(path, source_layer=layer) for layer in refusal.value.facts["layers"]}
    assert {layer: source.count for layer, source in layers.items()} == {
        "polygons": 5,
        "lines": 4,
        "points": 1,
    }
    (told,) = [note for note in layers["lines"].notes if note["code"] == "entities-not-read"]
    assert (told["count"], "3DFACE 1" in told["en"], "RAY 1" in told["zh"]) == (2, True, True)
    hatched = next(shape for shape in shapes(layers["polygons"]) if len(shape.interiors))
    assert hatched.area == pytest.approx(75)
    round_one = min(shapes(layers["polygons"]), key=lambda shape: abs(shape.area - 78.5398))
    assert round_one.area == pytest.approx(78.5398, abs=0.3)


def test_blocks_are_placed_scaled_and_turned(draw):
    def fill(made, space):
        block = made.blocks.new("界址")
        block.add_lwpolyline([(0, 0), (1, 0), (1, 1), (0, 1)], close=True, dxfattribs={"layer": "界"})
        outer = made.blocks.new("外")
        outer.add_blockref("界址", (10, 0), {"xscale": 2, "yscale": 2})
        space.add_blockref("外", (100, 100), {"rotation": 90})

    source = open_source(draw(fill), source_layer="polygons")
    assert shapes(source)[0].bounds == pytest.approx((98, 110, 100, 112))
    assert (rows(source)[0]["layer"], rows(source)[0]["block"]) == ("界", "界址")
    assert [row["block"] for row in rows(open_source(draw(fill), source_layer="points"))] == ["外"]


def test_attributes_of_a_block_are_texts(draw):
    def fill(made, space):
        made.blocks.new("标注").add_attdef("DH", (0, 0))
        space.add_blockref("标注", (506_005, 2_494_005)).add_attrib("DH", "0012", (506_005, 2_494_005))
        space.add_lwpolyline(SQUARE, close=True)

    assert rows(open_source(draw(fill), source_layer="polygons"))[0]["text"] == "0012"


@pytest.mark.parametrize(
    ("unit", "side", "code", "width"),
    [
        (4, 10_000, "unit-scaled", 10),
        (5, 1_000, "unit-scaled", 10),
        (6, 10, None, 10),
        (0, 10, "unit-unstated", 10),
        (1, 10, "unit-scaled", 0.254),
    ],
)
def test_units_are_told_and_scaled_only_as_the_header_says(draw, unit, side, code, width):
    outline = [(0, 0), (side, 0), (side, side), (0, side)]
    source = open_source(draw(lambda made, space: space.add_lwpolyline(outline, close=True), unit=unit))
    assert source.bounds.xmax == pytest.approx(width)
    assert codes(source) == ({code} if code else set())


def test_millimetres_over_coordinates_of_a_plane_are_not_believed(draw):
    source = open_source(draw(lambda made, space: space.add_lwpolyline(SQUARE, close=True), unit=4))
    assert source.bounds.xmin == 506_000
    assert codes(source) == {"unit-contradicted"}


@pytest.mark.parametrize(("version", "encoding"), [("R2000", "gbk"), ("R12", "gbk"), ("R2018", None)])
def test_chinese_is_read_as_the_header_says(draw, version, encoding):
    path = draw(lambda made, space: space.add_text("深圳市福田区"), version, encoding=encoding)
    source = open_source(path)
    assert rows(source)[0]["text"] == "深圳市福田区"
    assert source.encoding_sure


def test_a_codepage_that_is_wrong_is_held_with_samples(draw):
    path = draw(lambda made, space: space.add_text("深圳市福田区"), "R2000", encoding="gbk")
    path.write_bytes(path.read_bytes().replace(b"ANSI_936", b"ANSI_1252"))
    source = open_source(path)
    assert not source.encoding_sure
    assert any("深圳市福田区" in str(sample["rows"]) for sample in source.encoding_samples)
    assert rows(open_source(path, encoding="gbk"))[0]["text"] == "深圳市福田区"


def test_binary_drawings_are_read(draw):
    source = open_source(draw(lambda made, space: space.add_lwpolyline(SQUARE, close=True), fmt="bin"))
    assert shapes(source)[0].equals(shapely.Polygon(SQUARE))


def test_an_empty_drawing_is_an_empty_layer(draw):
    source = open_source(draw(lambda made, space: None))
    assert (source.count, source.layers, list(source.batches())) == (0, ["polygons"], [])


def test_what_is_no_drawing_is_refused(tmp_path):
    path = tmp_path / "x.dxf"
    for content, error in (
        (b"AC1027", NotAllowedFormat),
        (b"", UnreadableSource),
        (b"  0\nSECTION\n", UnreadableSource),
    ):
        path.write_bytes(content)
        with pytest.raises(error):
            open_source(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["line", "point", "square", "text", "ray", "block"]), max_size=8))
def test_every_entity_is_read_or_counted(draw, kinds):
    def fill(made, space):
        made.blocks.new("B").add_point((0, 0))
        add = {
            "line": lambda: space.add_line((0, 0), (1, 1)),
            "point": lambda: space.add_point((0, 0)),
            "square": lambda: space.add_lwpolyline(SQUARE, close=True),
            "text": lambda: space.add_text("文"),
            "ray": lambda: space.add_ray((0, 0), (1, 1)),
            "block": lambda: space.add_blockref("B", (0, 0)),
        }
        for kind in kinds:
            add[kind]()

    path = draw(fill)
    try:
        layers = open_source(path).layers
    except SourceLayerMissing as refusal:
        layers = refusal.facts["layers"]
    sources = [open_source(path, source_layer=layer) for layer in layers]
    unread = sum(note["count"] for note in sources[0].notes if note["code"] == "entities-not-read")
    assert sum(source.count for source in sources) + unread == len(kinds) + kinds.count("block")
