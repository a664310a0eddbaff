"""Labs that outlive a command: up and down, and how a command runs in one."""

import os
import re
import shlex
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from vpcdns.errors import LabError
from vpcdns.lab.kernel import Kernel, require_extra, require_root
from vpcdns.lab.ownership import RUN, Lab, check_name, labs, prefix_of, trusted_file

_DAEMON: Final = "vpcdns.lab.daemon"
READY: Final = "ready\n"
_STOPPED: Final = 10.0  # seconds
# Whom OpenSSL, Python, Go and Ruby trust, then curl, Python's requests and Node.js.
_TRUST: Final = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")  # out of reach from a lab


def name_of(file: Path) -> str:
    """A lab's name after its configuration file."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", file.stem) or "lab"


def log_file(name: str) -> Path:
    """What the daemon of a lab says."""
    return RUN / f"{name}.log"


def find(name: str) -> Lab | None:
    """The lab of that name, if it is known of."""
    return next((lab for lab in labs() if lab.name == name), None)


def up(name: str, file: Path) -> Lab:
    """Builds a lab and leaves its daemon running; raises LabError. What is interrupted leaves nothing."""
    require_root()
    require_extra()
    check_name(name)
    lab = find(name)
    if lab is not None and lab.is_owned:
        down = shlex.quote(str(file)) if name == name_of(file) else f"--name {name}"
        raise LabError(f"lab {name} is up already; first: vpcdns lab down {down}")
    RUN.mkdir(exist_ok=True)
    log = log_file(name)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # else nobody would end the daemon
    try:
        pid, output = _spawn([sys.executable, "-m", _DAEMON, name, str(file.resolve())], log, before)
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with os.fdopen(output) as stream:
            said = stream.readline()
    except BaseException:
        os.killpg(pid, signal.SIGKILL)  # its own session, with what it has started
        os.waitpid(pid, 0)
        deadline = time.monotonic() + _STOPPED
        while (lab := find(name)) is not None and lab.is_owned and time.monotonic() < deadline:
            time.sleep(0.05)  # until they all have ended
        _remove(name)
        raise
    lab = find(name)
    if said == READY and lab is not None:
        return lab
    os.waitpid(pid, 0)
    why = log.read_text().strip()
    _remove(name)
    raise LabError(why or f"lab {name} did not come up")


def _spawn(command: list[str], log: Path, mask: set[int]) -> tuple[int, int]:
    """Starts a process that outlives us, in a session of its own; its number, and where its output comes."""
    reading, writing = os.pipe()
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(log), write, 0o644),
        (os.POSIX_SPAWN_DUP2, writing, 1),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True, setsigmask=mask)
    os.close(writing)
    return pid, reading


def down(name: str) -> bool:
    """Takes a lab away, whatever is left of it; False when nothing was."""
    require_root()
    if (lab := find(name)) is None:
        return False
    _stop(lab)
    _remove(name)
    return True


def remove_abandoned() -> None:
    """Takes away the labs whose owners were killed."""
    for lab in labs():
        with suppress(LabError):  # somebody else has just taken it over
            if not lab.is_owned:
                _remove(lab.name)


def _remove(name: str) -> None:
    log_file(name).unlink(missing_ok=True)
    Kernel(name).remove()


def _stop(lab: Lab) -> None:
    """Ends the daemon that owns a lab; raises LabError when something else owns it."""
    deadline = time.monotonic() + _STOPPED
    while lab.is_owned:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            if _DAEMON.encode() not in Path(f"/proc/{lab.pid}/cmdline").read_bytes().split(b"\0"):
                raise LabError(f"lab {lab.name} is process {lab.pid}'s, which `vpcdns lab up` did not start")
            os.kill(lab.pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(0.1)


def command_in(lab: Lab, node: str, command: list[str]) -> list[str]:
    """How to run a command in a node's namespace, in `environment`."""
    require_root()
    if not lab.is_owned:
        again = f"first: vpcdns lab down --name {lab.name}, then up again"
        raise LabError(f"nothing answers in lab {lab.name}, as its process {lab.pid} has ended; {again}")
    there = f"{prefix_of(lab.name)}{node}"
    if there not in lab.namespaces:
        nodes = [name.removeprefix(prefix_of(lab.name)) for name in lab.namespaces]
        known = ", ".join(name for name in nodes if not name.startswith("_")) or "none"
        raise LabError(f"lab {lab.name} has no VPC or network {node}; it has: {known}")
    ip = shutil.which("ip")
    if ip is None:
        raise LabError("`ip` of iproute2 is needed; on Debian and Ubuntu: apt-get install iproute2")
    return [ip, "netns", "exec", there, *command]


def environment(lab: Lab) -> dict[str, str]:
    """The environment for a command in a lab: it trusts the lab's certificates, and asks no proxy."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    return kept | dict.fromkeys(_TRUST, str(trusted_file(lab.name)))
