"""Write the demonstration city as files, one GeoPackage per layer."""

from collections.abc import Iterator
from pathlib import Path

import pyogrio

from demo.city import generate
from demo.layers import BY_NAME, LAYERS, LayerSpec

WRITTEN_AS = {"polygon": "MultiPolygon", "line": "LineString"}


def write_city(folder: Path, size: str, seed: int) -> Iterator[tuple[LayerSpec, Path]]:
    """Write every layer below `folder`, then name each with its file, in the order of `LAYERS`.

    One part of the city stands in memory at a time.

    Parameters
    ----------
    folder
        An existing, empty folder.
    size
        A name of `demo.sizes.SIZES`.
    seed
        The city's number.

    Raises
    ------
    UnknownSize
        No such size.
    """
    paths = {name: folder / f"{name}.gpkg" for name in BY_NAME}
    for spec, frame in generate(size, seed):
        if len(frame):
            pyogrio.write_dataframe(
                frame,
                paths[spec.name],
                layer=spec.name,
                driver="GPKG",
                geometry_type=WRITTEN_AS[spec.geometry],
                promote_to_multi=spec.geometry == "polygon",
                append=paths[spec.name].exists(),
            )
    yield from ((spec, paths[spec.name]) for spec in LAYERS)
