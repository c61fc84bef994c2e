"""The locked Python environment in `.venv`, made by a pinned uv that lives below `var/tools`."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import stamps
from deploy.places import Places
from deploy.refusals import SetupError

UV_VERSION = "0.13.9"
PUBLIC_INDEX_HOST = "pypi.org"
# pip's settings, and what uv calls the same.
UV_NAMES = {"cert": "SSL_CERT_FILE", "proxy": "ALL_PROXY", "trusted-host": "UV_INSECURE_HOST"}


def ensure(places: Places, *, tests: bool) -> None:
    """Bring `.venv` to exactly what uv.lock says; nothing is done when the lock has not changed.

    Parameters
    ----------
    places
        The installation.
    tests
        Whether the tools of the tests are needed. An environment that has them keeps them.
    """
    stamp = places.root / ".venv" / "onemap-stamp"
    with_tests = tests or _has_test_tools(places)
    inputs = (places.root / "uv.lock", places.root / "pyproject.toml")
    value = stamps.digest(inputs, UV_VERSION, f"tests={with_tests}")
    if places.python.exists() and stamps.is_fresh(stamp, value) and _starts(places.python):
        return
    print("onemap: installing the locked Python environment (.venv)", flush=True)
    uv = _ensure_uv(places)
    _sync(places, uv, with_tests=with_tests)
    # A file is known by its time and size, which another version's may have too.
    shutil.rmtree(places.bytecode, ignore_errors=True)
    stamps.mark(stamp, value)


def make_tool(places: Places, name: str, *requirements: str) -> Path:
    """A private virtual environment below `var/tools` with pinned packages; returns its folder.

    pip reads the machine's own settings (mirror, certificate, proxy). Interrupted work is redone.
    """
    folder = places.tools / name
    stamp = folder / "onemap-stamp"
    value = f"{' '.join(requirements)} {sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    if stamps.is_fresh(stamp, value) and python.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
    stamps.mark(stamp, value)
    return folder


def _ensure_uv(places: Places) -> Path:
    """Path of the pinned uv."""
    return make_tool(places, "uv", f"uv=={UV_VERSION}") / "bin" / "uv"


def _has_test_tools(places: Places) -> bool:
    """Whether the environment already holds the tools of the tests."""
    packages = (places.root / ".venv" / "lib").glob("python3.*/site-packages/pytest")
    return any(True for _ in packages)


def _starts(python: Path) -> bool:
    """Whether the interpreter runs: a system upgrade or a moved folder can leave a dead one."""
    return subprocess.run([str(python), "-c", ""], capture_output=True, check=False).returncode == 0


def _sync(places: Places, uv: Path, *, with_tests: bool) -> None:
    """Install what the lock names, from the public index or from the mirror that pip is set up for."""
    settings = _pip_settings(uv)
    environment = _uv_environment(places, settings)
    groups = () if with_tests else ("--no-dev",)
    fresh = not (places.python.exists() and _starts(places.python))
    interpreter = ("--python", sys.executable) if fresh else ()
    mirror = settings.get("index-url", "")
    if not mirror or PUBLIC_INDEX_HOST in mirror:
        _run([str(uv), "sync", "--locked", "--quiet", *groups, *interpreter], places.root, environment)
        return
    # The lock names the public index. A mirror has the same files, so it is asked for the same hashes.
    listed = places.tools / "requirements.txt"
    export = ["export", "--frozen", "--quiet", "--no-emit-project", *groups, "--output-file", str(listed)]
    _run([str(uv), *export], places.root, environment)
    if fresh:
        _run([str(uv), "venv", "--quiet", "--clear", *interpreter, ".venv"], places.root, environment)
    install = ["pip", "sync", "--quiet", "--require-hashes", "--python", str(places.python), str(listed)]
    _run([str(uv), *install], places.root, {**environment, "UV_DEFAULT_INDEX": mirror})


def _uv_environment(places: Places, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of uv: this checkout's folder, this machine's interpreter, pip's settings.

    uv does not read pip's settings itself; what the machine's owner told pip holds for it too.
    """
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PROJECT_ENVIRONMENT"] = str(places.root / ".venv")
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment.setdefault("UV_HTTP_TIMEOUT", "180")
    for setting, name in UV_NAMES.items():
        if settings.get(setting):
            environment.setdefault(name, settings[setting])
    return environment


def _pip_settings(uv: Path) -> dict[str, str]:
    """Pip's settings on this machine, by name."""
    command = [str(uv.parent / "python"), "-m", "pip", "config", "list"]
    return parse_pip_settings(subprocess.run(command, capture_output=True, text=True, check=False).stdout)


def parse_pip_settings(listing: str) -> dict[str, str]:
    r"""Settings out of `pip config list`: the environment over those for installing, these over the rest.

    Examples
    --------
    >>> parse_pip_settings("global.cert='/ca.pem'\\nglobal.index-url='https://a'\\n:env:.index-url='https://b'")
    {'cert': '/ca.pem', 'index-url': 'https://b'}
    """
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=(.*)$", listing, re.MULTILINE):
            found[name] = str(ast.literal_eval(value))
    return found


def _run(
    command: list[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Run one step of the installation, or say which one failed; its own output is above."""
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise SetupError(
            f"安装失败：{' '.join(command[:4])} …（原因见上方输出）",
            f"Installation failed: {' '.join(command[:4])} … (the reason is in the output above)",
        )
