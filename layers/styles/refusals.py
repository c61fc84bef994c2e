"""Refusals about styles."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class StyleRefused(OnemapError):
    """A style that is not one; `where` names the place in it, `what` says what is wanted there."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-style"
    message: ClassVar = "the style cannot be used: at {where}: {what}"
    message_zh: ClassVar = "样式不可用：{where} 处：{what}"
