"""Aliases and coded values of fields, asked of GDAL directly: pyogrio does not pass them on.

Reads through the C interface of the same library pyogrio uses (GDAL 3.3 or newer, ogr_api.h); the data set
is opened read-only by a path of our own making.
"""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spatial.formats.gdal import library
from spatial.formats.source import SourceField

_READ_ONLY_VECTOR = 0x04
_CODED = 0  # OFDT_CODED
_MOST_CODES = 5_000


class _CodedValue(ctypes.Structure):
    """OGRCodedValue; the list ends with a code that is null."""

    _fields_ = (("code", ctypes.c_char_p), ("value", ctypes.c_char_p))


def _bound() -> ctypes.CDLL:
    gdal = ctypes.CDLL(str(library()))
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "GDALOpenEx": (pointer, [text, ctypes.c_uint, pointer, pointer, pointer]),
        "GDALClose": (number, [pointer]),
        "GDALDatasetGetLayerByName": (pointer, [pointer, text]),
        "GDALDatasetGetFieldDomain": (pointer, [pointer, text]),
        "OGR_L_GetLayerDefn": (pointer, [pointer]),
        "OGR_FD_GetFieldCount": (number, [pointer]),
        "OGR_FD_GetFieldDefn": (pointer, [pointer, number]),
        "OGR_Fld_GetNameRef": (text, [pointer]),
        "OGR_Fld_GetAlternativeNameRef": (text, [pointer]),
        "OGR_Fld_GetDomainName": (text, [pointer]),
        "OGR_FldDomain_GetDomainType": (number, [pointer]),
        "OGR_CodedFldDomain_GetEnumeration": (ctypes.POINTER(_CodedValue), [pointer]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(gdal, name)
        function.restype, function.argtypes = result, arguments
    return gdal


def with_words(
    fields: tuple[SourceField, ...], words: Mapping[str, Mapping[str, Any]]
) -> tuple[SourceField, ...]:
    """The fields with their aliases and coded values."""
    return tuple(replace(one, **words[one.name]) if one.name in words else one for one in fields)


def field_words(
    path: Path, layer: str, options: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """What the file says of its fields for people.

    Parameters
    ----------
    path : Path
        A data set under a name of our own making.
    layer : str
        One of its layers.
    options : mapping, optional
        Open options of the driver.

    Returns
    -------
    dict
        Field name to {'alias': text or None, 'codes': {code: meaning} or None}; fields without either are
        left out. Empty where the data set cannot be opened.
    """
    gdal = _bound()
    pairs = [f"{key}={value}".encode() for key, value in (options or {}).items()]
    listed = (ctypes.c_char_p * (len(pairs) + 1))(*pairs, None)
    data_set = gdal.GDALOpenEx(str(path).encode(), _READ_ONLY_VECTOR, None, listed, None)
    if not data_set:
        return {}
    try:
        found = gdal.GDALDatasetGetLayerByName(data_set, layer.encode())
        return dict(_words(gdal, data_set, found)) if found else {}
    finally:
        gdal.GDALClose(data_set)


def _words(gdal: ctypes.CDLL, data_set: int, layer: int) -> Iterator[tuple[str, dict[str, Any]]]:
    definition = gdal.OGR_L_GetLayerDefn(layer)
    for place in range(gdal.OGR_FD_GetFieldCount(definition)):
        one = gdal.OGR_FD_GetFieldDefn(definition, place)
        name, alias = _text(gdal.OGR_Fld_GetNameRef(one)), _text(gdal.OGR_Fld_GetAlternativeNameRef(one))
        codes = _codes(gdal, data_set, gdal.OGR_Fld_GetDomainName(one))
        told = alias if alias and alias != name else None
        if told or codes:
            yield name, {"alias": told, "codes": codes}


def _codes(gdal: ctypes.CDLL, data_set: int, domain_name: bytes | None) -> dict[str, str] | None:
    if not domain_name:
        return None
    domain = gdal.GDALDatasetGetFieldDomain(data_set, domain_name)
    if not domain or gdal.OGR_FldDomain_GetDomainType(domain) != _CODED:
        return None
    values = gdal.OGR_CodedFldDomain_GetEnumeration(domain)
    found: dict[str, str] = {}
    for place in range(_MOST_CODES):
        if not values or values[place].code is None:
            break
        found[_text(values[place].code)] = _text(values[place].value)
    return found


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
