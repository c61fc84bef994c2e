"""Closed formats that are not read: how to convert them, or the operator's own command that does it.

A command is a list of words, run without a shell in a folder of its own, with little of the environment, and with
limits of time and memory; what it writes is judged like any delivered file.
"""

import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from spatial.errors import Kind, OnemapError

SECONDS = 120.0
MEMORY = 2 * 2**30  # bytes
LARGEST_RESULT = 2_000_000_000
TARGETS = {".dwg": ".dxf", ".xls": ".xlsx", ".xlsb": ".xlsx", ".et": ".xlsx"}
_STARTS = {
    ".dxf": (b"  0", b"0\r", b"0\n", b"999", b"AutoCAD Binary DXF", b"\xef\xbb\xbf"),
    ".xlsx": (b"PK\x03\x04",),
}
_WAYS_ZH = {
    ".dxf": "请在 AutoCAD、浩辰或中望 CAD 中“另存为 DXF”，或用免费的 ODA File Converter、LibreCAD 转换",
    ".xlsx": "请在 WPS 表格、Excel 或免费的 LibreOffice 中“另存为 .xlsx”",
}
_WAYS_EN = {
    ".dxf": "save it as DXF in your CAD program, or with the free ODA File Converter or LibreCAD",
    ".xlsx": "save it as .xlsx in Excel, WPS or the free LibreOffice",
}

# Suffix -> words of a command with {input} and {output}; filled by the settings when the site starts.
CONVERTERS: dict[str, Sequence[str]] = {}


class NeedsConversion(OnemapError):
    """A file of a closed format; the sentence says how to convert it."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "format-needs-conversion"
    message: ClassVar[str] = "{name}: {suffix} is not read; {way}"
    message_zh: ClassVar[str] = "{name}：不读取 {suffix} 格式；{way_zh}"


class ConversionFailed(OnemapError):
    """The converter that was set did not do its work."""

    kind: ClassVar = Kind.UNPROCESSABLE
    code: ClassVar[str] = "conversion-failed"
    message: ClassVar[str] = "{name} could not be converted ({reason}); {way}"
    message_zh: ClassVar[str] = "{name} 转换失败（{reason_zh}）；{way_zh}"


class BadConverter(OnemapError):
    """A converter's setting cannot be used."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar[str] = "bad-converter"
    message: ClassVar[str] = (
        "converter of '{suffix}': give a list of words with {{input}} and {{output}} for {known}"
    )
    message_zh: ClassVar[str] = (
        "“{suffix}”的转换命令无效：应为含 {{input}} 与 {{output}} 的词列表，可用后缀 {known}"
    )


def set_converters(given: Mapping[str, object]) -> None:
    """Replace the commands.

    Raises
    ------
    BadConverter
        An unknown suffix, or no list of words naming both files.
    """
    for suffix, words in given.items():
        named = isinstance(words, list) and all(isinstance(word, str) for word in words)
        if suffix not in TARGETS or not named or not {"{input}", "{output}"} <= set(_words(words)):
            raise BadConverter(suffix=suffix, known=" ".join(TARGETS))
    CONVERTERS.clear()
    CONVERTERS.update({suffix: _words(words) for suffix, words in given.items()})


def _words(words: object) -> list[str]:
    return [str(word) for word in words] if isinstance(words, list) else []


def refuse_or_convert(path: Path, name: str, room: Path) -> Path:
    """The converted file, where a command is set for its suffix.

    Parameters
    ----------
    path : Path
        A file whose suffix is one of `TARGETS`.
    name : str
        What it is called in a refusal.
    room : Path
        A folder of our own that outlives the reading.

    Raises
    ------
    NeedsConversion
        No command is set.
    ConversionFailed
        It ran too long, failed, or wrote something else.
    """
    suffix = path.suffix.lower()
    target = TARGETS[suffix]
    ways = {"way": _WAYS_EN[target], "way_zh": _WAYS_ZH[target]}
    if suffix not in CONVERTERS:
        raise NeedsConversion(name=name, suffix=suffix, **ways)
    folder = room / "conversion"
    folder.mkdir(mode=0o700)
    output = folder / f"converted{target}"
    places = {"{input}": str(path.resolve()), "{output}": str(output)}
    reason = _run([places.get(word, word) for word in CONVERTERS[suffix]], folder) or _fault(output, target)
    if reason is not None:
        raise ConversionFailed(name=name, reason=reason[0], reason_zh=reason[1], **ways)
    return output


def _run(words: list[str], folder: Path) -> tuple[str, str] | None:
    """Run the command; why it failed, None if it did not."""
    environment = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
    try:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - only system calls in it; jobs run in processes of one thread
        )
    except OSError:
        return "the converter is not installed", "转换程序未安装"
    try:
        code = process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        return f"longer than {SECONDS:.0f} s", f"超过 {SECONDS:.0f} 秒"
    finally:
        _end_all(process)
    return None if code == 0 else (f"it ended with {code}", f"退出码 {code}")


def _end_all(process: "subprocess.Popen[bytes]") -> None:
    """End the converter and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_RESULT, LARGEST_RESULT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fault(output: Path, target: str) -> tuple[str, str] | None:
    if output.is_symlink() or not output.is_file():
        return "it wrote no file", "没有写出文件"
    with output.open("rb") as file:
        start = file.read(32)
    fits = start.lstrip().startswith(tuple(mark.strip() for mark in _STARTS[target]))
    return None if fits else (f"what it wrote is not {target}", f"写出的不是 {target}")
