"""A changeset laid over a layer: the conditions and the rows that layers.queries.relation puts together."""

from psycopg2 import sql

from layers.catalogue import LayerInfo
from layers.rights import Scope
from layers.tables import COLUMN_TYPES

_MEANT = "changeset_id = %(changeset)s AND layer_id = %(changeset_layer)s"
CHANGED = f"{_MEANT} AND op <> 'delete'"


def unchanged(layer: LayerInfo) -> sql.Composable:
    """The condition that a row of the one map is neither changed nor deleted by the changeset.

    A subquery that does not speak of the row is asked once and kept as a hash.
    """
    key, own = ("(fid, valid_from)", "fid, period") if layer.valid_time else ("fid", "fid")
    return sql.SQL("{} NOT IN (SELECT {} FROM layers_changesetfeature WHERE {})").format(
        sql.SQL(key), sql.SQL(own), sql.SQL(_MEANT)
    )


def started(layer: LayerInfo) -> sql.Composable:
    """The condition that a row, past or present, is the one from which a changed feature of page `page` started."""
    key, own = ("(fid, rev_from, valid_from)", ", period") if layer.valid_time else ("(fid, rev_from)", "")
    return sql.SQL("{} IN (SELECT fid, base_revision{} FROM page)").format(sql.SQL(key), sql.SQL(own))


def changed_features(scope: Scope) -> sql.Composable:
    """The rows of changesets in the shape of the layer's table, as far as the scope and its areas ask of them."""
    fields = [one.field for one in scope.fields]
    if scope.layer.join is not None:
        fields.append(scope.layer.join.field)
    columns = {one.column: COLUMN_TYPES[one.type] for one in fields}
    rows = sql.SQL(
        "(SELECT *, coalesce(base_revision, 0) AS rev_from FROM layers_changesetfeature) AS changed"
    )
    if not columns:
        return rows
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
    )
    return sql.SQL("{}, jsonb_to_record(content) AS given({})").format(rows, typed)
