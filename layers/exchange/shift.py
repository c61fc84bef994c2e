"""Whether positions are shifted against a trusted layer, as GCJ-02 and BD-09 positions are (domain.md 3.3).

Nothing is transformed here. Centroids of the sample are compared with centroids of the control layer: data in the
same place agree best at no displacement; data in an obfuscated datum agree best some hundred metres off.
"""

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray
from psycopg2 import sql

REACH_M = 1_000.0
CELL_M = 20.0
LEAST_M, MOST_M = 100.0, 800.0
LEAST_SHARE = 0.25  # of the sample that must agree on one displacement
LEAST_SAMPLE = 30


def suspected_shift(sample: NDArray[np.float64], control: str) -> float | None:
    """The displacement, metres, at which the sample fits the control layer; None if it fits where it lies.

    Parameters
    ----------
    sample : array, shape (n, 2)
        Centroids in the storage CRS.
    control
        Name of a layer whose positions are trusted.
    """
    if len(sample) < LEAST_SAMPLE:
        return None
    trusted = _nearby(sample, control)
    if len(trusted) < LEAST_SAMPLE:
        return None
    return displacement(sample, trusted)


def _nearby(sample: NDArray[np.float64], control: str) -> NDArray[np.float64]:
    low, high = sample.min(axis=0) - REACH_M, sample.max(axis=0) + REACH_M
    text = sql.SQL(
        "SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(geom) AS c FROM {}"
        " WHERE geom && ST_MakeEnvelope(%s, %s, %s, %s, %s)) AS s LIMIT 200000"
    ).format(sql.Identifier("data", control))
    with connection.cursor() as cursor:
        cursor.execute(
            text.as_string(connection.connection), [*map(float, low), *map(float, high), settings.ONEMAP_SRID]
        )
        return np.array(cursor.fetchall(), dtype=np.float64).reshape(-1, 2)


def displacement(sample: NDArray[np.float64], trusted: NDArray[np.float64]) -> float | None:
    """The common displacement of `sample` from `trusted`, metres; None when there is none beyond 100 m.

    Every pair within a kilometre votes for its displacement in cells of 20 m; a peak away from zero that many of
    the sample share, and that beats the votes at zero, is a shift.
    """
    size = int(2 * REACH_M / CELL_M)
    votes = np.zeros((size, size))
    for x, y in sample:
        delta = np.array([x, y]) - trusted
        delta = delta[(np.abs(delta) < REACH_M).all(axis=1)]
        cells = np.unique(((delta + REACH_M) // CELL_M).astype(int), axis=0)
        votes[cells[:, 0], cells[:, 1]] += 1
    peak = np.unravel_index(int(votes.argmax()), votes.shape)
    centre = (np.array(peak) + 0.5) * CELL_M - REACH_M
    distance = float(np.hypot(*centre))
    middle = size // 2
    at_zero = votes[middle - 2 : middle + 2, middle - 2 : middle + 2].max()
    if (
        not LEAST_M <= distance <= MOST_M
        or votes[peak] < LEAST_SHARE * len(sample)
        or votes[peak] < 2 * at_zero
    ):
        return None
    return distance
