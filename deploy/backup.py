"""Back up an installation into a folder, and restore it: database, files that the database names, secrets."""

import hashlib
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from deploy import cluster_location, database, installation, packages, passwords, running, site
from deploy.cluster import Cluster
from deploy.places import Places, make_var, read_json, write_json, write_text
from deploy.refusals import SetupError

DUMP, SECRETS, MANIFEST = "onemap.dump", "secrets.json", "manifest.json"
# Folders below var whose files the database names: documents and photos; rewritten rasters; signed packages; and the
# key they are signed with, which the trusted keys of other cities know.
FOLDERS = ("media", "rasters", "packages", "keys")
# Names that begin with a point are of files still being written, which nothing names yet.
UNFINISHED = ("--anchored", "--no-wildcards-match-slash", "--exclude=./.*")
TAR_CHANGED = 1  # tar's word for files that changed or went while it read
# Secrets that belong to the data. The database passwords belong to the cluster they were made for.
CARRIED_SECRETS = ("secret_key", "demo_password")
RESTORING = "onemap_restoring"


def backup(places: Places, target: Path | None) -> int:
    """Write a backup; works while the platform runs, and needs no downtime.

    The dump is one snapshot of the database. Files are copied after it: they are complete before a row names them
    and never rewritten, so everything the snapshot names is there.
    """
    make_var(places)
    folder = target or places.var / "backups" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if folder.exists():
        raise SetupError(f"{folder} 已存在。", f"{folder} exists already.")
    unfinished = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    _with_database(places, lambda cluster: _dump(places, cluster, unfinished / DUMP))
    for name in FOLDERS:
        _pack(places.var / name, unfinished / _archive(name))
    write_json(unfinished / SECRETS, passwords.ensure(places))
    write_json(unfinished / MANIFEST, _manifest(places, unfinished))
    unfinished.rename(folder)
    print(f"onemap: 备份完成 backup written: {folder}", flush=True)
    return 0


def _with_database(places: Places, work: Any) -> None:
    """Do something with the private cluster running; stop it again if it did not run before."""
    if not site.has_private_cluster():
        work(None)
        return
    cluster = cluster_location.existing(places)
    if cluster is None:
        raise SetupError("尚无数据库可备份。", "There is no database to back up yet.")
    started = cluster.start()
    try:
        work(cluster)
    finally:
        if started:
            cluster.stop()


def _dump(places: Places, cluster: Cluster | None, file: Path) -> None:
    """Dump the database as one snapshot in PostgreSQL's custom format."""
    if cluster is None:
        command = [_client_program("pg_dump"), "-Fc", "-f", str(file)]
        environment = dict(os.environ) | connection_variables(os.environ["DATABASE_URL"])
    else:
        password = passwords.ensure(places)["superuser_password"]
        arguments, environment = database.connection(cluster, password, "onemap")
        command = [cluster.program("pg_dump"), "-Fc", "-f", str(file), *arguments]
    _run(command, environment)


def connection_variables(url: str) -> dict[str, str]:
    """A database address as PostgreSQL's environment variables: no process list shows its password.

    Examples
    --------
    >>> connection_variables("postgres://lin:p%40ss@db.example:6432/city")["PGPASSWORD"]
    'p@ss'
    >>> connection_variables("postgres:///city?host=/run/db&port=5433")
    {'PGHOST': '/run/db', 'PGPORT': '5433', 'PGDATABASE': 'city'}
    """
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    named = {
        "PGHOST": query.get("host", parts.hostname),
        "PGPORT": query.get("port", parts.port),
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
        "PGDATABASE": parts.path.lstrip("/"),
        "PGSSLMODE": query.get("sslmode"),
    }
    return {name: unquote(str(value)) for name, value in named.items() if value}


def _client_program(name: str) -> str:
    """One of PostgreSQL's programs for a database elsewhere."""
    versions = packages.postgres_versions()
    program = shutil.which(name) or (
        str(packages.POSTGRES_FOLDER / str(versions[0]) / "bin" / name) if versions else ""
    )
    if not program:
        raise SetupError(
            f"缺少 {name}（postgresql-client）。", f"{name} is missing (package postgresql-client)."
        )
    return program


def _archive(folder: str) -> str:
    """The name of the file that holds one of FOLDERS."""
    return f"{folder}.tar"


def _pack(folder: Path, file: Path) -> None:
    """Pack a folder; an empty archive when there is none yet.

    What changes or goes meanwhile is nothing that the snapshot names.
    """
    contents = ["-C", str(folder), "."] if folder.is_dir() else ["-T", os.devnull]
    _run(["tar", "-cf", str(file), *UNFINISHED, *contents], dict(os.environ), fine=(0, TAR_CHANGED))


def _manifest(places: Places, folder: Path) -> dict[str, Any]:
    """What the backup holds, so that a damaged or incomplete one is noticed before anything is replaced."""
    demo = places.var / "demo"
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "demo": demo.read_text(encoding="utf-8").strip() if demo.exists() else "none",
        "sha256": {name: _sha256(folder / name) for name in (DUMP, *map(_archive, FOLDERS), SECRETS)},
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def restore(places: Places, folder: Path | None) -> int:
    """Replace this installation's data by a backup's; what was there is kept aside.

    The backup is loaded into a second database first; only when all of it is in do names change, in one
    transaction. Interrupted before that, nothing has changed.
    """
    source = verified(folder)
    make_var(places)
    if running.read_record(places) is not None:
        raise SetupError("平台正在运行，请先 make stop。", "The platform is running; make stop first.")
    if not site.has_private_cluster():
        raise SetupError(
            "DATABASE_URL 指向的数据库请用 pg_restore 恢复（见 docs/operations.md）。",
            "Restore the database that DATABASE_URL names with pg_restore (docs/operations.md).",
        )
    installation.prepare_programs(tests=False)
    cluster = installation.prepare_cluster(places)
    if cluster is None:
        raise SetupError("没有数据库。", "There is no database.")
    try:
        kept = replace(places, cluster, source)
        site.migrate(places)
    finally:
        cluster.stop()
    print(
        f"onemap: 恢复完成 restored. The former database is kept as {kept}, former files as var/{kept}_<folder>",
        flush=True,
    )
    return 0


def verified(folder: Path | None) -> Path:
    """The backup's folder, if everything in it is as it was written."""
    if folder is None:
        raise SetupError("请用 FROM= 指定备份文件夹。", "Name the backup's folder with FROM=.")
    sums = read_json(folder / MANIFEST).get("sha256", {})
    for name in {DUMP, _archive("media"), SECRETS, *sums}:
        if not (folder / name).is_file() or sums.get(name) != _sha256(folder / name):
            raise SetupError(
                f"{folder} 不是完整的备份（{name}）。", f"{folder} is not a whole backup ({name})."
            )
    return folder


def replace(places: Places, cluster: Cluster, source: Path) -> str:
    """Put a verified backup in the place of what is live; returns the name under which that is kept."""
    _load(places, cluster, source)
    return _swap(places, cluster, source)


def _load(places: Places, cluster: Cluster, source: Path) -> None:
    """Load dump and files beside what is live."""
    secrets = passwords.ensure(places)
    database.run_sql(cluster, secrets, f"DROP DATABASE IF EXISTS {RESTORING}")
    database.run_sql(cluster, secrets, f"CREATE DATABASE {RESTORING} OWNER onemap_owner TEMPLATE template0")
    arguments, environment = database.connection(cluster, secrets["superuser_password"], RESTORING)
    command = [cluster.program("pg_restore"), "--exit-on-error", "--jobs=2", *arguments, str(source / DUMP)]
    _run(command, environment)
    database.prepare_database(cluster, secrets, RESTORING)
    for name in _held(source):
        folder = _beside(places, name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        archive = str(source / _archive(name))
        _run(["tar", "--no-same-owner", "-xf", archive, "-C", str(folder)], dict(os.environ))


def _held(source: Path) -> list[str]:
    """Which of FOLDERS a backup holds; older ones hold media alone."""
    return [name for name in FOLDERS if (source / _archive(name)).is_file()]


def _beside(places: Places, folder: str) -> Path:
    """Where a folder is restored before it takes its place."""
    return places.var / f"{folder}.restoring"


def _swap(places: Places, cluster: Cluster, source: Path) -> str:
    """Give the restored data the live names; returns the name under which the former database is kept."""
    kept = f"onemap_before_{datetime.now(UTC):%Y%m%dt%H%M%S%f}"
    rename = (
        f"BEGIN; ALTER DATABASE onemap RENAME TO {kept}; ALTER DATABASE {RESTORING} RENAME TO onemap; COMMIT"
    )
    database.run_sql(cluster, passwords.ensure(places), rename)
    for name in _held(source):
        folder = places.var / name
        if folder.exists():
            folder.rename(places.var / f"{kept}_{name}")
        _beside(places, name).rename(folder)
    carried = read_json(source / SECRETS)
    for name in CARRIED_SECRETS:
        passwords.remember(places, name, carried[name])
    write_text(places.var / "demo", f"{read_json(source / MANIFEST).get('demo', 'none')}\n", mode=0o644)
    database.prepare(cluster, passwords.ensure(places))
    return kept


def _run(command: list[str], environment: dict[str, str], fine: tuple[int, ...] = (0,)) -> None:
    """Run one step; its own output explains a failure."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, umask=0o077, check=False)
    if done.returncode not in fine:
        name = Path(command[0]).name
        raise SetupError(f"{name} 失败（见上方输出）", f"{name} failed (see the output above)")
