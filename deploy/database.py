"""The platform's roles, database, extensions and schemas inside the private cluster."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.cluster import PORT, Cluster
from deploy.refusals import SetupError

SQL = Path(__file__).resolve().parent / "sql"


def connection(cluster: Cluster, password: str, database: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment of PostgreSQL's programs, as superuser; no password on the command line."""
    arguments = ["-h", str(cluster.socket), "-p", str(PORT), "-U", "postgres", "-d", database]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "PGCLIENTENCODING": "UTF8",
        "PGPASSWORD": password,
    }
    return arguments, environment


def run_sql(cluster: Cluster, secrets: dict[str, str], text: str, database: str = "postgres") -> str:
    """Run a psql script as superuser, stopping at its first error; return what it printed.

    Raises
    ------
    SetupError
        A statement failed; the message is PostgreSQL's.
    """
    arguments, environment = connection(cluster, secrets["superuser_password"], database)
    command = [cluster.program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *arguments]
    done = subprocess.run(command, input=text, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SetupError(
            f"数据库设置失败：{done.stderr.strip()}", f"Database set-up failed: {done.stderr.strip()}"
        )
    return done.stdout


def prepare(cluster: Cluster, secrets: dict[str, str]) -> None:
    """Bring roles, database, extensions and schemas to what this version wants; repeatable."""
    names = ("owner_password", "web_password", "render_password")
    roles = _variables(secrets, names) + (SQL / "roles.sql").read_text(encoding="utf-8")
    run_sql(cluster, secrets, roles)
    prepare_database(cluster, secrets, "onemap")
    if cluster.disposable:
        # The tests' databases are copies of template1, made by the owner role. They also forge records behind
        # the triggers' back, to see that it is noticed.
        run_sql(cluster, secrets, "ALTER ROLE onemap_owner CREATEDB")
        run_sql(cluster, secrets, "GRANT SET ON PARAMETER session_replication_role TO onemap_owner")
        prepare_database(cluster, secrets, "template1")


def prepare_database(cluster: Cluster, secrets: dict[str, str], database: str) -> None:
    """Extensions, schemas and default rights of one database."""
    run_sql(cluster, secrets, (SQL / "database.sql").read_text(encoding="utf-8"), database)


def _variables(secrets: dict[str, str], names: Sequence[str]) -> str:
    """Set psql variables inside the script, where no process list shows them."""
    for name in names:
        if not all(character.isalnum() or character in "-_" for character in secrets[name]):
            raise SetupError(
                f"var/secrets.json 中的 {name} 含有不支持的字符。", f"Unsupported character in {name}."
            )
    return "".join(f"\\set {name} '{secrets[name]}'\n" for name in names)
