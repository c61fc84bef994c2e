"""Reading a feature's properties in a template.

A template that writes `properties.items` gets the field named `items`, if the layer has one.
"""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def pairs(properties: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Names with their values."""
    return list(properties.items())


@register.filter
def cells(properties: Mapping[str, Any]) -> list[Any]:
    """The values alone."""
    return list(properties.values())
