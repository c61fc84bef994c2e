import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial.errors import Kind
from spatial.strictjson import BadJson, BodyTooLarge, loads

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(values, st.booleans())
def test_every_plain_value_comes_back(value, plain_ascii):
    assert loads(json.dumps(value, ensure_ascii=plain_ascii).encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1e400",
        b"[-1e999]",
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 5000,
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b'"\\u0000"',
        b'"\x00"',
        b"\xff",
        b"\xef\xbb\xbf{}",
        "[1]".encode("utf-16"),
        b"",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"[1] x",
    ],
)
def test_refused(text):
    with pytest.raises(BadJson) as refusal:
        loads(text)
    assert refusal.value.kind is Kind.INVALID


def test_sixty_four_levels_are_taken():
    assert loads(b"[" * 64 + b"]" * 64) is not None


def test_brackets_in_strings_are_not_depth():
    assert loads(json.dumps("[" * 1000)) == "[" * 1000


def test_a_backslash_before_u0000_is_text():
    assert loads(rb'"\\u0000"') == "\\u0000"


def test_a_pair_of_surrogates_is_one_character():
    assert loads(rb'"\ud842\udfb7"') == "𠮷"


def test_text_is_taken_like_bytes():
    assert loads('{"名": "深圳"}') == {"名": "深圳"}
    with pytest.raises(BadJson):
        loads('"\ud800"')


def test_a_long_body_is_too_large():
    with pytest.raises(BodyTooLarge) as refusal:
        loads(b'"' + b"a" * 100 + b'"', max_bytes=100)
    assert refusal.value.kind is Kind.TOO_LARGE
