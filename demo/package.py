"""Write the demonstration city as files: a GeoPackage for each layer and table, a GeoTIFF for the raster."""

from collections.abc import Iterator
from pathlib import Path

import pyogrio

from demo.city import generate
from demo.elevation import write_elevation
from demo.layers import LAYERS
from demo.spec import LayerSpec

WRITTEN_AS = {"polygon": "MultiPolygon", "line": "LineString", "point": "Point"}


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
    paths = {
        spec.name: folder / f"{spec.name}.{'tif' if spec.geometry == 'raster' else 'gpkg'}" for spec in LAYERS
    }
    for spec, frame in generate(size, seed):
        if len(frame):
            shaped = spec.geometry in WRITTEN_AS
            pyogrio.write_dataframe(
                frame,
                paths[spec.name],
                layer=spec.name,
                driver="GPKG",
                append=paths[spec.name].exists(),
                **({"geometry_type": WRITTEN_AS[spec.geometry]} if shaped else {}),
                **({"promote_to_multi": spec.geometry == "polygon"} if shaped else {}),
            )
    write_elevation(paths["elevation"], seed)
    yield from ((spec, paths[spec.name]) for spec in LAYERS)
