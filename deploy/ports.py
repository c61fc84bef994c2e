"""Choose a free port, and hold it so that two checkouts that start together do not choose the same one."""

import errno
import socket

from deploy.refusals import SetupError

DEFAULT = 8000
TRIED = 200


def choose(host: str, wanted: int | None) -> tuple[int, socket.socket | None]:
    """A port to serve on, and the hold on it: keep the hold open for as long as the port is used.

    Parameters
    ----------
    host
        The address to serve on.
    wanted
        The port the operator asked for; None takes the default or the next free one.

    Raises
    ------
    SetupError
        The port asked for is taken, or no port is free.
    """
    if wanted is not None:
        if not is_free(host, wanted):
            raise SetupError(
                f"端口 {wanted} 已被占用；请用 PORT= 指定其他端口。",
                f"Port {wanted} is taken; name another with PORT=.",
            )
        return wanted, _hold(wanted)
    for port in range(DEFAULT, DEFAULT + TRIED):
        hold = _hold(port)
        if hold is not None and is_free(host, port):
            return port, hold
        if hold is not None:
            hold.close()
    raise SetupError("没有空闲端口；请用 PORT= 指定。", "No free port found; name one with PORT=.")


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now.

    Raises
    ------
    SetupError
        The address is not one of this machine's, or the port needs root.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of an earlier run that are still closing do not stop a server from listening.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as refusal:
            if refusal.errno == errno.EADDRINUSE:
                return False
            raise SetupError(
                f"无法在 {host}:{port} 上监听：{refusal.strerror}",
                f"Cannot listen on {host}:{port}: {refusal.strerror}",
            ) from None
    return True


def _hold(port: int) -> socket.socket | None:
    """Take the port's name among all checkouts on this machine; None when another holds it.

    The web server shares its port between its processes (SO_REUSEPORT), so the kernel would let two servers
    of one user listen on the same port. A socket name of Linux's abstract space is taken at once, and freed
    with its process.
    """
    hold = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        hold.bind(f"\0onemap-port-{port}")
    except OSError:
        hold.close()
        return None
    return hold
