"""Refusals of changesets."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class ChangesetNotFound(OnemapError):
    """There is no such changeset for this caller."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "changeset-not-found"
    message: ClassVar = "there is no such changeset"
    message_zh: ClassVar = "没有该变更集"


class ChangesetClosed(OnemapError):
    """Its content may not change where it stands."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-closed"
    message: ClassVar = (
        "changeset {changeset} is {state}; its content changes only after it was returned or withdrawn"
    )
    message_zh: ClassVar = "变更集 {changeset} 当前为“{state}”，退回或撤回之后才能修改内容"


class ChangesetMoved(OnemapError):
    """The content is no longer what the caller speaks of."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-moved"
    message: ClassVar = "changeset {changeset} is at counter {current}, not {counter}; read it again"
    message_zh: ClassVar = "变更集 {changeset} 的内容计数已是 {current}，不是 {counter}；请重新读取"


class FourEyes(OnemapError):
    """Nobody approves what they put in themselves."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "four-eyes"
    message: ClassVar = "you made or edited this changeset; someone else has to approve it"
    message_zh: ClassVar = "您创建或编辑过此变更集，须由他人批准"


class NothingInIt(OnemapError):
    """An empty changeset changes nothing."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-empty"
    message: ClassVar = "changeset {changeset} holds no changes"
    message_zh: ClassVar = "变更集 {changeset} 没有任何变更"


class TooManyFeatures(OnemapError):
    """More than one publication may take."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "changeset-full"
    message: ClassVar = "a changeset holds at most {most} changed features"
    message_zh: ClassVar = "一个变更集最多包含 {most} 个变更要素"


class HasConflicts(OnemapError):
    """The one map moved on in the same places."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-conflicts"
    message: ClassVar = "{count} features have conflicts with the one map, first {first}; decide them first"
    message_zh: ClassVar = "{count} 个要素与一张图现状冲突，首个为 {first}；请先处理"


class ConflictsBeyond(OnemapError):
    """The one map moved on, and only where the caller's rights do not reach."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "changeset-conflicts-beyond"
    message: ClassVar = (
        "there are conflicts with the one map beyond your right; someone who sees them has to decide"
    )
    message_zh: ClassVar = "您的权限范围之外存在与一张图现状的冲突，须由有权查看的人员处理"


class BadChoice(OnemapError):
    """A choice that settles nothing."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-choice"
    message: ClassVar = "choice {number}: {reason}"
    message_zh: ClassVar = "第 {number} 项选择无效：{reason}"


class ChangesetNumberBad(OnemapError):
    """`changeset` is no number."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-changeset"
    message: ClassVar = "changeset is the id of a changeset, a whole number"
    message_zh: ClassVar = "changeset 应为变更集编号（整数）"


class NotWithAsOf(OnemapError):
    """The map with a changeset is the map as it would be now."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "changeset-as-of"
    message: ClassVar = "a changeset is shown on the map as it is known now; leave out as-of"
    message_zh: ClassVar = "变更集只能叠加在当前地图上，请去掉 as-of 参数"


class SignInToChange(OnemapError):
    """A changeset belongs to someone, so someone must make it."""

    kind: ClassVar = Kind.UNAUTHENTICATED
    code: ClassVar = "sign-in-to-change"
    message: ClassVar = "sign in, or use a key, to make a changeset"
    message_zh: ClassVar = "请登录或使用密钥后再创建变更集"


class TooManyChangesets(OnemapError):
    """The caller leaves too many unfinished."""

    kind: ClassVar = Kind.TOO_MANY
    code: ClassVar = "too-many-changesets"
    message: ClassVar = "{limit} changesets of yours are unfinished; publish or abandon some first"
    message_zh: ClassVar = "您已有 {limit} 个未完成的变更集，请先发布或放弃其中一部分"
