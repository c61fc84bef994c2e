"""Command line of set-up and operation; the Makefile is its usual caller."""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from deploy import backup, operation, peers, suites
from deploy.places import live
from deploy.refusals import SetupError
from deploy.site import SIZES

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run one command; refusals are one line in each language."""
    # Whoever ends a set-up halfway gets its `finally` blocks run: no database is left behind.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command not in TAKING_MORE:
        _parser().error(f"unknown: {' '.join(rest)}")
    try:
        return COMMANDS[options.command](options, rest)
    except SetupError as refusal:
        print(f"onemap: {refusal.chinese}\nonemap: {refusal.english}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("onemap: 已中断 interrupted", file=sys.stderr)
        return INTERRUPTED


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


Command = Callable[[argparse.Namespace, list[str]], int]

COMMANDS: dict[str, Command] = {
    "run": lambda options, _: operation.run(live(), options.host, options.port, options.demo),
    "start": lambda options, _: operation.start(live(), options.host, options.port, options.demo),
    "supervise": lambda options, _: operation.supervise(live(), options.host, options.port),
    "stop": lambda _options, _: operation.stop(live()),
    "status": lambda _options, _: operation.status(live()),
    "test": lambda _, rest: suites.test(rest),
    "check": lambda _options, _: suites.check(),
    "e2e": lambda _, rest: suites.pytest_only("tests/e2e", *rest),
    "fuzz": lambda options, _: suites.fuzz(options.minutes),
    "bless": lambda _, rest: suites.pytest_only("tests/golden", "--bless", *rest),
    "bench": lambda _, rest: suites.bench(rest),
    "bench-peers": lambda _options, _: peers.install(live()),
    "backup": lambda options, _: backup.backup(live(), options.to),
    "restore": lambda options, _: backup.restore(live(), options.source),
}
TAKING_MORE = frozenset({"test", "e2e", "bless", "bench"})


def _parser() -> argparse.ArgumentParser:
    """The options of all commands; an empty value counts as not given, as the Makefile passes them."""
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--host", type=lambda text: text or "127.0.0.1", default="127.0.0.1", help="address to serve on"
    )
    parser.add_argument(
        "--port", type=_port, default=None, help="port to serve on; default 8000 or the next free one"
    )
    parser.add_argument("--demo", type=_size, default="small", help=f"first start: {'|'.join(SIZES)}")
    parser.add_argument("--minutes", type=_minutes, default=60.0, help="fuzz: how long; default 60")
    parser.add_argument("--to", type=_path, default=None, help="backup: folder to write")
    parser.add_argument("--from", dest="source", type=_path, default=None, help="restore: folder to read")
    return parser


def _port(text: str) -> int | None:
    """A port number; None for an empty text."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return int(text)


def _minutes(text: str) -> float:
    """A number of minutes; an hour for an empty text."""
    if not text:
        return 60.0
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 6_000):
        raise argparse.ArgumentTypeError(f"not a number of minutes: {text}")
    return float(text)


def _size(text: str) -> str:
    """A size of the demonstration city."""
    if text and text not in SIZES:
        raise argparse.ArgumentTypeError(f"not one of {', '.join(SIZES)}: {text}")
    return text or "small"


def _path(text: str) -> Path | None:
    """A path; None for an empty text."""
    return Path(text).resolve() if text else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
