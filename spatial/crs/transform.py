"""Transforms between coordinate systems, each with its stated accuracy.

PROJ answers a transform between datums it has no parameters for with a silent guess that may be off by a
hundred metres (Xi'an 1980 to CGCS2000, for one). Here such a transform is refused until the city has
supplied its own parameters. Coordinates are x (longitude, easting) before y, degrees or metres.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj.exceptions import ProjError

from spatial.crs.table import crs_of, definition_of
from spatial.errors import Kind, OnemapError

_LONGEST_PIPELINE = 4000
_STATED = re.compile(r"\s\+accuracy=([0-9]+(?:\.[0-9]+)?)", re.ASCII)
_UNSTATED_ACCURACY_M = 1.0

# Datums by the EPSG code of their geographic system; a pair listed here differs by no more than it says.
# The ellipsoids of WGS 84 and CGCS2000 differ by 0.1 mm (Yang Yuanxi, "Chinese geodetic coordinate system
# 2000", Chinese Science Bulletin 54, 2009); the frames by the motion of the plate since epoch 2000.0, some
# 3 cm a year.
_NEARLY_SAME = {
    frozenset({4326, 4490}): (
        1.0,
        "WGS 84 与 CGCS2000 视为一致，误差不超过 1 米 / WGS 84 and CGCS2000 are taken as one, within 1 m",
    )
}


class InaccurateTransform(OnemapError):
    """Nothing known leads from one datum to the other with a stated accuracy."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "crs-inaccurate"
    message: ClassVar[str] = (
        "EPSG:{source} to EPSG:{target} needs your city's parameters: ask the surveying authority for them "
        "and set '{source}->{target}' in ONEMAP_CRS_PARAMETERS, or deliver the data in EPSG:{target}"
    )
    message_zh: ClassVar[str] = (
        "EPSG:{source} 到 EPSG:{target} 的转换需要本市的转换参数：请向测绘主管部门申请，并在 "
        "ONEMAP_CRS_PARAMETERS 中设置“{source}->{target}”，或改交 EPSG:{target} 的数据"
    )


class BadParameters(OnemapError):
    """The operator's transformation parameters cannot be used."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "crs-parameters-bad"
    message: ClassVar[str] = (
        "the setting for '{pair}' is no PROJ pipeline (it must begin with +proj=pipeline)"
    )
    message_zh: ClassVar[str] = "“{pair}”的设置不是 PROJ 管道（必须以 +proj=pipeline 开头）"


@dataclass(frozen=True, slots=True)
class Transformation:
    """A way from one system to another, usable from any thread.

    Attributes
    ----------
    source, target : int
        EPSG codes.
    accuracy_m : float
        Stated accuracy, metres; 0 within one datum.
    statement : str
        What was done, for the lineage of a layer.
    pipeline : str
        The operator's own pipeline to `via`, or empty.
    via : int
        Where the pipeline ends; equal to `source` without a pipeline.
    """

    source: int
    target: int
    accuracy_m: float
    statement: str
    pipeline: str
    via: int

    def apply(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transformed coordinates.

        Parameters
        ----------
        xy : array, shape (n, 2)
            x before y, units of the source system.

        Returns
        -------
        array, shape (n, 2)
            Units of the target system; infinite where no transform is possible.
        """
        if self.source == self.target or len(xy) == 0:
            return np.array(xy, dtype=np.float64)
        x, y = xy[:, 0], xy[:, 1]
        if self.pipeline:
            x, y = _in_thread(self.pipeline).transform(x, y)
        if self.via != self.target:
            x, y = _in_thread((self.via, self.target)).transform(x, y)
        return np.column_stack([x, y])


def transformation(source: int, target: int, parameters: Mapping[str, str] | None = None) -> Transformation:
    """The way from `source` to `target` whose accuracy can be stated.

    Parameters
    ----------
    source, target : int
        EPSG codes.
    parameters : mapping, optional
        The operator's setting: '2383->4547' to a PROJ pipeline over x/y in the units of both systems,
        which may end in ' +accuracy=METRES'.

    Raises
    ------
    InaccurateTransform
        The datums differ, no accuracy is known and no parameters are given.
    BadParameters
        The parameters given are no pipeline.
    UnknownCrs
        One of the codes does not exist.
    """
    crs_of(source), crs_of(target)
    supplied = _supplied(source, target, parameters or {})
    if supplied is not None:
        return supplied
    known = _known_accuracy(source, target)
    if known is None:
        raise InaccurateTransform(source=source, target=target)
    return Transformation(source, target, known[0], known[1], "", source)


def _supplied(source: int, target: int, parameters: Mapping[str, str]) -> Transformation | None:
    """A way that begins with the operator's pipeline, the one that ends at `target` first."""
    starts = {pair: text for pair, text in parameters.items() if pair.split("->")[0].strip() == str(source)}
    for pair in sorted(starts, key=lambda pair: pair.split("->")[-1].strip() != str(target)):
        via = int(pair.split("->")[-1]) if pair.split("->")[-1].strip().isdecimal() else 0
        known = _known_accuracy(via, target) if via else None
        if known is None:
            continue
        pipeline, accuracy = _pipeline(pair, starts[pair])
        statement = f"EPSG:{source} → EPSG:{via} 采用本市参数 / by the city's own parameters"
        return Transformation(source, target, accuracy + known[0], statement, pipeline, via)
    return None


def _pipeline(pair: str, text: str) -> tuple[str, float]:
    """The pipeline and its accuracy in metres, tried once so that a fault shows at the setting."""
    stated = _STATED.search(text)
    pipeline = _STATED.sub("", text).strip()
    if not pipeline.startswith("+proj=pipeline") or len(pipeline) > _LONGEST_PIPELINE:
        raise BadParameters(pair=pair)
    try:
        _in_thread(pipeline)
    except ProjError:
        raise BadParameters(pair=pair) from None
    return pipeline, float(stated[1]) if stated else _UNSTATED_ACCURACY_M


def _known_accuracy(source: int, target: int) -> tuple[float, str] | None:
    one, other = _datum(source), _datum(target)
    if one == other:
        return 0.0, f"EPSG:{source} → EPSG:{target} 同一基准，严密换算 / same datum, exact"
    return _NEARLY_SAME.get(frozenset({one, other}))


@cache
def _datum(srid: int) -> int:
    geodetic = definition_of(srid).geodetic_crs
    code = geodetic.to_epsg() if geodetic is not None else None
    return code if code is not None else -srid


_thread = threading.local()


def _in_thread(way: str | tuple[int, int]) -> pyproj.Transformer:
    """The calling thread's own transformer: PROJ's objects may not be shared between threads."""
    made: dict[str | tuple[int, int], pyproj.Transformer] | None = getattr(_thread, "made", None)
    if made is None:
        made = _thread.made = {}
    if way not in made:
        if isinstance(way, str):
            made[way] = pyproj.Transformer.from_pipeline(way)
        else:
            made[way] = pyproj.Transformer.from_crs(
                definition_of(way[0]), definition_of(way[1]), always_xy=True
            )
    return made[way]
