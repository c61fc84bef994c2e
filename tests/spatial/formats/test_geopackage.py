import sqlite3

import pandas as pd
import pytest
import shapely

from spatial.formats import NotAllowedFormat, SourceLayerMissing, UnreadableSource, open_source
from spatial.validity import Family


@pytest.fixture
def package(tmp_path, frame):
    path = tmp_path / "data.gpkg"
    frame.to_file(path, layer="parcel")
    return path


def change(path, script):
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def test_a_package_is_read(package):
    source = open_source(package)
    assert (source.driver, source.layer, source.srid, source.family) == (
        "GPKG",
        "parcel",
        4547,
        Family.POLYGON,
    )
    batch = next(source.batches())
    assert batch.table.to_pylist()[0]["名称"] == "深圳市福田区"
    assert batch.geometries[0].bounds == (506_000, 2_494_000, 506_010, 2_494_010)


def test_several_layers_need_a_choice(package, frame):
    frame.to_file(package, layer="other")
    for choice in (None, "no such"):
        with pytest.raises(SourceLayerMissing) as refusal:
            open_source(package, source_layer=choice)
        assert refusal.value.facts["layers"] == ["parcel", "other"]
    assert open_source(package, source_layer="other").layers == ["parcel", "other"]


def test_a_view_that_never_ends_is_not_read(package):
    change(
        package,
        """create view evil as with recursive r(x) as (select 1 union all select x + 1 from r)
           select x as fid, null as geom from r;
           insert into gpkg_contents (table_name, data_type, identifier, srs_id)
           values ('evil', 'features', 'e', 4547);
           insert into gpkg_geometry_columns values ('evil', 'geom', 'POLYGON', 4547, 0, 0);""",
    )
    with pytest.raises(NotAllowedFormat):
        open_source(package, source_layer="evil")


def test_system_tables_that_are_views_are_refused(package):
    change(package, "alter table gpkg_contents rename to c; create view gpkg_contents as select * from c;")
    with pytest.raises(NotAllowedFormat):
        open_source(package)


def test_triggers_do_not_fire_and_the_file_stays_as_it_is(package):
    change(
        package,
        """create table canary (x);
           create trigger t after insert on parcel begin insert into canary values (1); end;""",
    )
    before = package.read_bytes()
    assert sum(len(batch.geometries) for batch in open_source(package).batches()) == 2
    assert package.read_bytes() == before
    assert sorted(item.name for item in package.parent.iterdir()) == ["data.gpkg"]


def test_a_plain_database_and_a_cut_one(package, tmp_path):
    plain = tmp_path / "plain.gpkg"
    change(plain, "create table x (a)")
    with pytest.raises(NotAllowedFormat):
        open_source(plain)
    package.write_bytes(package.read_bytes()[:5000])
    with pytest.raises(UnreadableSource):
        open_source(package)


def test_an_unmerged_journal_is_told(package):
    package.with_name("data.gpkg-wal").write_bytes(b"x")
    assert [note["code"] for note in open_source(package).notes] == ["wal-ignored"]


def test_an_unknown_system_is_told_not_taken(package):
    change(
        package,
        "update gpkg_spatial_ref_sys set organization = 'NONE', definition = 'EPSG:4547' where srs_id = 4547",
    )
    source = open_source(package)
    assert source.srid is None
    assert "NONE" in source.crs_note


def test_mixed_types_are_counted(tmp_path, frame):
    frame.loc[0, "geometry"] = shapely.Point(506_000, 2_494_000)
    path = tmp_path / "mixed.gpkg"
    pd.concat([frame, frame.iloc[1:]]).to_file(path)
    source = open_source(path)
    assert source.family is Family.POLYGON
    assert source.notes[0]["code"] == "mixed-types"
