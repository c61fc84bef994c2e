"""The catalogue in memory: layers, fields and grants as one immutable object per catalogue version.

A version number in the database is raised by triggers on every table that matters here, so a process needs one
small question per request to know that its copy is true. Rights revoked anywhere are dead at the next request.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection

from accounts.clearance import Clearance
from spatial.errors import Kind, OnemapError
from spatial.validity import Family


class LayerNotFound(OnemapError):
    """No layer of this name exists for the caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "layer-not-found"
    message: ClassVar = "there is no layer {layer}"
    message_zh: ClassVar = "图层 {layer} 不存在"


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A field of a layer as the catalogue knows it."""

    name: str
    column: str
    type: str
    alias_zh: str
    alias_en: str
    unit: str
    required: bool
    minimum: float | None
    maximum: float | None
    max_length: int | None
    codes: tuple[tuple[str, str, str], ...] | None  # what may be chosen: code, title zh, title en
    code_list: str | None = None  # CODE@EDITION
    indexed: bool = False  # an index (column, fid) serves sorting


@dataclass(frozen=True, slots=True)
class ThemeInfo:
    """A theme of the catalogue."""

    id: int
    code: str
    title_zh: str
    title_en: str
    order: int


@dataclass(frozen=True, slots=True)
class Join:
    """How the rows of a table find the features they speak of."""

    layer: str
    key: FieldInfo  # of that layer
    field: FieldInfo  # of the table
    valid_time: bool  # of that layer


@dataclass(frozen=True)
class LayerInfo:
    """A layer as the catalogue knows it: all that does not change with an edit."""

    id: int
    name: str
    title_zh: str
    title_en: str
    abstract_zh: str
    abstract_en: str
    theme: ThemeInfo
    department: tuple[str, str, str]  # code, name zh, name en
    family: Family
    secrecy: Clearance
    valid_time: bool
    key_field: str
    label_field: str
    style: dict[str, Any]
    order: int
    visible: bool
    demo: bool
    control: bool
    joins: str | None  # of a table: the layer whose key its join_field names
    join_field: str
    update_days: int | None
    checks: dict[str, Any]
    fields: tuple[FieldInfo, ...]
    join: Join | None = None  # None, too, where the layer joined or one of the two fields is gone

    @property
    def is_table(self) -> bool:
        """Whether its rows have no geometry."""
        return self.family is Family.TABLE

    @cached_property
    def by_name(self) -> dict[str, FieldInfo]:
        """Fields by their name."""
        return {field.name: field for field in self.fields}


@dataclass(frozen=True, slots=True)
class GrantInfo:
    """A grant as the compiler of rights reads it."""

    id: int
    layer_id: int | None
    theme_id: int | None
    to: str
    department_id: int | None
    role: str | None
    user_id: int | None
    actions: frozenset[str]
    fields: frozenset[str] | None
    area: bytes | None  # WKB in the storage CRS
    area_label: str
    valid_from: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class Catalogue:
    """Everything about layers and rights at one version."""

    version: int
    layers: dict[str, LayerInfo]  # of features: no door for features can reach a raster
    rasters: dict[str, LayerInfo]
    grants: tuple[GrantInfo, ...]
    compiled: dict[Any, Any] = field(
        default_factory=dict, compare=False
    )  # layers.rights remembers scopes here

    @cached_property
    def grants_by_layer(self) -> dict[int, tuple[GrantInfo, ...]]:
        """The grants that concern each layer, by layer id."""
        found: dict[int, list[GrantInfo]] = defaultdict(list)
        for layer in (*self.layers.values(), *self.rasters.values()):
            for grant in self.grants:
                on_layer = grant.layer_id is None and grant.theme_id is None
                if on_layer or grant.layer_id == layer.id or grant.theme_id == layer.theme.id:
                    found[layer.id].append(grant)
        return {layer_id: tuple(grants) for layer_id, grants in found.items()}

    def layer(self, name: str) -> LayerInfo:
        """The layer of features of this name.

        Raises
        ------
        LayerNotFound
            There is none.
        """
        found = self.layers.get(name)
        if found is None:
            raise LayerNotFound(layer=name)
        return found

    def raster(self, name: str) -> LayerInfo:
        """The raster layer of this name.

        Raises
        ------
        LayerNotFound
            There is none.
        """
        found = self.rasters.get(name)
        if found is None:
            raise LayerNotFound(layer=name)
        return found


_LAYERS = """
SELECT layer.id, layer.name, layer.title_zh, layer.title_en, layer.abstract_zh, layer.abstract_en,
       theme.id, theme.code, theme.title_zh, theme.title_en, theme."order",
       department.code, department.name_zh, department.name_en,
       layer.family, layer.secrecy, layer.valid_time, layer.key_field, layer.label_field, layer.style::text,
       layer."order", layer.visible, layer.demo, layer.control,
       target.name, layer.join_field, layer.update_days, layer.checks::text
  FROM layers_layer AS layer
  LEFT JOIN layers_layer AS target ON target.id = layer.joins_id AND target.deleted_at IS NULL
  JOIN layers_theme AS theme ON theme.id = layer.theme_id
  JOIN accounts_department AS department ON department.id = layer.department_id
 WHERE layer.deleted_at IS NULL
 ORDER BY theme."order", layer."order", layer.name
"""
_FIELDS = """
SELECT field.layer_id, field.name, field."column", field.type, field.alias_zh, field.alias_en, field.unit,
       field.required, field.minimum, field.maximum, field.max_length,
       (SELECT json_agg(json_build_array(code, title_zh, title_en) ORDER BY code) FROM layers_codevalue
         WHERE code_list_id = field.code_list_id AND selectable),
       code_list.code || '@' || code_list.edition, field.indexed
  FROM layers_field AS field LEFT JOIN layers_codelist AS code_list ON code_list.id = field.code_list_id
 ORDER BY field.layer_id, field."order"
"""
_GRANTS = """
SELECT grant_.id, grant_.layer_id, grant_.theme_id, grant_."to", grant_.department_id, role.code, grant_.user_id,
       grant_.actions, grant_.fields, ST_AsBinary(ST_Transform(grant_.area, %s)), grant_.area_label,
       grant_.valid_from, grant_.until
  FROM layers_grant AS grant_ LEFT JOIN accounts_role AS role ON role.id = grant_.role_id
 ORDER BY grant_.id
"""

_FIELD_FACTS = tuple(FieldInfo.__dataclass_fields__)

_current: Catalogue | None = None
_lock = threading.Lock()


def version_now() -> int:
    """The catalogue's version in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM layers_cataloguestate")
        return int(cursor.fetchone()[0])


def current() -> Catalogue:
    """The catalogue as of now: the copy in memory if it is still true, else a new one."""
    return at_version(version_now())


def at_version(version: int) -> Catalogue:
    """The catalogue at least as new as `version`."""
    global _current  # noqa: PLW0603 - one copy per process, swapped as a whole
    held = _current
    if held is not None and held.version == version:
        return held
    with _lock:
        held = _current
        if held is None or held.version != version:
            held = _current = _read()
    return held


def held() -> Catalogue | None:
    """The copy in memory, possibly old; for callers that check the version in the same statement."""
    return _current


def _read() -> Catalogue:
    with connection.cursor() as cursor:
        # The version first: a change after it makes the copy look old, never new.
        cursor.execute("SELECT version FROM layers_cataloguestate")
        version = int(cursor.fetchone()[0])
        cursor.execute(_FIELDS)
        fields = _fields(cursor.fetchall())
        cursor.execute(_LAYERS)
        layers = _joined([_layer(row, fields) for row in cursor.fetchall()])
        cursor.execute(_GRANTS, [settings.ONEMAP_SRID])
        grants = tuple(_grant(row) for row in cursor.fetchall())
    features = {layer.name: layer for layer in layers if layer.family is not Family.RASTER}
    rasters = {layer.name: layer for layer in layers if layer.family is Family.RASTER}
    return Catalogue(version, features, rasters, grants)


def _fields(rows: Iterable[tuple[Any, ...]]) -> dict[int, tuple[FieldInfo, ...]]:
    found: dict[int, list[FieldInfo]] = defaultdict(list)
    for layer_id, *values, codes, code_list, indexed in rows:
        listed = tuple((code, zh, en) for code, zh, en in codes or ()) if code_list is not None else None
        found[layer_id].append(
            FieldInfo(**dict(zip(_FIELD_FACTS, [*values, listed, code_list, indexed], strict=True)))
        )
    return {layer_id: tuple(fields) for layer_id, fields in found.items()}


def _joined(layers: list[LayerInfo]) -> list[LayerInfo]:
    """The same layers, tables with the layer that they join."""
    by_name = {layer.name: layer for layer in layers}
    return [
        replace(layer, join=_join(layer, by_name[layer.joins])) if layer.joins in by_name else layer
        for layer in layers
    ]


def _join(table: LayerInfo, target: LayerInfo) -> Join | None:
    key, field = target.by_name.get(target.key_field), table.by_name.get(table.join_field)
    if key is None or field is None or target.family in {Family.TABLE, Family.RASTER}:
        return None
    return Join(target.name, key, field, target.valid_time)


def _layer(row: tuple[Any, ...], fields: dict[int, tuple[FieldInfo, ...]]) -> LayerInfo:
    style = json.loads(row[19])
    names = ("id", "name", "title_zh", "title_en", "abstract_zh", "abstract_en")
    return LayerInfo(
        **dict(zip(names, row[:6], strict=True)),
        theme=ThemeInfo(*row[6:11]),
        department=row[11:14],
        family=Family(row[14]),
        secrecy=Clearance(row[15]),
        valid_time=row[16],
        key_field=row[17],
        label_field=row[18],
        style=style,
        order=row[20],
        visible=row[21],
        demo=row[22],
        control=row[23],
        joins=row[24],
        join_field=row[25],
        update_days=row[26],
        checks=json.loads(row[27]),
        fields=fields.get(row[0], ()),
    )


def _grant(row: tuple[Any, ...]) -> GrantInfo:
    return GrantInfo(
        id=row[0],
        layer_id=row[1],
        theme_id=row[2],
        to=row[3],
        department_id=row[4],
        role=row[5],
        user_id=row[6],
        actions=frozenset(row[7]),
        fields=frozenset(row[8]) if row[8] is not None else None,
        area=bytes(row[9]) if row[9] is not None else None,
        area_label=row[10],
        valid_from=row[11],
        until=row[12],
    )
