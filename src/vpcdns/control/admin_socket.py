"""The admin server's socket, bound before anything is served: TCP, or a UNIX socket.

Knows addresses and paths. A port that is taken is a StartupError with the same text as for a DNS port.
"""

import errno
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from vpcdns.admin_client import DEFAULT_PORT
from vpcdns.errors import StartupError
from vpcdns.model.policy import Listen
from vpcdns.net.bind_errors import startup_error
from vpcdns.net.binding import BACKLOG, bind_one


def bind(listen: Listen | Path) -> tuple[socket.socket, Listen | Path]:
    """The listening socket and what it is bound to; port 0 is any. Raises StartupError."""
    if isinstance(listen, Path):
        return _bind_unix(listen), listen
    try:
        bound = bind_one(listen, "tcp", dual=True)
    except OSError as error:
        spare_port = DEFAULT_PORT + (listen.port == DEFAULT_PORT)
        reason = startup_error(listen, "tcp", error, spare_port, can_wait=False)
        raise StartupError(f"admin.listen: {reason}") from error
    # Made anew it knows its protocol, and asyncio sets TCP_NODELAY: 0.6 ms a request, not 44.
    sock = socket.socket(fileno=bound.detach())
    return sock, replace(listen, port=sock.getsockname()[1])


def file_of(path: Path) -> tuple[int, int] | None:
    """Which file lies at `path`, by device and inode; None: none that can be seen."""
    with suppress(OSError):
        status = path.lstat()
        return status.st_dev, status.st_ino
    return None


def _bind_unix(path: Path) -> socket.socket:
    """For the owner and the group only; a dead process's socket is removed first."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_dead(path):
            path.unlink()
        sock.bind(str(path))
        path.chmod(0o660)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise StartupError(
            f"admin.listen: cannot listen on {path}: {error.strerror or error}\nways out:\n"
            "  - stop whoever listens there, or remove what is no socket\n"
            "  - name a path in a folder that this user may write to"
        ) from error
    sock.setblocking(False)
    return sock


def _is_dead(path: Path) -> bool:
    """Whether a socket lies there that nobody listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return path.is_socket() and client.connect_ex(str(path)) == errno.ECONNREFUSED
