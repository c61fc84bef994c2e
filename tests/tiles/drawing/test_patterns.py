import numpy as np
import pytest

from layers.styles.model import Hatch
from tiles.drawing.patterns import hatch_image


@pytest.mark.parametrize("pattern", ["diagonal", "back_diagonal"])
def test_a_slanting_hatch_goes_on_from_tile_to_tile(pattern):
    """At the edges, where tiles join, the strokes cover as much as anywhere else."""
    image = hatch_image(Hatch(pattern=pattern, color="#2e7d32", spacing=10, width=2))
    alpha = np.asarray(image)[:, :, 3].astype(int)
    rows, columns = alpha.sum(axis=1), alpha.sum(axis=0)
    assert image.size == (14, 14) and alpha.max() == 255
    assert max(np.ptp(rows), np.ptp(columns)) <= 0.02 * rows.mean()


@pytest.mark.parametrize(("pattern", "share"), [("horizontal", 0.2), ("cross", 0.36), ("dots", 0.126)])
def test_a_hatch_covers_its_share_of_the_ground(pattern, share):
    image = hatch_image(Hatch(pattern=pattern, color="#2e7d3280", spacing=10, width=2))
    alpha = np.asarray(image)[:, :, 3]
    assert alpha.mean() / 0x80 == pytest.approx(share, abs=0.003)
