"""How a feature is numbered in an address or a body: one rule for every door."""

import re
from typing import Annotated

from django.urls import register_converter
from pydantic import Field

PATTERN = "[1-9][0-9]{0,18}"
MOST = 2**63 - 1

Fid = Annotated[int, Field(strict=True, ge=1, le=MOST)]
"""A feature's number in a JSON body: a number, neither text nor truth value."""


def parse_fid(text: str) -> int | None:
    """The number that a text is; None when it is no feature's: a sign, a zero before it, or too many digits."""
    found = re.fullmatch(PATTERN, text, re.ASCII)
    number = int(text) if found else 0
    return number if 0 < number <= MOST else None


class FidConverter:
    """`{fid:fid}` in the addresses of the JSON API."""

    regex = PATTERN

    def to_python(self, value: str) -> int:
        """The number.

        Raises
        ------
        ValueError
            There can be no such feature: the address does not match.
        """
        number = parse_fid(value)
        if number is None:
            raise ValueError(value)
        return number

    def to_url(self, value: int) -> str:
        """The number as an address has it."""
        return str(value)


register_converter(FidConverter, "fid")
