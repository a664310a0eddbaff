"""The doctor and getaddrinfo in a container's place: a network namespace and an /etc of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from tests.netns.conftest import Namespaces

NSSWITCH = "hosts: files dns\n"


@dataclass(frozen=True)
class Examined:
    """What the doctor said: severity and words of each finding, by id."""

    exit_code: int
    severities: dict[str, str]
    seen: dict[str, str]

    @property
    def problems(self) -> set[str]:
        return {name for name, severity in self.severities.items() if severity == "problem"}


def in_etc(
    namespaces: Namespaces,
    where: str,
    resolv_conf: str,
    *command: str,
    hosts: str = "",
    nsswitch: str = NSSWITCH,
    seconds: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Runs a command that sees those files as its /etc/resolv.conf, hosts and nsswitch.conf."""
    mounts = []
    for name, text in (("resolv.conf", resolv_conf), ("hosts", hosts), ("nsswitch.conf", nsswitch)):
        file = namespaces.folder / f"{where}-{name}"
        file.write_text(text)
        mounts.append(f"mount --bind {file} /etc/{name}")
    script = " && ".join([*mounts, 'exec "$0" "$@"'])
    return subprocess.run(
        ["ip", "netns", "exec", namespaces.prefix + where, "unshare", "-m", "sh", "-c", script, *command],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def examined(
    namespaces: Namespaces,
    where: str,
    resolv_conf: str,
    *arguments: str,
    hosts: str = "",
    nsswitch: str = NSSWITCH,
) -> Examined:
    """The doctor's findings, in a namespace and with those files."""
    command = (sys.executable, "-m", "vpcdns", "doctor", "--json", *arguments)
    done = in_etc(namespaces, where, resolv_conf, *command, hosts=hosts, nsswitch=nsswitch)
    assert done.returncode in (0, 1), done.stderr
    assert not done.stderr
    findings = json.loads(done.stdout)["findings"]
    return Examined(
        done.returncode,
        {finding["id"]: finding["severity"] for finding in findings},
        {finding["id"]: finding["seen"] for finding in findings},
    )
