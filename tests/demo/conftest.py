from collections import defaultdict

import geopandas as gpd
import pandas as pd
import pytest

from demo.city import generate

SEED = 20


@pytest.fixture(scope="session")
def city() -> dict[str, gpd.GeoDataFrame]:
    """Every layer of the small city, whole."""
    parts = defaultdict(list)
    for spec, frame in generate("small", SEED):
        parts[spec.name].append(frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}
