"""Staged rows that only the caller's transaction sees are indexed by it alone, as fully as on two connections."""

import pytest
from django.db import connection

from layers import tables
from layers.exchange.options import ImportOptions
from layers.exchange.pipeline import index
from layers.exchange.publishing import StagedRows
from spatial.validity import Family

pytestmark = pytest.mark.django_db
TABLE = "trial_pipeline"


def filled(family, *, valid_time=False):
    """Three rows in a staging table of this transaction."""
    shape = "ST_Buffer(ST_SetSRID(ST_Point(500000 + n * 10, 2500000), 4547), 3)"
    with connection.cursor() as cursor:
        tables.create_staged(
            cursor, TABLE, [("f_001", "text")], family=family, valid_time=valid_time, labelled=False
        )
        cursor.execute(
            f"INSERT INTO staging.{TABLE} (fid, geom, f_001{', valid_from' if valid_time else ''})"
            f" SELECT n, {'NULL' if family is Family.TABLE else shape}, n"
            f"{', current_date' if valid_time else ''} FROM generate_series(1, 3) AS n"
        )
    options = ImportOptions(
        layer="trial", title="试", department="data", mode="create", key="code", valid_time=valid_time
    )
    return StagedRows(options, TABLE, family, [("code", "f_001", "text")], 3, None, {})


def indexes():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT regexp_replace(indexdef, '.* USING ', '') FROM pg_indexes WHERE tablename = %s", [TABLE]
        )
        return sorted(row[0] for row in cursor.fetchall())


def key():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = %s::regclass",
            [f"staging.{TABLE}"],
        )
        return cursor.fetchone()[0]


VALUES = ['btree ("left"(f_001, 200) COLLATE "C", fid)', "btree (fid)", "btree (rev_from)"]


def test_a_layer_in_the_callers_transaction():
    made = index(filled(Family.POLYGON))
    assert indexes() == [*VALUES, "gist (geom)"]
    assert key() == "PRIMARY KEY (fid)"
    assert made.first_levels["CityGrid"] == 0


def test_a_table_has_no_places_and_no_tiles():
    made = index(filled(Family.TABLE))
    assert indexes() == VALUES
    assert made.first_levels == {}


def test_periods_exclude_each_other():
    index(filled(Family.POLYGON, valid_time=True))
    assert key() == "PRIMARY KEY (fid, valid_from)"
    assert any("daterange" in one for one in indexes())
