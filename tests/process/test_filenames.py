"""Names that strangers chose."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from process.filenames import LONGEST_PART, LONGEST_SUFFIX, safe_paths

NAMES = st.lists(st.text(max_size=40) | st.text("./\\aA图", max_size=12), min_size=1, max_size=12)


@given(NAMES)
def test_paths_are_relative_unlike_and_never_hidden(names):
    paths = safe_paths(names)
    assert len(paths) == len(names) == len({str(path).casefold() for path in paths})
    for path in paths:
        assert not path.is_absolute()
        for part in path.parts:
            assert part not in {"", ".", ".."} and not part.startswith(".") and "\0" not in part
            assert len(part.encode()) <= LONGEST_PART + LONGEST_SUFFIX + 8


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.strip(" .")))
def test_a_stem_keeps_its_companions(stem):
    stems = {str(path)[: -len(path.suffix)] for path in safe_paths([f"a/{stem}.shp", f"a/{stem}.dbf"])}
    assert len(stems) == 1


@pytest.mark.parametrize(
    ("given_name", "made"),
    [
        ("2026年度/DLTB.shp", "2026年度/DLTB.shp"),
        ("..\\..\\etc\\passwd", "etc/passwd"),
        ("/absolute/河流.dbf", "absolute/河流.dbf"),
        ("con.shp", "_con.shp"),
        (".hidden", "hidden"),
        ("...", "file-1"),
        ("a<b>|c.shp", "a_b__c.shp"),
        ("data.gdb/a00000001.gdbtable", "data.gdb/a00000001.gdbtable"),
        ("DLTB.shp.xml", "DLTB.shp.xml"),
    ],
)
def test_known_names(given_name, made):
    assert safe_paths([given_name]) == [PurePosixPath(made)]


def test_names_alike_but_for_capitals_are_told_apart():
    assert [str(path) for path in safe_paths(["A/x.shp", "a/X.shp", "a/x.shp"])] == [
        "A/x.shp",
        "a/X-2.shp",
        "a/x-3.shp",
    ]
