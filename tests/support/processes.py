"""Servers as processes of their own, ready before they are handed over, stopped by their own pid."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEADLINE = 20.0


@contextmanager
def running(command: Sequence[str], ready: str) -> Iterator[re.Match[str]]:
    """Runs `command` until the block ends; begins it when a line of its output matches `ready`."""
    lines: list[str] = []
    found: list[re.Match[str]] = []
    told = threading.Event()

    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:

        def read() -> None:
            assert server.stdout is not None
            for line in server.stdout:
                lines.append(line)
                if not found and (match := re.search(ready, line)):
                    found.append(match)
                    told.set()
            told.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            assert told.wait(DEADLINE), f"{command[0]} is not ready:\n{''.join(lines)}"
            assert found, f"{command[0]} ended:\n{''.join(lines)}"
            yield found[0]
            assert server.poll() is None, f"{command[0]} ended by itself:\n{''.join(lines)}"
        finally:
            server.terminate()
            try:
                server.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                server.kill()
            reader.join(DEADLINE)


@contextmanager
def vpcdns(config: str, folder: Path) -> Iterator[int]:
    """Serves a configuration with the real command line; gives the port on 127.0.0.1, UDP and TCP."""
    file = folder / "vpcdns.yaml"
    file.write_text(config)
    command = [sys.executable, "-m", "vpcdns", "serve", "--config", str(file), "--listen", "127.0.0.1:0"]
    with running(command, r"Listening on 127\.0\.0\.1:(\d+)") as match:
        yield int(match[1])


def free_port() -> int:
    """A port of 127.0.0.1 that is free for UDP and TCP, for servers that cannot choose one themselves."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                try:
                    udp.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
    raise OSError("no port is free for both UDP and TCP")


def is_root() -> bool:
    return os.geteuid() == 0
