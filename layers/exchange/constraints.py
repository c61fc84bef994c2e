"""What fields declare about their values, judged for whole columns: layers.rules.values in arrow's kernels."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from layers.rules.values import FieldRule

Words = NDArray[np.object_]


def column_faults(rule: FieldRule, column: pa.ChunkedArray) -> Words:
    """Why each value of a column breaks a field's constraints, as `layers.rules.values.fault` words it.

    Parameters
    ----------
    column
        Values as the file has them, shape (n,); of a text field they are judged as text.

    Returns
    -------
    array of str or None, shape (n,)
        The first reason that holds.

    Notes
    -----
    Cost: some passes over the column, and one look at each distinct value of a field with a code list.
    """
    if rule.type == "text" and not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    empty = _empty(column)
    words: Words = np.full(len(column), None, dtype=object)
    checks = [("required", empty)] if rule.required else []
    checks += [(word, found & ~empty) for word, found in _broken(rule, column)]
    for word, found in reversed(checks):
        words[found] = word
    return words


def _broken(rule: FieldRule, column: pa.ChunkedArray) -> list[tuple[str, NDArray[np.bool_]]]:
    found = []
    if rule.codes is not None:
        found.append(("not-in-code-list", ~_in_list({code[0] for code in rule.codes}, column)))
    if pa.types.is_string(column.type):
        if rule.max_length is not None:
            found.append(("too-long", _true(pc.greater(pc.utf8_length(column), rule.max_length))))
        return found
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        if rule.minimum is not None:
            found.append(("below-minimum", _true(pc.less(column, rule.minimum))))
        if rule.maximum is not None:
            found.append(("above-maximum", _true(pc.greater(column, rule.maximum))))
    return found


def _in_list(codes: set[str], column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where the value, as text, is one of the codes."""
    distinct = column.unique()
    known = pa.array(
        [value is not None and str(value) in codes for value in distinct.to_pylist()], pa.bool_()
    )
    return _true(pc.is_in(column, value_set=distinct.filter(known)))


def _empty(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    missing = pc.is_null(column)
    return _true(pc.or_kleene(missing, pc.equal(column, "")) if pa.types.is_string(column.type) else missing)


def _true(found: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Where a condition holds; an unknown one does not."""
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool)
