import sys

import pytest

from spatial.formats import converting
from spatial.formats.converting import (
    BadConverter,
    ConversionFailed,
    NeedsConversion,
    refuse_or_convert,
    set_converters,
)


@pytest.fixture
def drawing(tmp_path):
    path = tmp_path / "图.dwg"
    path.write_bytes(b"AC1032")
    yield path
    set_converters({})


def command(program):
    set_converters({".dwg": [sys.executable, "-c", program, "{input}", "{output}"]})


def test_the_refusal_says_how_to_convert(drawing, tmp_path):
    with pytest.raises(NeedsConversion) as refusal:
        refuse_or_convert(drawing, "图.dwg", tmp_path)
    assert "DXF" in refusal.value.text("zh")
    old = drawing.with_suffix(".xls")
    with pytest.raises(NeedsConversion, match="xlsx"):
        refuse_or_convert(old, "表.xls", tmp_path)


def test_a_command_converts(drawing, tmp_path):
    command("import sys, os; open(sys.argv[2], 'w').write('  0\\nSECTION\\n' + str(sorted(os.environ)))")
    made = refuse_or_convert(drawing, "图.dwg", tmp_path)
    assert made.suffix == ".dxf"
    assert "ONEMAP" not in made.read_text()


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("raise SystemExit(3)", "ended with"),
        ("pass", "no file"),
        ("import sys; open(sys.argv[2], 'w').write('<html>')", "not .dxf"),
        ("import sys, os; os.symlink('/etc/hostname', sys.argv[2])", "no file"),
        ("bytearray(3 * 2**30)", "ended with"),
        ("while True: pass", "longer"),
    ],
)
def test_a_command_that_fails_is_a_refusal(drawing, tmp_path, monkeypatch, program, told):
    monkeypatch.setattr(converting, "SECONDS", 3.0)
    command(program)
    with pytest.raises(ConversionFailed, match=told):
        refuse_or_convert(drawing, "图.dwg", tmp_path)


@pytest.mark.parametrize(
    "given", [{".exe": ["a", "{input}", "{output}"]}, {".dwg": "a {input} {output}"}, {".dwg": ["a"]}]
)
def test_a_setting_that_cannot_work_is_refused(given):
    with pytest.raises(BadConverter):
        set_converters(given)
