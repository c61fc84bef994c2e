"""One number makes one city: every stage draws from a stream of its own."""

from zlib import crc32

import numpy as np


def stream(seed: int, *labels: str) -> np.random.Generator:
    """Return the random stream of one stage.

    A stage that draws more or less than before leaves every other stage as it was.

    Parameters
    ----------
    seed
        The city's number, 0 or more.
    labels
        Name the stage, and the district or layer it works on.
    """
    return np.random.default_rng([seed, *(crc32(label.encode()) for label in labels)])
