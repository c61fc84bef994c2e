"""From a raster's own grid to a straight grid of square cells in another coordinate system, piece by piece.

A transformation is followed exactly at the nodes of a mesh laid over the source; between them it is smooth enough
that a polynomial through the nodes of one piece is right to a small part of a cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spatial.rasterheader import MOST_CELLS, MOST_SIDE, RasterHeader, RasterTooLarge, RasterUnfit

PIECE = 512  # columns and rows of a piece of the target
MARGIN = 4  # cells around what a piece needs, for the resampling kernel
_MESH_CELLS, _MOST_NODES = 256, 512
_FIT_NODES = 6  # per side, for the polynomial of one piece
_SAME_M = 1e-6


class Move(Protocol):
    """What turns coordinates of the source into those of the target."""

    def apply(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform an array of shape (n, 2)."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """A straight grid, north up.

    Attributes
    ----------
    columns, rows
        Its size.
    west, north
        Of its upper left corner, metres of the target system.
    cell, height
        Sides of a cell, metres; equal unless the source's own cells are kept.
    kept
        Whether it is the source's own grid, cell for cell, shifted at most.
    """

    columns: int
    rows: int
    west: float
    north: float
    cell: float
    height: float
    kept: bool

    @property
    def extent(self) -> list[float]:
        """xmin, ymin, xmax, ymax."""
        return [
            self.west,
            self.north - self.rows * self.height,
            self.west + self.columns * self.cell,
            self.north,
        ]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the target and the window of the source it is made from.

    Attributes
    ----------
    column, row, columns, rows
        In the target.
    window
        First column, first row, columns and rows in the source; None if no cell of it lies here.
    """

    column: int
    row: int
    columns: int
    rows: int
    window: tuple[int, int, int, int] | None


def target_grid(header: RasterHeader, move: Move) -> Grid:
    """The grid on which a raster is stored.

    Where the transformation only shifts (a zone number in front of the easting, or nothing at all) the cells stay
    what they are. Else cells are square, as many along the diagonal as before, and lie on multiples of their side.

    Raises
    ------
    RasterUnfit
        Part of it lies where the target has no coordinates.
    RasterTooLarge
        It would swell beyond what is taken.
    """
    nodes = _moved(header, move, *_nodes(header))
    if not np.isfinite(nodes).all():
        raise RasterUnfit(
            fault="out-of-range",
            why="part of it lies outside the numbers of the storage coordinate system",
            why_zh="部分范围超出平台坐标系可表示的范围",
        )
    shift = _shift(header, nodes)
    if shift is not None:
        a, _, x, _, e, y = _straight(header)
        west, north = (shift + (x, y)).tolist()
        return Grid(header.columns, header.rows, west, north, a, -e, kept=True)
    corners = nodes[[0, -1], [0, -1]]
    cell = float(np.hypot(*(corners[1] - corners[0])) / np.hypot(header.columns, header.rows))
    cell = float(f"{cell:.6g}")
    low, high = nodes.reshape(-1, 2).min(axis=0), nodes.reshape(-1, 2).max(axis=0)
    west, south = (np.floor(low / cell + 1e-6) * cell).tolist()
    east, north = (np.ceil(high / cell - 1e-6) * cell).tolist()
    grid = Grid(
        round((east - west) / cell), round((north - south) / cell), west, north, cell, cell, kept=False
    )
    _judge(header, grid)
    return grid


def _judge(header: RasterHeader, grid: Grid) -> None:
    if max(grid.columns, grid.rows) > MOST_SIDE or grid.columns * grid.rows > MOST_CELLS:
        raise RasterTooLarge(
            columns=grid.columns,
            rows=grid.rows,
            bands=header.bands,
            bytes=header.expanded_bytes,
            why="it would swell in the storage coordinate system",
            why_zh="换算到平台坐标系后过大",
        )


def pieces(header: RasterHeader, move: Move, grid: Grid) -> Iterator[Piece]:
    """Pieces that together are the target, row by row, each with the window of the source it needs."""
    columns, rows = _nodes(header)
    nodes = _moved(header, move, columns, rows)
    around = np.stack([nodes[:-1, :-1], nodes[1:, :-1], nodes[:-1, 1:], nodes[1:, 1:]])
    low, high = around.min(axis=0), around.max(axis=0)  # of each mesh cell, shape (rows, columns, 2)
    for row in range(0, grid.rows, PIECE):
        for column in range(0, grid.columns, PIECE):
            wide, tall = min(PIECE, grid.columns - column), min(PIECE, grid.rows - row)
            west = grid.west + column * grid.cell - MARGIN * grid.cell
            north = grid.north - row * grid.height + MARGIN * grid.height
            east = west + (wide + 2 * MARGIN) * grid.cell
            south = north - (tall + 2 * MARGIN) * grid.height
            here = (
                (low[..., 0] <= east)
                & (high[..., 0] >= west)
                & (low[..., 1] <= north)
                & (high[..., 1] >= south)
            )
            yield Piece(column, row, wide, tall, _window(header, columns, rows, here))


def fit_nodes(
    header: RasterHeader, move: Move, grid: Grid, piece: Piece
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points by which a piece's window is tied to the target.

    Returns
    -------
    tuple of arrays, shape (n, 2)
        Column and row within the window; x and y as metres from the piece's upper left corner, so that no digit
        is lost to large coordinates.
    """
    if piece.window is None:
        raise ValueError("a piece without a window has no points")
    column, row, wide, tall = piece.window
    columns, rows = np.linspace(0, wide, _FIT_NODES), np.linspace(0, tall, _FIT_NODES)
    moved = _moved(header, move, column + columns, row + rows).reshape(-1, 2)
    corner = (grid.west + piece.column * grid.cell, grid.north - piece.row * grid.height)
    mesh = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    return mesh, moved - np.array(corner)


def _straight(header: RasterHeader) -> tuple[float, float, float, float, float, float]:
    if header.transform is None:
        raise RasterUnfit(
            fault="no-georeference", why="it does not say where it lies", why_zh="文件没有地理参考"
        )
    return header.transform


def _nodes(header: RasterHeader) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns and rows of the mesh's nodes, the first and the last edge among them."""
    found = []
    for side in (header.columns, header.rows):
        number = min(max(-(-side // _MESH_CELLS), 8), _MOST_NODES)
        found.append(np.unique(np.linspace(0, side, number + 1).round()))
    return found[0], found[1]


def _moved(
    header: RasterHeader, move: Move, columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where the crossings of columns and rows lie in the target; shape (rows, columns, 2)."""
    a, _, x, _, e, y = _straight(header)
    mesh = np.stack(np.meshgrid(x + a * columns, y + e * rows), axis=-1)
    return move.apply(mesh.reshape(-1, 2)).reshape(mesh.shape)


def _shift(header: RasterHeader, nodes: NDArray[np.float64]) -> NDArray[np.float64] | None:
    a, _, x, _, e, y = _straight(header)
    columns, rows = _nodes(header)
    off = nodes - np.stack(np.meshgrid(x + a * columns, y + e * rows), axis=-1)
    flat = off.reshape(-1, 2)
    return flat[0] if float(np.ptp(flat, axis=0).max()) < _SAME_M else None


def _window(
    header: RasterHeader,
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    here: NDArray[np.bool_],
) -> tuple[int, int, int, int] | None:
    across, down = np.flatnonzero(here.any(axis=0)), np.flatnonzero(here.any(axis=1))
    if not len(across):
        return None
    left, right = max(columns[across[0]] - MARGIN, 0), min(columns[across[-1] + 1] + MARGIN, header.columns)
    top, bottom = max(rows[down[0]] - MARGIN, 0), min(rows[down[-1] + 1] + MARGIN, header.rows)
    return int(left), int(top), int(right - left), int(bottom - top)
