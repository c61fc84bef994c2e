"""Secrecy levels: what a layer is, and what a caller may see at most."""

from typing import ClassVar

from django.db import models

RANKS = ("public", "internal", "sensitive")


class Clearance(models.TextChoices):
    """A level; levels compare by height, not by spelling.

    "Secret" is no level of this platform: such data is refused at import.

    >>> Clearance.PUBLIC < Clearance.INTERNAL < Clearance.SENSITIVE
    True
    >>> min(Clearance.SENSITIVE, Clearance.INTERNAL).value
    'internal'
    """

    PUBLIC = "public", "公开"
    INTERNAL = "internal", "内部"
    SENSITIVE = "sensitive", "敏感"

    __hash__: ClassVar = str.__hash__

    @property
    def rank(self) -> int:
        """Height of the level; 0 is public."""
        return RANKS.index(self.value)

    def __lt__(self, other: str) -> bool:
        return self.rank < Clearance(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Clearance(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Clearance(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Clearance(other).rank
