"""What `ip netns exec` mounts over /etc: a command asks the nameservers of its VPC or network alone."""

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

ETC: Final = Path("/etc/netns")
RESOLV_CONF: Final = "resolv.conf"


def write(namespace: str, nameservers: Iterable[IPv4Address]) -> None:
    """Names come from DNS alone: not from the machine's own hosts file, nor from its systemd-resolved."""
    folder = ETC / namespace
    folder.mkdir(parents=True, exist_ok=True)
    lines = [*(f"nameserver {address}" for address in nameservers), "options timeout:1 attempts:2"]
    (folder / RESOLV_CONF).write_text("".join(f"{line}\n" for line in lines))
    own = f"127.0.0.1 localhost {socket.gethostname()}\n"
    switch = Path("/etc/nsswitch.conf")
    given = switch.read_text() if switch.exists() else ""
    others = re.sub(r"(?m)^\s*hosts\s*:.*\n?", "", given)
    for name, text in (("hosts", own), (switch.name, f"hosts: files dns\n{others}")):
        if (Path("/etc") / name).exists():  # else there is nothing to mount it over
            (folder / name).write_text(text)
