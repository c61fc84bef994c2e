"""What every refusal of the platform is made of.

A refusal has a kind (who has to act), a stable code, and facts a program can read.
Only the edges know HTTP or OGC: config/errors.py and layers/ogc turn kinds into answers.
"""

from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """Who has to act on the failure."""

    INVALID = "invalid"  # the sender: the request can never succeed as sent
    UNAUTHENTICATED = "unauthenticated"  # the sender: say who you are, correctly
    FORBIDDEN = "forbidden"  # an administrator: this account may not do it
    NOT_FOUND = "not-found"  # the sender: nothing lives at that address
    NOT_ACCEPTABLE = "not-acceptable"  # the sender: asks for a format that is not offered
    CONFLICT = "conflict"  # the sender, after reading again
    PRECONDITION_REQUIRED = "precondition-required"  # the sender: name the version you saw
    PRECONDITION_FAILED = "precondition-failed"  # the sender, after reading again
    TOO_LARGE = "too-large"  # the sender: send less
    UNSUPPORTED = "unsupported"  # the sender: another media type
    UNPROCESSABLE = "unprocessable"  # the sender: well-formed, but its meaning is wrong
    TOO_MANY = "too-many"  # the sender, later: a quota or a limit of tries
    BUSY = "busy"  # the sender, in a moment: something else holds what is needed
    STORAGE_FULL = "storage-full"  # the operator: no room left
    UNAVAILABLE = "unavailable"  # the operator: a service behind us is down


class OnemapError(Exception):
    """A failure with a stable code, and facts a program can read.

    Subclasses stand beside the code that raises them and set `kind`, `code`, `message` (English) and
    `message_zh`; both messages are format strings over the facts. Facts never hold a secret, a path or SQL.
    """

    kind: ClassVar[Kind]
    code: ClassVar[str]
    message: ClassVar[str]
    message_zh: ClassVar[str]

    def __init__(self, **facts: object) -> None:
        super().__init__(self.message.format(**facts))
        self.facts = facts

    def text(self, language: str) -> str:
        """The sentence for a reader of `language` ('zh' or 'en')."""
        template = self.message_zh if language == "zh" else self.message
        return template.format(**self.facts)
