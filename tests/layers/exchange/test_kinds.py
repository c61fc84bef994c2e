"""Every kind of finding has a Chinese and an English word."""

import ast
import re
from pathlib import Path

import pytest

from layers.exchange.kinds import KINDS, named, with_names
from layers.rules.values import FAULT_ZH
from tests.conftest import ROOT

FOLDERS = ("layers/exchange", "layers/rules", "spatial/formats")
# Where the code stands among the positional arguments of what notes a finding.
PLACES = {"Finding": 0, "Held": 0, "LayerFault": 0, "_say": 1, "find": 1, "note": 1}
CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def noted(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in PLACES:
            continue
        places = [one.value for one in node.keywords if one.arg == "code"]
        for one in places or node.args[PLACES[name] :][:1]:
            choices = [one.body, one.orelse] if isinstance(one, ast.IfExp) else [one]
            yield from (choice.value for choice in choices if isinstance(choice, ast.Constant))


@pytest.fixture(scope="module")
def codes():
    files = [path for folder in FOLDERS for path in Path(ROOT / folder).rglob("*.py")]
    found = {code for path in files for code in noted(path) if isinstance(code, str)}
    return {code for code in found if CODE.fullmatch(code)}


def test_what_the_sources_note_is_in_the_table(codes):
    assert {"duplicate-key", "part-missing", "resampled", "gap-unknown"} - codes == {"gap-unknown"}
    assert codes | set(FAULT_ZH) | {"overlap", "gap", "outside", "sliver"} <= set(KINDS)


def test_words_are_short_and_of_both_languages():
    for zh, en in KINDS.values():
        assert re.search(r"[\u4e00-\u9fff]", zh), zh
        assert re.fullmatch(r"[A-Z.][ -~]{1,40}", en), en


def test_a_verdict_of_before_gets_its_words():
    told = with_names({"passed": False, "by_code": [{"code": "overlap", "count": 3}]})
    assert told["by_code"] == [{"code": "overlap", "count": 3, "name_zh": "重叠", "name_en": "Overlap"}]
    assert named("of-another-version")["name_zh"] == "of-another-version"
