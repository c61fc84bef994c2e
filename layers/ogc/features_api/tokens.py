"""The signed `next` of a page: where it ended, what was asked, as of which revision, and for whom.

A page read later continues the same answer: features inserted, changed or deleted meanwhile change nothing of it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django.core import signing

from layers.rights import Scope
from spatial.errors import Kind, OnemapError

MAX_AGE_S = 24 * 3600
SALT = "onemap.items.next"


class BadPage(OnemapError):
    """A `next` that does not continue this question for this caller."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-page"
    message: ClassVar = (
        "this next belongs to another question or caller, or is too old; begin again without it"
    )
    message_zh: ClassVar = "该 next 参数属于其他查询或调用者，或已过期，请重新查询"


@dataclass(frozen=True, slots=True)
class Page:
    """Where the page before ended."""

    after: tuple[int, date | None]
    revision: int
    values: tuple[Any, ...] = ()  # of the fields sorted by


def _bound(scope: Scope, asked: Mapping[str, str], principal_name: str) -> str:
    """A short name of the question and the caller that a token is bound to."""
    question = sorted(
        (name, value) for name, value in asked.items() if name not in {"next", "limit", "f", "lang"}
    )
    text = json.dumps([scope.layer.name, scope.digest, principal_name, question])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sign(page: Page, scope: Scope, asked: Mapping[str, str], principal_name: str) -> str:
    """The token for the page after `page`."""
    fid, valid_from = page.after
    return signing.dumps(
        [
            fid,
            valid_from.isoformat() if valid_from else None,
            page.revision,
            _bound(scope, asked, principal_name),
            [value.isoformat() if isinstance(value, date) else value for value in page.values],
        ],
        salt=SALT,
        compress=False,
    )


def read(token: str, scope: Scope, asked: Mapping[str, str], principal_name: str) -> Page:
    """The page a token continues.

    Raises
    ------
    BadPage
        It was not signed here, is older than a day, or belongs to another question, scope or caller.
    """
    try:
        fid, valid_from, revision, bound, values = signing.loads(token, salt=SALT, max_age=MAX_AGE_S)
    except (signing.BadSignature, ValueError) as error:
        raise BadPage from error
    if bound != _bound(scope, asked, principal_name):
        raise BadPage
    after = (fid, date.fromisoformat(valid_from) if valid_from else None)
    return Page(after, revision, tuple(values))
