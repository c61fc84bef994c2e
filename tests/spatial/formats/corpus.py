"""Files that are broken or hostile, made by code: at least one for each way a delivered file can be so.

The rows are those of the project's table of file threats: I-01 archives, I-02 names, … I-19 links in markup.
A builder gets an empty folder and an address that nobody must visit, and answers the file to open.
"""

import json
import sqlite3
import stat
import struct
import zipfile
from pathlib import Path

import ezdxf
import geopandas as gpd
import shapely

BOX = shapely.box(506_000, 2_494_000, 506_010, 2_494_010)
BUILDERS = {}


def row(name):
    """Enter a builder under the row it belongs to."""

    def enter(builder):
        BUILDERS[name] = builder
        return builder

    return enter


def zipped(folder, *members, compress=zipfile.ZIP_DEFLATED):
    path = folder / "delivery.zip"
    with zipfile.ZipFile(path, "w", compress) as archive:
        for name, content in members:
            archive.writestr(name, content, compress)
    return path


def text(folder, name, content, encoding="utf-8"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def frame(**columns):
    count = len(next(iter(columns.values())))
    shapes = [shapely.affinity.translate(BOX, 20 * place) for place in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)


def shapefile(folder, encoding="gbk", **columns):
    path = folder / "parcel.shp"
    frame(**(columns or {"名称": ["深圳市福田区", "南山区"]})).to_file(path, encoding=encoding)
    return path


def changed(path, at, data):
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)
    return path


def geojson(folder, geometries, **members):
    features = [
        {"type": "Feature", "properties": {"n": place}, "geometry": geometry}
        for place, geometry in enumerate(geometries)
    ]
    return text(
        folder, "x.geojson", json.dumps({"type": "FeatureCollection", **members, "features": features})
    )


def drawing(folder, fill, version="R2000"):
    made = ezdxf.new(version)
    fill(made, made.modelspace())
    path = folder / "drawing.dxf"
    made.saveas(path)
    return path


@row("I-01 ratio")
def bomb(folder, address):
    return zipped(folder, ("a.csv", b"a,b\n" + b"1,2\n" * 5_000_000))


@row("I-01 many entries")
def many_entries(folder, address):
    return zipped(folder, *((f"{place}.csv", "") for place in range(2_001)))


@row("I-01 nested")
def nested(folder, address):
    return zipped(folder, ("inner.zip", b"PK\x03\x04"), ("a.csv", "a\n1\n"))


@row("I-01 lying sizes")
def lying_sizes(folder, address):
    path = zipped(folder, ("a.csv", b"a,b\n" + b"1,2\n" * 5_000_000))
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02")
    content[place + 24 : place + 28] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    return path


@row("I-02 names")
def names(folder, address):
    odd = ["../../x.csv", "/etc/y.csv", "C:\\z.csv", "x" * 300 + ".csv", "A.CSV", "a.csv", "\u202evsc.csv"]
    return zipped(folder, *((name, "a\n1\n") for name in odd))


@row("I-03 link")
def link(folder, address):
    entry = zipfile.ZipInfo("a.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped(folder, (entry, "/etc/passwd"))


@row("I-04 pdf and zip")
def pdf_zip(folder, address):
    path = zipped(folder, ("a.csv", "a\n1\n"))
    path.write_bytes(b"%PDF-1.7\n" + path.read_bytes())
    return path


@row("I-04 plain database")
def plain_database(folder, address):
    path = folder / "x.gpkg"
    with sqlite3.connect(path) as connection:
        connection.execute("create table x (a)")
    return path


@row("I-05 endless view")
def endless_view(folder, address):
    path = folder / "x.gpkg"
    frame(n=[1]).to_file(path, layer="parcel")
    connection = sqlite3.connect(path)
    connection.executescript(
        """create view evil as with recursive r(x) as (select 1 union all select x + 1 from r)
             select x as fid, null as geom from r;
           insert into gpkg_contents (table_name, data_type, identifier) values ('evil', 'attributes', 'e');"""
    )
    connection.close()
    return path


@row("I-05 cut")
def cut_database(folder, address):
    path = folder / "x.gpkg"
    frame(n=[1, 2]).to_file(path)
    path.write_bytes(path.read_bytes()[:60_000])
    return path


@row("I-06 too many records")
def too_many_records(folder, address):
    path = shapefile(folder)
    changed(path.with_suffix(".dbf"), 4, b"\xff\xff\xff\x7f")
    return path


@row("I-06 negative length")
def negative_length(folder, address):
    return changed(shapefile(folder), 104, b"\xff\xff\xff\xf0")


@row("I-06 no index")
def no_index(folder, address):
    path = shapefile(folder)
    path.with_suffix(".shx").unlink()
    return path


@row("I-06 fewer shapes")
def fewer_shapes(folder, address):
    path = shapefile(folder)
    for suffix in (".shp", ".shx"):
        path.with_suffix(suffix).write_bytes(path.with_suffix(suffix).read_bytes()[:-8])
    return path


@row("I-07 silent gbk")
def silent_gbk(folder, address):
    path = shapefile(folder)
    path.with_suffix(".cpg").unlink()
    changed(path.with_suffix(".dbf"), 29, b"\x57")
    return path


@row("I-07 wrong codepage")
def wrong_codepage(folder, address):
    path = shapefile(folder)
    path.with_suffix(".cpg").write_text("UTF-8")
    return path


@row("I-07 mixed rows")
def mixed_rows(folder, address):
    return text(folder, "x.csv", "名称\n".encode() + "福田\n".encode("gbk") + "南山\n".encode())


@row("I-07 cut in a character")
def cut_in_a_character(folder, address):
    path = shapefile(folder, "utf-8", name=["住宅", "商业"])
    changed(path.with_suffix(".dbf"), 32, "土地用途类型".encode()[:10])
    return path


@row("I-08 address for a system")
def address_for_a_system(folder, address):
    path = shapefile(folder)
    path.with_suffix(".prj").write_text(f"{address}/4547")
    return path


@row("I-08 huge system")
def huge_system(folder, address):
    path = shapefile(folder)
    path.with_suffix(".prj").write_text('PROJCS["' + "x" * 100_000)
    return path


@row("I-09 swapped")
def swapped(folder, address):
    return text(folder, "x.csv", "id,lon,lat\n1,22.5,114.1\n")


@row("I-10 shapes")
def shapes(folder, address):
    bow = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]
    hole = [[[0, 0], [1, 0], [1, 1], [0, 0]], [[5, 5], [6, 5], [6, 6], [5, 5]]]
    return geojson(
        folder,
        [
            {"type": "Polygon", "coordinates": bow},
            {"type": "Polygon", "coordinates": hole},
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [2, 0], [0, 0]]]},
            {"type": "Polygon", "coordinates": []},
            {"type": "LineString", "coordinates": [[0, 0], [0, 0]]},
            {"type": "Point", "coordinates": [1e308, 1]},
            {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2, 3]}]},
            None,
        ],
    )


@row("I-11 antimeridian")
def antimeridian(folder, address):
    ring = [[179.9, 0], [-179.9, 0], [-179.9, 90], [179.9, 90], [179.9, 0]]
    return geojson(folder, [{"type": "Polygon", "coordinates": [ring]}])


@row("I-12 too many columns")
def too_many_columns(folder, address):
    return text(folder, "x.csv", ",".join(f"c{place}" for place in range(10_000)) + "\n")


@row("I-12 odd columns")
def odd_columns(folder, address):
    return text(
        folder,
        "x.csv",
        'select,SELECT ,geom,"a""b",😀,\u202e,,1x,' + "名" * 70 + "\n" + ",".join("1" * 9) + "\n",
    )


@row("I-13 dates")
def dates(folder, address):
    head = struct.pack("<B3BIHH17xBxx", 3, 120, 1, 1, 4, 65, 9, 0)
    described = struct.pack("<11sc4xBB14x", b"DAY", b"D", 8, 0)
    days = b"".join(b" " + day for day in (b"20230230", b"00000000", b"Infinity", b"19000101"))
    return text(folder, "x.dbf", head + described + b"\r" + days + b"\x1a")


@row("I-14 numbers")
def numbers(folder, address):
    return text(folder, "x.csv", "id,v\n440304001002000012,1e400\n440304001002000013,NaN\n007,％\n")


@row("I-15 one long line")
def long_line(folder, address):
    return text(folder, "x.csv", "a,b\n" + "x" * 1_500_000 + ",1\n")


@row("I-15 open quote")
def open_quote(folder, address):
    return text(folder, "x.csv", 'a,b\n"1,2\n3,4\n')


@row("I-15 formula")
def formula(folder, address):
    return text(folder, "x.csv", "a,b\n=1+2,@SUM(A1)\n")


@row("I-16 huge raster")
def huge_raster(folder, address):
    tags = b"".join(struct.pack("<HHII", tag, 4, 1, 200_000) for tag in (256, 257))
    return text(folder, "x.tif", b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 2) + tags + bytes(4))


@row("I-17 block in itself")
def block_in_itself(folder, address):
    def fill(made, space):
        for name, other in (("A", "B"), ("B", "A"), ("SELF", "SELF")):
            block = made.blocks.new(name)
            block.add_line((0, 0), (1, 1))
            for place in range(3):
                block.add_blockref(other, (place, 1), {"xscale": 2, "yscale": 1, "rotation": 30})
        space.add_blockref("SELF", (0, 0), {"xscale": 3, "rotation": 45})
        space.add_blockref("A", (0, 0), {"xscale": 3, "rotation": 45})
        space.add_lwpolyline([(0, 0), (9, 0), (9, 9)], close=True)

    return drawing(folder, fill)


@row("I-17 blocks of blocks")
def blocks_of_blocks(folder, address):
    def fill(made, space):
        made.blocks.new("B0").add_line((0, 0), (1, 1))
        for place in range(1, 14):
            block = made.blocks.new(f"B{place}")
            for _ in range(10):
                block.add_blockref(f"B{place - 1}", (0, 0))
        space.add_blockref("B13", (0, 0))

    return drawing(folder, fill)


@row("I-17 endless grid")
def endless_grid(folder, address):
    def fill(made, space):
        made.blocks.new("EMPTY")
        reference = space.add_blockref("EMPTY", (0, 0))
        reference.grid((32_767, 32_767), (1, 1))

    return drawing(folder, fill)


@row("I-17 huge text")
def huge_text(folder, address):
    return drawing(folder, lambda made, space: space.add_mtext("{\\fSimSun;" * 1000 + "汉" * 400_000))


@row("I-17 one long value")
def long_value(folder, address):
    path = drawing(folder, lambda made, space: space.add_text("VALUE"))
    path.write_bytes(path.read_bytes().replace(b"VALUE", b"x" * 2_000_000))
    return path


@row("I-17 dwg renamed")
def dwg_renamed(folder, address):
    return text(folder, "x.dxf", b"AC1032" + bytes(200))


@row("I-17 dwg")
def dwg(folder, address):
    return text(folder, "x.dwg", b"AC1032" + bytes(200))


@row("I-17 not understood")
def not_understood(folder, address):
    def fill(made, space):
        space.add_point((1, 2))
        space.add_3dface([(0, 0), (1, 0), (1, 1)])
        space.add_ray((0, 0), (1, 1))
        space.add_circle((1e300, 0), 1e300)

    return drawing(folder, fill)


@row("I-18 linked system")
def linked_system(folder, address):
    member = {"type": "link", "properties": {"href": f"{address}/crs", "type": "proj4"}}
    return geojson(folder, [{"type": "Point", "coordinates": [1, 2]}], crs=member)


@row("I-18 deep collection")
def deep_collection(folder, address):
    inner = '{"type":"GeometryCollection","geometries":[' * 300 + "]}" * 300
    feature = '{"type":"Feature","properties":{},"geometry":' + inner + "}"
    return text(folder, "x.geojson", '{"type":"FeatureCollection","features":[' + feature + "]}")


@row("I-18 new properties in every row")
def new_properties(folder, address):
    features = [{"type": "Feature", "properties": {f"p{place}": 1}, "geometry": None} for place in range(400)]
    return text(folder, "x.geojson", json.dumps({"type": "FeatureCollection", "features": features}))


@row("I-19 kml links")
def kml_links(folder, address):
    return text(
        folder,
        "x.kml",
        f"""<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
        <NetworkLink><Link><href>{address}/a.kml</href></Link></NetworkLink>
        <GroundOverlay><Icon><href>{address}/a.png</href></Icon></GroundOverlay>
        <Placemark><name>甲</name><styleUrl>{address}/s.kml#a</styleUrl>
        <Point><coordinates>114,22.5</coordinates></Point></Placemark></Document></kml>""",
    )


@row("I-19 gml links")
def gml_links(folder, address):
    return text(
        folder,
        "x.gml",
        f"""<g:C xmlns:g="urn:x" xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {address}/x.xsd">
        <gml:featureMember><g:P><g:name>甲</g:name><g:other xlink:href="{address}/o.gml#a"/>
        <g:geom><gml:Point srsName="EPSG:4547"><gml:coordinates>506000,2494000</gml:coordinates></gml:Point></g:geom>
        </g:P></gml:featureMember></g:C>""",
    )


@row("I-19 gml system by address")
def gml_system(folder, address):
    return text(
        folder,
        "x.gml",
        f"""<g:C xmlns:g="urn:x" xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><g:P><g:geom>
        <gml:Point srsName="{address}/crs"><gml:coordinates>1,2</gml:coordinates></gml:Point></g:geom></g:P>
        </gml:featureMember></g:C>""",
    )


@row("I-19 document type")
def document_type(folder, address):
    return text(
        folder,
        "x.kml",
        f'<!DOCTYPE kml [<!ENTITY a SYSTEM "{address}/e"><!ENTITY % p SYSTEM "{address}/p">%p;]><kml>&a;</kml>',
    )


@row("I-19 laughing entities")
def laughing(folder, address):
    entities = "".join(f'<!ENTITY l{place} "{f"&l{place - 1};" * 10}">' for place in range(1, 12))
    return text(folder, "x.gml", f'<!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><x>&l11;</x>')


@row("I-19 deep markup")
def deep_markup(folder, address):
    return text(folder, "x.kml", "<kml>" + "<Folder>" * 200_000)


@row("I-19 mapinfo that refers elsewhere")
def mapinfo_elsewhere(folder, address):
    text(folder, "x.dat", b"")
    return text(
        folder, "x.tab", '!table\n!version 300\nDefinition Table\n  File "/etc/passwd"\n  Type "RASTER"\n'
    )


def everything():
    """The builders by the names of their rows."""
    return sorted(BUILDERS.items())


def build(name: str, folder: Path, address: str) -> Path:
    """Make one of them in an empty folder."""
    return BUILDERS[name](folder, address)
