"""Refusals of writing."""

from typing import ClassVar

from spatial.errors import Kind, OnemapError


class EditConflict(OnemapError):
    """Someone else changed the feature after this editor read it."""

    kind: ClassVar = Kind.PRECONDITION_FAILED
    code: ClassVar = "edit-conflict"
    message: ClassVar = "feature {fid} of {layer} is at version {current}, not {version}; read it again"
    message_zh: ClassVar = "图层 {layer} 的要素 {fid} 已是版本 {current}，不是 {version}；请重新读取"


class VersionRequired(OnemapError):
    """A change without the version it was made from."""

    kind: ClassVar = Kind.PRECONDITION_REQUIRED
    code: ClassVar = "version-required"
    message: ClassVar = "say which version of the feature you changed (If-Match, or version)"
    message_zh: ClassVar = "请说明修改所依据的要素版本（If-Match 或 version）"


class FeatureMissing(OnemapError):
    """No such feature for the editor."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "feature-not-found"
    message: ClassVar = "layer {layer} has no feature {fid}"
    message_zh: ClassVar = "图层 {layer} 没有要素 {fid}"


class BadEdit(OnemapError):
    """What was sent cannot be stored."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar = "bad-edit"
    message: ClassVar = "edit {number}: {reason}"
    message_zh: ClassVar = "第 {number} 条编辑：{reason_zh}"


class OutsideArea(OnemapError):
    """The new geometry lies where the editor has no right."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "outside-area"
    message: ClassVar = "edit {number} lies outside the area you may edit"
    message_zh: ClassVar = "第 {number} 条编辑超出您的可编辑范围"


class LayerBusy(OnemapError):
    """A bulk load has the layer."""

    kind: ClassVar = Kind.BUSY
    code: ClassVar = "layer-busy"
    message: ClassVar = "layer {layer} is being loaded; nothing was saved, send it again shortly"
    message_zh: ClassVar = "图层 {layer} 正在导入，未保存任何内容，请稍后重试"


class TooManyEdits(OnemapError):
    """More edits than one change may have."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "too-many-edits"
    message: ClassVar = "one change holds 1 to {most} edits"
    message_zh: ClassVar = "一次修改可包含 1 至 {most} 条编辑"


class UndoConflict(OnemapError):
    """A later change touched what should be undone."""

    kind: ClassVar = Kind.CONFLICT
    code: ClassVar = "undo-conflict"
    message: ClassVar = "{count} features were changed again after revision {revision}, the first is {fid}"
    message_zh: ClassVar = "修订 {revision} 之后有 {count} 个要素再次被修改，首个为 {fid}"


class NothingThere(OnemapError):
    """There is nothing to take back or to bring back."""

    kind: ClassVar = Kind.NOT_FOUND
    code: ClassVar = "nothing-there"
    message: ClassVar = "layer {layer} has nothing of revision {revision} to bring back"
    message_zh: ClassVar = "图层 {layer} 在修订 {revision} 没有可恢复的内容"


class WholeLayerOnly(OnemapError):
    """What should be brought back reaches beyond the fields or the area of the caller."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "whole-layer-only"
    message: ClassVar = "this would change what lies outside your rights on layer {layer}"
    message_zh: ClassVar = "此操作会改动图层 {layer} 中超出您权限范围的内容"
