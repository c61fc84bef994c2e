"""What the kinds of findings are called: one table for the desk's lists, the verdict and its PDF."""

from typing import Any

# Of a source as a whole: its format, encoding, coordinate system.
_SOURCE = {
    "axes-swapped": ("坐标轴颠倒", "Axes swapped"),
    "bad-coordinates": ("坐标无法识读", "Coordinates not read"),
    "bad-date": ("日期无法识读", "Date not read"),
    "bad-dates": ("日期无法识读", "Dates not read"),
    "binary-field": ("二进制字段未读取", "Binary field not read"),
    "blank-rows": ("空行", "Blank rows"),
    "blocks-not-expanded": ("图块未展开", "Blocks not expanded"),
    "cell-error": ("单元格公式错误", "Cell in error"),
    "cpg-contradicted": ("编码与 .cpg 不符", ".cpg contradicted"),
    "cpg-unknown": (".cpg 编码未知", ".cpg not known"),
    "crs-contradicted": ("坐标与坐标系不符", "Coordinate system contradicted"),
    "crs-inaccurate": ("坐标转换精度不足", "Transformation inaccurate"),
    "crs-missing": ("缺少坐标系", "Coordinate system missing"),
    "curves-linearised": ("曲线已化为折线", "Curves became chords"),
    "deleted-records": ("已删除的记录", "Deleted records"),
    "east-first": ("东坐标在前", "East before north"),
    "encoding-doubtful": ("文字编码存疑", "Encoding doubtful"),
    "entities-not-read": ("实体未读取", "Entities not read"),
    "field-name-cut": ("字段名被截断", "Field name cut off"),
    "field-not-read": ("字段未读取", "Field not read"),
    "fields-changed": ("字段有变化", "Fields changed"),
    "has-z": ("含高程或测量值", "Heights or measures"),
    "links-not-followed": ("外部链接未读取", "Links not followed"),
    "members-ignored": ("压缩包内其他文件未读取", "Other files of the archive"),
    "merged-cells": ("合并单元格", "Merged cells"),
    "mixed-types": ("几何类型混杂", "Geometry types mixed"),
    "no-attributes": ("没有属性表", "No attributes"),
    "nodata-changed": ("无值标记已更换", "Value for no value changed"),
    "nodata-spared": ("无值标记已避让", "Value for no value spared"),
    "north-first": ("北坐标在前", "North before east"),
    "not-read": ("内容未读取", "Content not read"),
    "order-unknown": ("坐标顺序不明", "Order of axes unknown"),
    "parameters-unused": ("转换参数未使用", "Parameters not used"),
    "part-missing": ("缺少必交成果", "Required part missing"),
    "part-unknown": ("未列入成果清单", "Part not on the list"),
    "point-count": ("点数与所述不符", "Count of points differs"),
    "precision": ("坐标精度不足", "Coordinates imprecise"),
    "resampled": ("栅格已重采样", "Raster resampled"),
    "ring-outside": ("洞在外环之外", "Hole outside its ring"),
    "rings-closed": ("环已闭合", "Rings closed"),
    "rows-above-header": ("表头之上有内容", "Rows above the header"),
    "same-file": ("重复的文件", "Same file as before"),
    "source-layer-missing": ("须指明图层", "Layer to be named"),
    "source-unreadable": ("文件无法读取", "File unreadable"),
    "text-cut": ("文字被截断", "Text cut off"),
    "too-few-points": ("点数过少", "Too few points"),
    "unit-contradicted": ("单位与坐标不符", "Unit contradicted"),
    "unit-scaled": ("单位已换算", "Unit converted"),
    "unit-unstated": ("未注明单位", "Unit not stated"),
    "wal-ignored": ("未合并的日志被忽略", "Write-ahead log ignored"),
}
# Of features: geometry, values, keys, where they lie.
_FEATURES = {
    "above-maximum": ("大于最大值", "Above the maximum"),
    "below-minimum": ("小于最小值", "Below the minimum"),
    "code-form": ("编码格式不符", "Form of a code"),
    "code-unmatched": ("编码无对应要素", "Code without a feature"),
    "correction-kept": ("图上更正已保留", "Correction kept"),
    "correction-overwritten": ("图上更正被覆盖", "Correction overwritten"),
    "corrections-conflict": ("与图上更正冲突", "Corrections in the way"),
    "count-jumped": ("数量突变", "Count jumped"),
    "duplicate-key": ("主键重复", "Key repeated"),
    "empty-geometry": ("几何为空", "Empty geometry"),
    "gcj02": ("偏移检查", "Check for a shift"),
    "gcj02-suspected": ("疑似坐标偏移", "Shift suspected"),
    "invalid-geometry": ("几何无效", "Invalid geometry"),
    "key-missing": ("主键为空", "Key empty"),
    "no-geometry": ("没有几何", "No geometry"),
    "non-finite": ("坐标不是有限数", "Coordinate not a number"),
    "not-finite": ("非有限数值", "Number not finite"),
    "not-in-code-list": ("不在代码表中", "Not in the code list"),
    "out-of-range": ("坐标超出范围", "Coordinate out of range"),
    "outside-city": ("位于市域之外", "Outside the city"),
    "repaired": ("几何已修复", "Geometry repaired"),
    "required": ("必填项为空", "Required value empty"),
    "too-long": ("文字过长", "Text too long"),
    "value-lost": ("数值丢失", "Value lost"),
    "wrong-geometry-type": ("几何类型不符", "Wrong geometry type"),
}
# Of layers and their declared checks.
_CHECKS = {
    "area-mismatch": ("面积不符", "Area differs"),
    "check-field-missing": ("检查所需字段缺失", "Field of a check missing"),
    "check-reference-missing": ("检查所需图层缺失", "Layer of a check missing"),
    "code-list-ended": ("代码表已停用", "Code list ended"),
    "code-unknown": ("代码未知", "Code unknown"),
    "feature-without-partner": ("图斑无对应记录", "Feature without a record"),
    "gap": ("缝隙（漏缺）", "Gap"),
    "join-lost": ("挂接的图层已不存在", "Joined layer gone"),
    "name-mismatch": ("名称与代码不符", "Name and code differ"),
    "outside": ("超出范围", "Outside the boundary"),
    "overlap": ("重叠", "Overlap"),
    "period-ended": ("有效期已过", "Period ended"),
    "sliver": ("碎面", "Sliver"),
    "stale": ("逾期未更新", "Update overdue"),
    "sum-mismatch": ("合计不符", "Sum differs"),
    "sum-no-control": ("缺少控制总量", "No control total"),
    "table-row-without-partner": ("记录无对应图斑", "Record without a feature"),
}
KINDS = {**_SOURCE, **_FEATURES, **_CHECKS}


def named(code: str) -> dict[str, str]:
    """What a kind is called: `name_zh` and `name_en`; of a kind without words its code.

    Examples
    --------
    >>> named("overlap")
    {'name_zh': '重叠', 'name_en': 'Overlap'}
    """
    zh, en = KINDS.get(code, (code, code))
    return {"name_zh": zh, "name_en": en}


def with_names(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict whose kinds of findings are named."""
    return {**verdict, "by_code": [{**one, **named(one["code"])} for one in verdict.get("by_code", ())]}
