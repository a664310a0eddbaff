"""A container for testcontainers-python, where that is installed: `pip install vpcdns[testcontainers]`.

Knows the image's ports. The host's queries come to a container from the bridge's gateway: only if that is one
of `server.trusted_peers` can the host ask as somebody in a VPC.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from vpcdns.testing.client import Client

DNS_PORT: Final = 53
ADMIN_PORT: Final = 5380
TOKEN: Final = "for-tests"  # noqa: S105 - the admin server requires one beyond loopback; only this host has it


class VpcdnsContainer(DockerContainer):
    """`vpcdns serve` in a container; `config` is a file, or what a file would mean."""

    def __init__(
        self, config: Path | Mapping[str, Any], image: str = "vpcdns:latest", **options: Any
    ) -> None:
        super().__init__(image, **options)
        self._folder = TemporaryDirectory(prefix="vpcdns-")
        text = config.read_text() if isinstance(config, Path) else json.dumps(config)
        file = Path(self._folder.name, "vpcdns.yaml")
        file.write_text(text)
        file.chmod(0o644)
        # After a truncated response a client asks again over TCP, on the same port.
        self._dns_port = _free_port()
        self.with_bind_ports(f"{DNS_PORT}/udp", self._dns_port)
        self.with_bind_ports(f"{DNS_PORT}/tcp", self._dns_port)
        self.with_exposed_ports(ADMIN_PORT)
        self.with_env("VPCDNS_ADMIN_TOKEN", TOKEN)
        self.with_volume_mapping(str(file), "/etc/vpcdns/vpcdns.yaml", "ro")
        self.with_command(f"serve --listen 0.0.0.0:{DNS_PORT} --admin 0.0.0.0:{ADMIN_PORT}")
        self.waiting_for(LogMessageWaitStrategy("Listening on"))

    def stop(self, *arguments: Any, **options: Any) -> None:
        super().stop(*arguments, **options)
        self._folder.cleanup()

    @property
    def client(self) -> Client:
        host = self.get_container_host_ip()
        url = f"http://{host}:{self.get_exposed_port(ADMIN_PORT)}"
        return Client(url, (host, self._dns_port), token=TOKEN)


def _free_port() -> int:
    """A port that is free for UDP and TCP; somebody else may take it before the container does."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                return port
    raise OSError("no port is free for both UDP and TCP")
