"""Why a filter is refused: always with the place in it, and what belongs there."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class FilterSyntax(OnemapError):
    """The text is no filter. `at` is a character's number in CQL2 text, a JSON pointer in CQL2 JSON."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "filter-syntax"
    message: ClassVar = "filter, at {at}: found {found}, expected {expected}"
    message_zh: ClassVar = "过滤条件 {at} 处：遇到 {found}，应为{expected_zh}"


class FilterType(OnemapError):
    """Things are put together that do not go together: a text with a number, a function with the wrong operand."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "filter-type"
    message: ClassVar = "filter, at {at}: found {found}, expected {expected}"
    message_zh: ClassVar = "过滤条件 {at} 处：类型为 {found}，应为{expected_zh}"


class UnknownFunction(OnemapError):
    """A function or operator that is not offered."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "filter-function"
    message: ClassVar = "filter, at {at}: there is no function {name}; expected one of {expected}"
    message_zh: ClassVar = "过滤条件 {at} 处：没有函数 {name}，可用：{expected}"


class FilterTooLarge(OnemapError):
    """More than a filter may hold."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "filter-too-large"
    message: ClassVar = "the filter has more than {most} {what}; ask in parts"
    message_zh: ClassVar = "过滤条件超过上限：{what_zh}最多 {most}，请分次查询"
