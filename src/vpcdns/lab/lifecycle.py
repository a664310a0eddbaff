"""Labs that outlive a command: up, down, and who is there.

What is known of a lab is one file in /run/vpcdns-lab and the namespaces that bear its prefix, so that `down`
cleans up after a crash as well. /etc/netns/NAME/resolv.conf makes `ip netns exec` ask the lab's resolver.
"""

import json
import os
import re
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from vpcdns.errors import LabError
from vpcdns.lab.blueprint import RESOLVER
from vpcdns.lab.kernel import Kernel, namespaces, require_root

RUN: Final = Path("/run/vpcdns-lab")
ETC: Final = Path("/etc/netns")
_STOPPED: Final = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up, or was when it crashed."""

    name: str
    file: str
    pid: int

    @property
    def prefix(self) -> str:
        return prefix_of(self.name)


def prefix_of(name: str) -> str:
    """What a lab's namespaces begin with; `+` is in no name, so no lab's prefix is another's."""
    return f"vpcdns+{name}+"


def name_of(file: Path) -> str:
    """A lab's name after its configuration file."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", file.stem) or "lab"


def labs() -> list[Lab]:
    """The labs that are known of."""
    if not RUN.is_dir():
        return []
    return [Lab(**json.loads(file.read_text())) for file in sorted(RUN.glob("*.json"))]


def up(name: str, file: Path) -> Lab:
    """Builds a lab and leaves its daemon running; raises LabError."""
    require_root()
    if any(lab.name == name for lab in labs()) or namespaces(prefix_of(name)):
        raise LabError(f"lab {name} is up already, or has left something; vpcdns lab down {file}")
    RUN.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "vpcdns.lab.daemon", prefix_of(name), str(file.resolve())]
    pid, said = _spawn(command, RUN / f"{name}.log")
    lab = Lab(name, str(file), pid)
    (RUN / f"{name}.json").write_text(json.dumps(asdict(lab)))
    if said != "ready\n":
        os.waitpid(pid, 0)
        why = (RUN / f"{name}.log").read_text().strip()
        down(name)
        raise LabError(why or f"lab {name} did not come up")
    for namespace in namespaces(lab.prefix):
        folder = ETC / namespace
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\n")
    return lab


def _spawn(command: list[str], log: Path) -> tuple[int, str]:
    """Starts a process that outlives us, in a session of its own; its number, and its first line."""
    reading, writing = os.pipe()
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(log), write, 0o644),
        (os.POSIX_SPAWN_DUP2, writing, 1),
    ]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=files, setsid=True)
    os.close(writing)
    with os.fdopen(reading) as stream:
        return pid, stream.readline()


def down(name: str) -> bool:
    """Takes a lab away, whatever is left of it; False when nothing was."""
    require_root()
    known = next((lab for lab in labs() if lab.name == name), None)
    left = namespaces(prefix_of(name))
    if known is not None:
        _stop(known)
    for namespace in {*left, *namespaces(prefix_of(name))}:
        shutil.rmtree(ETC / namespace, ignore_errors=True)
    Kernel(prefix_of(name)).remove()
    for suffix in ("json", "log"):
        (RUN / f"{name}.{suffix}").unlink(missing_ok=True)
    return known is not None or bool(left)


def _stop(lab: Lab) -> None:
    """Ends the daemon, if the process of that number is it."""
    line = Path(f"/proc/{lab.pid}/cmdline")
    deadline = time.monotonic() + _STOPPED
    number = signal.SIGTERM
    while _is_daemon(line, lab):
        os.kill(lab.pid, number)
        time.sleep(0.1)
        if time.monotonic() > deadline:
            number = signal.SIGKILL


def _is_daemon(line: Path, lab: Lab) -> bool:
    try:
        words = line.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"vpcdns.lab.daemon" in words and lab.prefix.encode() in words


def command_in(lab: Lab, node: str, command: list[str]) -> list[str]:
    """How to run a command in a node's namespace."""
    require_root()
    there = f"{lab.prefix}{node}"
    if there not in namespaces(lab.prefix):
        nodes = [name.removeprefix(lab.prefix) for name in namespaces(lab.prefix)]
        known = ", ".join(name for name in nodes if not name.startswith("_")) or "none"
        raise LabError(f"lab {lab.name} has no VPC or network {node}; it has: {known}")
    ip = shutil.which("ip")
    if ip is None:
        raise LabError("`ip` of iproute2 is needed; on Debian and Ubuntu: apt-get install iproute2")
    return [ip, "netns", "exec", there, *command]
