"""A worker that takes the place of one that was lost: `python -m` this, executed by the main process.

A process that has threads cannot fork another one safely, so it is a new program, which reads everything
from memory that it inherits.
"""

import os
import pickle
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

from vpcdns.model.policy import Listen
from vpcdns.net.binding import Sharing
from vpcdns.process.log import log_to_stderr
from vpcdns.process.server_parts import ServerParts, Settings
from vpcdns.process.worker_duties import WorkerDuties
from vpcdns.process.workers import Worker, Workers, channel, received, work
from vpcdns.process.world_transfer import WorldTransfer
from vpcdns.server.faults import SharedCounts
from vpcdns.state import Contents, State

_MODULE = "vpcdns.process.replacement"


@dataclass(frozen=True, slots=True)
class Start:
    """What it is told first. The file's World is in memory, and the current one, where that is another."""

    number: int
    settings: Settings
    listens: tuple[Listen, ...]
    revision: int
    unfiled: int


def execute(start: Start, worlds: WorldTransfer, transfer: WorldTransfer, counts: SharedCounts) -> Worker:
    """Begins the process. `worlds` is for its start, `transfer` for later reloads. Raises OSError."""
    ours, theirs = channel()
    with theirs:
        inherited = theirs.fileno(), worlds.fd, transfer.fd, counts.fd
        actions = [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in inherited]  # onto itself: it is inherited then
        # -P: not what lies in the working directory.
        command = [sys.executable, "-P", "-m", _MODULE, *map(str, inherited)]
        try:
            ours.send_bytes(pickle.dumps(start))  # it waits there to be read
            pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        except BaseException:
            ours.close()
            raise
    return Worker(start.number, pid, ours)


def main() -> None:
    log_to_stderr()
    channel_fd, worlds_fd, transfer_fd, counts_fd = map(int, sys.argv[1:])
    main_process = Connection(channel_fd)
    start: Start = received(main_process)

    def duties() -> WorkerDuties:
        file, *changed = WorldTransfer(worlds_fd).read()
        world = replace(changed[0] if changed else file, revision=start.revision)
        state = State(file, contents=Contents(world, unfiled=start.unfiled))
        counts = SharedCounts(start.settings.processes, start.number, counts_fd)
        parts = ServerParts(state, start.settings, start.listens, counts, Workers(), Sharing.JOINING)
        return WorkerDuties(parts, WorldTransfer(transfer_fd))

    work(main_process, duties)


if __name__ == "__main__":
    main()
