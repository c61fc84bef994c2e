"""The storage grid holds the whole raster, and every piece is given the cells it is made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.crs import transformation
from spatial.rastergrid import PIECE, fit_nodes, pieces, target_grid
from spatial.rasterheader import RasterHeader, RasterUnfit

sides = st.integers(1, 3_000)


def header_of(columns, rows, west, north, cell):
    return RasterHeader(columns, rows, 1, ("float32",), (cell, 0.0, west, 0.0, -cell, north))


@given(sides, sides, st.floats(113.5, 114.6), st.floats(22.4, 22.9), st.floats(1e-6, 1e-3))
@settings(max_examples=40, deadline=None)
def test_every_place_of_the_source_lies_in_the_window_of_its_piece(columns, rows, west, north, cell):
    header, move = header_of(columns, rows, west, north, cell), transformation(4490, 4547)
    grid = target_grid(header, move)
    spots = np.random.default_rng(1).random((50, 2)) * (columns, rows)
    moved = move.apply(np.column_stack([west + cell * spots[:, 0], north - cell * spots[:, 1]]))
    assert not grid.kept
    assert (moved >= np.array(grid.extent[:2]) - 1e-3).all()
    assert (moved <= np.array(grid.extent[2:]) + 1e-3).all()
    known = {(piece.column // PIECE, piece.row // PIECE): piece for piece in pieces(header, move, grid)}
    assert sum(piece.columns * piece.rows for piece in known.values()) == grid.columns * grid.rows
    for (x, y), (column, row) in zip(moved.tolist(), spots.tolist(), strict=True):
        across = min(max(int((x - grid.west) / grid.cell), 0), grid.columns - 1)
        down = min(max(int((grid.north - y) / grid.height), 0), grid.rows - 1)
        left, top, wide, tall = known[across // PIECE, down // PIECE].window
        assert left <= column <= left + wide
        assert top <= row <= top + tall


def test_a_zone_number_shifts_the_grid_and_touches_no_cell():
    header = header_of(900, 700, 38_500_000.0, 2_500_000.0, 5.0)
    grid = target_grid(header, transformation(4526, 4547))
    assert grid.kept
    assert (grid.columns, grid.rows, grid.cell) == (900, 700, 5.0)
    assert grid.extent == pytest.approx([500_000, 2_496_500, 504_500, 2_500_000], abs=1e-6)


def test_the_nodes_of_a_piece_are_where_the_transformation_says():
    header, move = header_of(2_000, 1_500, 113.9, 22.7, 1e-4), transformation(4490, 4547)
    grid = target_grid(header, move)
    piece = list(pieces(header, move, grid))[5]
    mesh, moved = fit_nodes(header, move, grid, piece)
    left, top, _, _ = piece.window
    there = move.apply(
        np.column_stack([113.9 + 1e-4 * (left + mesh[:, 0]), 22.7 - 1e-4 * (top + mesh[:, 1])])
    )
    corner = grid.west + piece.column * grid.cell, grid.north - piece.row * grid.height
    assert moved + np.array(corner) == pytest.approx(there, abs=1e-6)


def test_what_has_no_place_in_the_target_is_refused():
    class Nowhere:
        def apply(self, xy):
            return np.full_like(xy, np.inf)

    with pytest.raises(RasterUnfit) as caught:
        target_grid(header_of(360, 180, -180.0, 90.0, 1.0), Nowhere())
    assert caught.value.facts["fault"] == "out-of-range"
