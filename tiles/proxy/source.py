"""MapProxy's source of pictures: our render processes.

What a request may see is not MapProxy's to know. Whoever calls it leaves an order under a number and names the number
in the request; without one, a source draws its layer whole, as of now, which is what caches hold.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from mapproxy.config.configuration.source import SourceConfiguration, register_source_configuration
from mapproxy.extent import DefaultMapExtent
from mapproxy.image import ImageResult
from mapproxy.image.opts import ImageOptions
from mapproxy.layer.map_layer import MapLayer
from mapproxy.query import MapQuery
from mapproxy.source import SourceError

from layers.moments import Moment
from layers.rights import Action, operator_scope
from layers.styles.showing import shown_style
from spatial.crs import crs_of
from spatial.errors import OnemapError
from spatial.numbers import BBox
from tiles.drawing.pictures import Part, picture
from tiles.drawing.pool import pool

PARAMETER = "onemap_order"
PNG = "png32:z=1"
_orders: dict[str, "Order"] = {}
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Order:
    """What to draw for one request.

    Attributes
    ----------
    parts
        By layer name.
    media, encoding
        Of the picture, in MapProxy's words and in Mapnik's. MapProxy passes a picture on as it is where it has nothing
        to add to it.
    background
        None: transparent.
    """

    parts: Mapping[str, Part]
    media: str = "image/png"
    encoding: str = PNG
    background: str | None = None


@contextmanager
def ordered(order: Order) -> Iterator[str]:
    """The number under which sources find an order, until the call is over."""
    number = str(next(_numbers))
    _orders[number] = order
    try:
        yield number
    finally:
        del _orders[number]


class PictureSource(MapLayer):  # type: ignore[misc]
    """One layer, or several that are drawn together."""

    supports_meta_tiles = True
    fwd_req_params = frozenset({PARAMETER})

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(image_opts=ImageOptions(transparent=True, format="image/png"))
        self.names = tuple(names)
        self.extent = DefaultMapExtent()

    def get_map(self, query: MapQuery) -> ImageResult:
        """The picture, as PNG.

        Raises
        ------
        SourceError
            It could not be drawn; MapProxy then keeps nothing.
        """
        number = query.dimensions.get(PARAMETER)
        order = _orders[number] if number else Order({name: whole(name) for name in self.names})
        crs = crs_of(int(query.srs.srs_code.removeprefix("EPSG:")))
        parts = [order.parts[name] for name in self.names]
        background = order.background or "transparent"
        asked = picture(parts, crs, BBox(*query.bbox), query.size, order.encoding, background)
        try:
            body = pool().draw(asked)
        except OnemapError as error:
            raise SourceError(error.code) from error
        told = ImageOptions(transparent=order.background is None, format=order.media)
        return ImageResult(BytesIO(body), size=query.size, image_opts=told)

    def combined_layer(self, other: Any, query: MapQuery) -> "PictureSource | None":
        """Draw the next layer on this one, in one picture: their labels then make room for each other."""
        return PictureSource((*self.names, *other.names)) if isinstance(other, PictureSource) else None


def whole(name: str) -> Part:
    """A layer as caches hold it: everything, today, in its published style."""
    scope = operator_scope(name, Action.VIEW)
    return Part(
        scope, Moment.today(), shown_style(scope.layer.style, scope.layer.family, scope.layer.by_name)
    )


class PictureSourceConfiguration(SourceConfiguration):  # type: ignore[misc]
    """`type: onemap` in MapProxy's configuration."""

    source_type = ("onemap",)

    def source(self, params: Any = None) -> PictureSource:
        """The source of one layer."""
        return PictureSource([self.conf["layer"]])


def register() -> None:
    """Make the source known to MapProxy."""
    register_source_configuration("onemap", PictureSourceConfiguration, "onemap", {"layer": ""})
