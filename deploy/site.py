"""The Django site as set-up sees it: its environment, its management commands, its demonstration city."""

import os
import subprocess
import sys

from deploy import passwords
from deploy.places import Places, write_text
from deploy.refusals import SetupError

SIZES = ("small", "district", "city", "none")
ACCOUNTS = (
    ("planner", "规划编制"),
    ("reviewer", "规划审查"),
    ("registrar", "成果发布"),
    ("inspector", "信息采集员"),
    ("acceptor", "受理员"),
    ("shift", "值班长"),
    ("dispatcher", "派遣员"),
    ("handler", "处置部门"),
    ("supervisor", "住建监督"),
    ("datamanager", "数据管理"),
    ("admin", "管理员"),
)


# Each thread of a server takes memory from a heap of its own, which keeps what it once needed: with 64 threads a
# process holds on to much that is free. Two heaps serve them all (mallopt(3), M_ARENA_MAX).
HEAPS = {"MALLOC_ARENA_MAX": "2"}
NOT_INHERITED = frozenset({"VIRTUAL_ENV", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"})


def environment(places: Places, role: str) -> dict[str, str]:
    """The environment of the site's processes; `role` is the database login: owner or web.

    Who forbids compiled files means those beside the sources: ours are below `var`.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    own = {"ONEMAP_VAR": str(places.var), "ONEMAP_DB_ROLE": role}
    own |= {"PYTHONUNBUFFERED": "1", "PYTHONPYCACHEPREFIX": str(places.bytecode)}
    return {**HEAPS, **inherited, "DJANGO_SETTINGS_MODULE": "config.settings", **own}


def has_private_cluster() -> bool:
    """Whether the database is ours to run; DATABASE_URL names another."""
    return not os.environ.get("DATABASE_URL")


def manage(places: Places, *arguments: str) -> None:
    """Run a management command as the database's owner, its output shown.

    Raises
    ------
    SetupError
        The command failed.
    """
    command = [str(places.python), "manage.py", *arguments]
    sys.stdout.flush()
    done = subprocess.run(
        command,
        cwd=places.root,
        env=environment(places, "owner"),
        stdin=subprocess.DEVNULL,
        umask=0o077,
        check=False,
    )
    if done.returncode != 0:
        name = " ".join(arguments)
        raise SetupError(
            f"manage.py {name} 失败（见上方输出）", f"manage.py {name} failed (see the output above)"
        )


def migrate(places: Places) -> None:
    """Check the site (libraries, settings, models: `migrate` does so first) and bring tables to this version."""
    manage(places, "migrate", "--no-input", "--verbosity", "0")


def load_demo(places: Places, size: str) -> None:
    """Load the demonstration city on the first start, and never again.

    `none` counts as the first start too: a platform in use must not receive a generated city later.
    """
    stamp = places.var / "demo"
    if stamp.exists():
        loaded = stamp.read_text(encoding="utf-8").strip()
        if size not in (loaded, "small"):
            print(f"onemap: first start was with DEMO={loaded}; DEMO={size} changes nothing", flush=True)
        return
    if size != "none":
        chosen = os.environ.get("ONEMAP_DEMO_PASSWORD")
        if chosen:
            passwords.remember(places, "demo_password", chosen)
        print(f"onemap: loading the demonstration city ({size})", flush=True)
        manage(places, "demo_city", "--size", size)
    write_text(stamp, size + "\n", mode=0o644)


def forget_demo(places: Places) -> None:
    """A new, empty database has no demonstration city, whatever an earlier one had."""
    (places.var / "demo").unlink(missing_ok=True)


def welcome(places: Places, url: str) -> str:
    """What to tell the operator once the platform answers."""
    lines = ["", "  一张图 onemap", f"  {url}", ""]
    stamp = places.var / "demo"
    if stamp.exists() and stamp.read_text(encoding="utf-8").strip() != "none":
        lines.append("  示范账号 demonstration accounts:")
        lines += [f"    {name:<12} {title}" for name, title in ACCOUNTS]
        lines += [f"  密码 password (all): {passwords.ensure(places)['demo_password']}", ""]
    return "\n".join(lines)
