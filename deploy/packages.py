"""The Debian packages of the server: what is missing, and how to get it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.refusals import SetupError

POSTGRES_FOLDER = Path("/usr/lib/postgresql")
EXTENSION_FOLDER = Path("/usr/share/postgresql")
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
OLDEST_POSTGRES = 15

# Debian makes and starts a cluster called `main` when a server is installed. Ours is private to the checkout,
# so this drop-in says no, and only on machines where no server was installed before.
CREATECLUSTER = Path("/etc/postgresql-common/createcluster.d/onemap.conf")

APT = ("apt-get", "-y", "-qq", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confold")
OTHER_SYSTEMS = (
    "PostgreSQL >= 15 with PostGIS >= 3.3 (server, client), Python 3.11-3.13 with venv, "
    "a CJK font such as Noto Sans CJK, CA certificates, libexpat"
)


@dataclass(frozen=True)
class Need:
    """A thing the machine must have, the Debian packages that bring it, and how to see that it is there."""

    packages: tuple[str, ...]
    present: Callable[[], bool]


def postgres_versions() -> list[int]:
    """Major versions of the installed servers that have PostGIS, newest first."""
    versions = [int(folder.name) for folder in POSTGRES_FOLDER.glob("[0-9]*") if folder.name.isdigit()]
    return sorted((version for version in versions if _has_postgis(version)), reverse=True)


def _has_postgis(version: int) -> bool:
    """Whether this server is whole: programs and the PostGIS extension."""
    programs = POSTGRES_FOLDER / str(version) / "bin"
    control = EXTENSION_FOLDER / str(version) / "extension" / "postgis.control"
    wanted = ("postgres", "initdb", "psql", "pg_dump", "pg_restore", "pg_isready")
    return (
        version >= OLDEST_POSTGRES and control.exists() and all((programs / name).exists() for name in wanted)
    )


def _has_chinese_font() -> bool:
    """Whether a font with Chinese characters is installed; Mapnik's wheel brings DejaVu only."""
    patterns = ("**/NotoSansCJK*", "**/NotoSerifCJK*", "**/SourceHanSans*", "**/wqy-*")
    return any(True for folder in FONT_FOLDERS for pattern in patterns for _ in folder.glob(pattern))


def _has_venv() -> bool:
    """Whether this interpreter can make virtual environments (Debian splits that off)."""
    probe = subprocess.run([sys.executable, "-c", "import ensurepip, venv"], capture_output=True, check=False)
    return probe.returncode == 0


def _has_library(name: str) -> bool:
    """Whether the dynamic linker finds a shared library that wheels expect from the system."""
    code = f"import ctypes; ctypes.CDLL({name!r})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def chromium() -> str | None:
    """Path of the installed Chromium, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


SERVER = (
    Need(("postgresql-15", "postgresql-15-postgis-3"), lambda: bool(postgres_versions())),
    Need(("fonts-noto-cjk",), _has_chinese_font),
    Need(("ca-certificates",), lambda: Path("/etc/ssl/certs/ca-certificates.crt").exists()),
    Need(("libexpat1",), lambda: _has_library("libexpat.so.1")),
    Need(("python3-venv",), _has_venv),
)
WITHOUT_DATABASE = SERVER[1:]
BROWSER = (Need(("chromium",), lambda: chromium() is not None),)


def ensure(needs: Iterable[Need]) -> None:
    """Install what is missing; no call of apt when nothing is.

    Raises
    ------
    SetupError
        Not a Debian machine, no way to become root, or the installation failed; names the packages.
    """
    missing = [need for need in needs if not need.present()]
    if not missing:
        return
    names = [name for need in missing for name in need.packages]
    print(f"onemap: installing {' '.join(names)}", flush=True)
    prefix = _root_prefix(names)
    if "postgresql-15" in names and not POSTGRES_FOLDER.exists():
        _decline_main_cluster(prefix)
    _install(prefix, names)
    still = [name for need in missing if not need.present() for name in need.packages]
    if still:
        raise _not_installed(still)


def _root_prefix(names: list[str]) -> tuple[str, ...]:
    """What to put before a command that needs root."""
    if shutil.which("apt-get") is None:
        raise SetupError(
            f"本机没有 apt-get。请安装：{OTHER_SYSTEMS}",
            f"This machine has no apt-get. Install: {OTHER_SYSTEMS}",
        )
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") and _may_sudo():
        return ("sudo",)
    raise _not_installed(names)


def _may_sudo() -> bool:
    """Whether sudo works: without a password, or with a person at the terminal to type it."""
    if subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return True
    return sys.stdin.isatty()


def _not_installed(names: list[str]) -> SetupError:
    """The refusal that says exactly what to install."""
    command = f"apt-get install -y {' '.join(names)}"
    return SetupError(
        f"缺少系统软件包。请以 root 运行：{command}",
        f"System packages are missing. As root run: {command}",
    )


def _decline_main_cluster(prefix: tuple[str, ...]) -> None:
    """Tell Debian, before its server is installed, not to make a cluster of its own."""
    subprocess.run([*prefix, "mkdir", "-p", str(CREATECLUSTER.parent)], check=True)
    subprocess.run(
        [*prefix, "tee", str(CREATECLUSTER)],
        input=b"# onemap keeps a private cluster for each checkout (docs/operations.md)\n"
        b"create_main_cluster = false\n",
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _install(prefix: tuple[str, ...], names: list[str]) -> None:
    """Fetch the package lists and install; the lists of a fresh machine are empty or old."""
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive")
    update = subprocess.run([*prefix, *quiet, *APT, "update"], check=False)
    if update.returncode != 0:
        print("onemap: apt-get update failed; trying with the lists at hand", file=sys.stderr, flush=True)
    command = [*prefix, *quiet, *APT, "--no-install-recommends", "install", *names]
    with open(os.devnull, "wb") as nowhere:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=nowhere, check=False)
    if done.returncode != 0:
        raise _not_installed(names)
