"""SQL texts, kept in `<app>/sql/<name>.sql` beside the code that runs them."""

from functools import lru_cache
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=256)
def statement(app: str, name: str) -> str:
    """The text of `<app>/sql/<name>.sql`; both names come from code, never from a caller."""
    return (HOUSE / app / "sql" / f"{name}.sql").read_text(encoding="utf-8")
