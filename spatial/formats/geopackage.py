"""GeoPackages: inspected with SQLite first, read by GDAL only if nothing in the file could run.

A GeoPackage is a database, and a database can hold views that never end and triggers that write. So the file
is opened read-only and immutable, its own tables must be tables, and the layer must be one too (12-128r19).
"""

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from spatial.crs import INPUT_SRIDS, crs_of, identify_wkt
from spatial.formats.domains import field_words, with_words
from spatial.formats.gdal import GdalLayer
from spatial.formats.refusals import NotAllowedFormat, SourceLayerMissing, UnreadableSource
from spatial.formats.source import Notes, Source, note

MAGIC = b"SQLite format 3\x00"
_SECONDS = 10.0
_OPTIONS = {"IMMUTABLE": "YES", "LIST_ALL_TABLES": "NO"}
_READ_BY_GDAL = ("gpkg_", "rtree_", "geometry_columns", "spatial_ref_sys", "layer_styles")
_LAYERS = """
    select c.table_name, g.srs_id, s.organization, s.organization_coordsys_id, s.definition, g.z, c.data_type
    from gpkg_contents c
    left join gpkg_geometry_columns g on g.table_name = c.table_name
    left join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id
    where (c.data_type = 'features' and g.table_name is not null)
       or (c.data_type = 'attributes' and lower(c.table_name) != 'layer_styles'
           and lower(c.table_name) not like 'gpkg!_%' escape '!')
    order by c.rowid
    limit 1000
"""


def open_geopackage(path: Path, name: str, work: Path, source_layer: str | None) -> Source:
    """One table of a GeoPackage, with geometry or without.

    Where none is chosen it is the only feature table, else the only table.

    Raises
    ------
    NotAllowedFormat
        A database that is no GeoPackage, or whose tables are views.
    SourceLayerMissing
        Several layers, and none or an unknown one was chosen.
    UnreadableSource
        Broken.
    ObfuscatedDatum
        The definition of its system declares GCJ-02 or BD-09.
    """
    link = work / "source.gpkg"
    link.symlink_to(path.resolve())
    layers = _inspect(link, name)
    names = [str(row[0]) for row in layers]
    row = _chosen(layers, source_layer)
    layer = str(row[0])
    srid, crs_note = _system(row)
    notes: Notes = []
    table = GdalLayer(link, name, layer, **_OPTIONS)
    if srid is not None and crs_of(srid).geographic:
        table.measure_in_degrees()
    _remarks(path, row, notes)
    return Source(
        driver="GPKG",
        layer=layer,
        layers=names,
        fields=with_words(table.fields, field_words(link, layer, _OPTIONS)),
        count=table.count,
        reader=partial(table.batches, notes=notes),
        srid=srid,
        crs_note=crs_note,
        bounds=table.bounds,
        family=table.family(notes),
        notes=notes,
    )


def list_geopackage(path: Path, name: str, work: Path) -> list[tuple[str, bool]]:
    """Name of each table, and whether it has geometry.

    Raises
    ------
    NotAllowedFormat
        A database that is no GeoPackage, or whose tables are views.
    UnreadableSource
        Broken.
    """
    link = work / "listed.gpkg"
    link.symlink_to(path.resolve())
    return [(str(row[0]), row[6] == "features") for row in _inspect(link, name)]


def _chosen(layers: list[tuple[Any, ...]], wanted: str | None) -> tuple[Any, ...]:
    """The row of the table asked for, of the only feature table, or of the only table."""
    features = [row for row in layers if row[6] == "features"]
    for some in (features, layers):
        if wanted is None and len(some) == 1:
            return some[0]
    found = [row for row in layers if row[0] == wanted]
    if not found:
        raise SourceLayerMissing(layers=[str(row[0]) for row in layers])
    return found[0]


def _remarks(path: Path, row: tuple[Any, ...], notes: Notes) -> None:
    if row[6] == "attributes":
        note(notes, "no-geometry", "没有几何，只有属性", "no geometry, attributes only")
    if row[5] == 1:
        note(notes, "has-z", "含高程", "heights are present")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        zh = "旁边有未合并的 -wal 文件，其中的修改未读入；请在编辑软件中关闭该文件后重新提供"
        en = (
            "changes still in the -wal file beside it were not read; close it in its editor, deliver it again"
        )
        note(notes, "wal-ignored", zh, en)


def _inspect(path: Path, name: str) -> list[tuple[Any, ...]]:
    """The feature layers, once it is certain that reading them runs nothing."""
    broken = UnreadableSource(name, "the database is broken", "数据库损坏")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error:
        raise broken from None
    try:
        connection.set_progress_handler(_deadline(), 100_000)
        connection.execute("pragma trusted_schema = off")
        kinds = {
            str(table).lower(): (kind, str(sql or ""))
            for table, kind, sql in connection.execute(
                "select name, type, sql from sqlite_master where type in ('table', 'view') limit 100000"
            )
        }
        _refuse_views(kinds, name)
        layers = connection.execute(_LAYERS).fetchall()
    except (sqlite3.Error, UnicodeError):  # a message of SQLite may quote bytes that are no text
        raise broken from None
    finally:
        connection.close()
    for row in layers:
        _refuse_pretended(kinds, str(row[0]).lower(), name)
    return layers


def _deadline() -> Callable[[], bool]:
    end = time.monotonic() + _SECONDS
    return lambda: time.monotonic() > end


def _refuse_views(kinds: dict[str, tuple[str, str]], name: str) -> None:
    if "gpkg_contents" not in kinds or "gpkg_geometry_columns" not in kinds:
        raise NotAllowedFormat(
            name, "a SQLite database that is no GeoPackage", "是 SQLite 数据库，但不是 GeoPackage"
        )
    for table, (kind, _) in kinds.items():
        if kind == "view" and table.startswith(_READ_BY_GDAL):
            raise NotAllowedFormat(name, "its own tables are views", "其系统表是视图")


def _refuse_pretended(kinds: dict[str, tuple[str, str]], table: str, name: str) -> None:
    kind, sql = kinds.get(table, ("missing", ""))
    if kind != "table" or sql.lstrip().lower().startswith("create virtual"):
        raise NotAllowedFormat(name, "a layer is a view or a virtual table", "图层是视图或虚拟表")


def _system(row: tuple[Any, ...]) -> tuple[int | None, str | None]:
    """EPSG code of a layer by the authority it names, else by its definition."""
    _, srs_id, organization, code, definition, *_ = row
    by_text = identify_wkt(str(definition or ""))
    if str(organization).upper() == "EPSG" and code in INPUT_SRIDS:
        return int(code), None
    if by_text is not None:
        return by_text, None
    if srs_id in {-1, 0, None}:
        return None, "文件没有声明坐标系 / the file declares no system"
    told = f"{str(organization)[:20]}:{str(code)[:20]}"
    return None, f"声明的坐标系不可接受 / the declared system is not accepted: {told!r}"
