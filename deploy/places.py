"""Where one checkout keeps its things, and the short name that tells it from its neighbours."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.refusals import SetupError

CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Places:
    """The folders of one installation.

    Attributes
    ----------
    root
        The checkout.
    var
        Everything the program writes. Two `var` folders are two installations, even below one checkout.
    """

    root: Path
    var: Path

    @property
    def digest(self) -> str:
        """Eight hex digits that name this installation on this machine."""
        return hashlib.sha256(os.fsencode(self.var)).hexdigest()[:8]

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.var / "log"

    @property
    def tools(self) -> Path:
        """Folder of the tools that set-up needs and the machine may not have."""
        return self.root / "var" / "tools"

    @property
    def bytecode(self) -> Path:
        """Folder of what the interpreter compiled, so that every process but the first starts in half the time."""
        return self.root / "var" / "bytecode"

    @property
    def python(self) -> Path:
        """The locked environment's interpreter."""
        return self.root / ".venv" / "bin" / "python"


def live() -> Places:
    """The installation people work with: `var` below the checkout, or the folder that ONEMAP_VAR names."""
    return Places(CHECKOUT, Path(os.environ.get("ONEMAP_VAR") or CHECKOUT / "var").resolve())


def for_tests() -> Places:
    """A second installation below the same checkout that tests may wipe."""
    return Places(CHECKOUT, CHECKOUT / "var" / "test")


def make_var(places: Places) -> None:
    """Create the `var` folder, private to its owner; refuse one that belongs to somebody else.

    The database's own operating-system user must be able to pass through it when set-up runs as root, so it
    may be entered but not listed.
    """
    places.var.mkdir(parents=True, exist_ok=True)
    owner = places.var.stat().st_uid
    if owner != os.geteuid():
        raise SetupError(
            f"{places.var} 属于另一个系统用户（uid {owner}）。请用该用户运行。",
            f"{places.var} belongs to another system user (uid {owner}). Run this as that user.",
        )
    places.var.chmod(0o711 if owner == 0 else 0o700)
    (places.var / "static").mkdir(exist_ok=True)
    places.logs.mkdir(exist_ok=True)
    places.logs.chmod(0o700)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; an empty one when the file is missing or not an object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_text(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file as a whole, so that a reader or a power cut never meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any], mode: int = 0o600) -> None:
    """Replace a JSON file as a whole."""
    write_text(path, json.dumps(content, ensure_ascii=False, indent=2) + "\n", mode)
