"""The cluster's configuration, in proportion to the machine it runs on."""

import os
from pathlib import Path

MEGABYTE = 1024 * 1024

# name = value; sizes that depend on the machine are added by `settings_text`.
FIXED = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "200",  # two web processes of 64 threads, workers, people
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    # Writing: bulk loads fill the log quickly; rare, spread checkpoints keep editors' saves even.
    "wal_compression": "on",
    "max_wal_size": "'4GB'",
    "min_wal_size": "'512MB'",
    "checkpoint_timeout": "'15min'",
    "checkpoint_completion_target": "0.9",
    # Planning: many small spatial queries. Compiling them costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    "default_statistics_target": "200",
    # Logs turn over weekly. Statements stay out of them, except those that fail: they may hold personal data.
    "logging_collector": "on",
    "log_directory": "'log'",
    "log_filename": "'postgresql-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_size": "0",
    "log_rotation_age": "'1d'",
    "log_lock_waits": "on",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "'panic'",
}
# For tests: what was committed survives any killed process, but not a power cut.
DISPOSABLE = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "'1GB'"}


def memory_megabytes() -> int:
    """Memory of the machine in MiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE


def scaled(memory: int, cores: int, *, disposable: bool) -> dict[str, str]:
    """Sizes for a machine with `memory` MiB and `cores` cores.

    A quarter of memory for the shared buffers, at most 4 GiB (512 MiB for tests); the rest is file cache.

    Examples
    --------
    >>> scaled(24 * 1024, 2, disposable=False)["shared_buffers"]
    "'4096MB'"
    >>> scaled(1024, 1, disposable=False)["shared_buffers"]
    "'256MB'"
    """
    buffers = min(memory // 4, 512 if disposable else 4096)
    return {
        "shared_buffers": f"'{buffers}MB'",
        "effective_cache_size": f"'{memory * 6 // 10}MB'",
        "work_mem": f"'{max(4, min(64, memory // 400))}MB'",
        "maintenance_work_mem": f"'{max(64, min(1024, memory // 16))}MB'",
        "max_parallel_workers_per_gather": str(min(2, max(cores - 1, 0))),
        "max_parallel_maintenance_workers": str(min(2, cores)),
    }


def settings_text(socket: Path, port: int, *, disposable: bool) -> str:
    """The text of conf.d/onemap.conf, written anew at each start."""
    settings = FIXED | scaled(memory_megabytes(), os.cpu_count() or 1, disposable=disposable)
    settings |= {"unix_socket_directories": f"'{socket}'", "port": str(port)}
    if disposable:
        settings |= DISPOSABLE
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    return "# Written by onemap at each start; changes belong into a file of your own beside it.\n" + "".join(
        lines
    )
