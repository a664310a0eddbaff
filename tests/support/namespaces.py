"""Network namespaces for tests: commands, vpcdns, and the doctor with an /etc of its own, run in one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

NSSWITCH = "hosts: files dns\n"
SERVER, IN_A, IN_B = "s", "a", "b"
SERVER_A, SERVER_B, SERVER_A6 = "10.1.0.53", "10.2.0.53", "fd00:1::53"
DEDICATED, SERVERLESS, MANY = "d" * 32, "a" * 32, "b" * 32
DEDICATED_NAME, SERVERLESS_NAME, MANY_NAME = (
    f"{group}-cn-hangzhou-vpc.alicloudapi.com" for group in (DEDICATED, SERVERLESS, MANY)
)
MANY_ADDRESSES = [f"100.100.90.{number}" for number in range(1, 61)]
CONFIGURATION = f"""\
server: {{listen: ["0.0.0.0:53", "[::]:53"]}}
forward: {{upstreams: []}}
vpcs:
  - vpc_id: vpc-a
    region_id: cn-hangzhou
    cidr_blocks: [10.1.0.0/16]
    source_networks: [10.1.0.0/16, "fd00:1::/64"]
    vswitches: [{{vswitch_id: vsw-a, cidr_block: 10.1.8.0/24}}]
  - {{vpc_id: vpc-b, region_id: cn-hangzhou, cidr_blocks: [10.2.0.0/16]}}
instances:
  - {{instance_id: shared, type: serverless, region_id: cn-hangzhou, addresses: [100.100.80.10]}}
  - {{instance_id: many, type: serverless, region_id: cn-hangzhou, addresses: [{", ".join(MANY_ADDRESSES)}]}}
  - instance_id: own
    type: dedicated
    region_id: cn-hangzhou
    binding: {{vpc_id: vpc-a, vswitch_id: vsw-a, address: 10.1.8.20}}
groups:
  - {{group_id: {SERVERLESS}, instance_id: shared, vpc_domain: true}}
  - {{group_id: {MANY}, instance_id: many, vpc_domain: true}}
  - {{group_id: {DEDICATED}, instance_id: own, vpc_domain: true, custom_domains: [api.example.com]}}
"""


@dataclass(frozen=True)
class Namespaces:
    """`run` runs a command in one of them; `probe` runs getaddrinfo there with a resolv.conf of its own."""

    prefix: str
    folder: Path

    def run(self, where: str, *command: str, seconds: float = 20) -> str:
        done = subprocess.run(
            ["ip", "netns", "exec", self.prefix + where, *command],
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        return done.stdout

    def dig(self, where: str, *arguments: str) -> str:
        return self.run(where, "dig", "+tries=1", "+time=3", *arguments)

    def probe(
        self, binary: Path, where: str, server: str, *arguments: str, more: str = ""
    ) -> tuple[list[str], float]:
        """What getaddrinfo printed, and how many seconds it took. `more` goes into resolv.conf."""
        resolv, nsswitch = self.folder / f"resolv-{where}.conf", self.folder / "nsswitch.conf"
        resolv.write_text(f"nameserver {server}\n{more}\n")
        nsswitch.write_text("hosts: dns\n")
        mounts = f"mount --bind {resolv} /etc/resolv.conf && mount --bind {nsswitch} /etc/nsswitch.conf"
        started = time.monotonic()
        output = self.run(
            where, "unshare", "-m", "sh", "-c", f'{mounts} && exec "$0" "$@"', str(binary), *arguments
        )
        return output.split(), time.monotonic() - started


class serving:  # noqa: N801 - a context manager, read as one
    """vpcdns in a namespace, the server's if no other; stopped by its own pid, and it must end well."""

    def __init__(self, namespaces: Namespaces, where: str = SERVER, text: str = CONFIGURATION) -> None:
        configuration = namespaces.folder / f"vpcdns-{where}.yaml"
        configuration.write_text(text)
        serve = [sys.executable, "-m", "vpcdns", "serve", "--config", str(configuration)]
        self._process = subprocess.Popen(
            ["ip", "netns", "exec", namespaces.prefix + where, *serve], stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        lines = iter(self._process.stdout.readline, "")
        assert any(line.startswith("Listening on") for line in lines), "the server did not start"

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)  # `ip netns exec` has become the server
        try:
            assert self._process.wait(10) == 0
        finally:
            self._process.kill()
            if self._process.stdout is not None:
                self._process.stdout.close()


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)


def is_musl(binary: Path) -> bool:
    return binary.parent.name.startswith("musl")


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
