"""Where an installation's cluster lives, also after the checkout was moved, copied or half deleted."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import owner
from deploy.cluster import Cluster
from deploy.owner import Owner
from deploy.places import Places, read_json
from deploy.refusals import SetupError

OUTSIDE = Path("/var/lib/onemap")


def locate(places: Places, *, disposable: bool = False) -> Cluster:
    """The cluster of this installation: the one noted in var/cluster, else a place for a new one."""
    noted = read_json(places.var / "cluster")
    data = _noted_data(places, noted) if noted else None
    user = owner.named(noted["os_user"]) if data is not None and os.geteuid() == 0 else owner.choose()
    if data is None:
        data = _new_data(places, user, disposable=disposable)
    cluster = Cluster(places, user, data, socket_folder(places, user), disposable)
    cluster.note()
    return cluster


def existing(places: Places, *, disposable: bool = False) -> Cluster | None:
    """The cluster this installation already has; None when nothing was set up."""
    noted = read_json(places.var / "cluster")
    if noted.get("hash") != places.digest or not (Path(noted["data"]) / "PG_VERSION").exists():
        return None
    return Cluster(
        places, owner.named(noted["os_user"]), Path(noted["data"]), Path(noted["socket"]), disposable
    )


def socket_folder(places: Places, user: Owner) -> Path:
    """The folder of the socket: short, wherever the checkout is.

    Root's is below /run, where nobody else can take the name. An ordinary user's is below /tmp and not in the
    login session's own folder, which goes away at logout.
    """
    base = Path("/run") if user.is_other and os.access("/run", os.W_OK) else Path("/tmp")
    return base / f"onemap-{places.digest}"


def _noted_data(places: Places, noted: dict[str, Any]) -> Path | None:
    """The data folder that the note means here; None when this is a copy that needs a cluster of its own."""
    data, inside = Path(noted["data"]), places.var / "db"
    if noted["hash"] == places.digest:
        return data
    was_inside = data == Path(noted["var"]) / "db"
    if was_inside:
        _refuse_torn_copy(inside, data)
        return inside if inside.exists() else None
    original_note = read_json(Path(noted["var"]) / "cluster")
    is_copy = original_note.get("data") == noted["data"]
    return None if is_copy else data


def _refuse_torn_copy(data: Path, original: Path) -> None:
    """Refuse a data folder that was copied while its server ran: the copy is not whole."""
    if (data / "postmaster.pid").exists() and original.exists():
        raise SetupError(
            f"{data} 是在数据库运行时复制的，数据不完整。请删除 var 文件夹，或用 make restore 恢复备份。",
            f"{data} was copied while its database was running and is not whole. "
            "Delete the var folder, or restore a backup with make restore.",
        )


def _new_data(places: Places, user: Owner, *, disposable: bool) -> Path:
    """A place for a new cluster: below `var`, or outside when the server's user cannot reach it there."""
    inside = places.var / "db"
    if not user.is_other or (inside / "PG_VERSION").exists():
        return inside
    probe = places.var / "db.new"
    user.take(probe)
    reachable = user.can_use(probe)
    probe.rmdir() if not any(probe.iterdir()) else None
    if reachable:
        return inside
    OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = OUTSIDE / places.digest
    if (folder / "db").exists():
        _set_aside(folder, disposable=disposable)
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder / "db"


def _set_aside(folder: Path, *, disposable: bool) -> None:
    """Make room where an earlier installation of this path left its data; its secrets went with `var`."""
    if disposable:
        subprocess.run(["rm", "-rf", "--", str(folder)], check=True)
        return
    kept = folder.with_name(f"{folder.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    folder.rename(kept)
    print(f"onemap: an earlier database of this path was set aside: {kept}", flush=True)
