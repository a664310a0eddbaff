"""The examination: the files, the way to the server, the names; one list of findings."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from vpcdns.doctor.files import ResolvConf
from vpcdns.doctor.finding import Finding, Severity
from vpcdns.doctor.host import RESOLV_CONF, read_host
from vpcdns.doctor.names import check_name
from vpcdns.doctor.path import check_path
from vpcdns.doctor.probes import look
from vpcdns.doctor.setting import check_files
from vpcdns.model.policy import Upstream


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found out about whom, in the order in which it was looked at."""

    server: Upstream
    resolv_conf: Path
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        return all(finding.severity is not Severity.PROBLEM for finding in self.findings)

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


def examine(
    names: list[str], *, server: Upstream | None = None, resolv_conf: Path = RESOLV_CONF
) -> Examination:
    """Looks at everything: within 5 s when nothing answers, 10 s when a few names get no answer.

    `server` is asked instead of the first nameserver of `resolv_conf`.
    """
    host = read_host(resolv_conf)
    asked = server or first_nameserver(host.resolv_conf)
    sights = look(asked, host, names)
    vpcdns = asked.address if sights.told else None
    findings = [*check_files(host, vpcdns), *check_path(sights, host)]
    for answers in sights.names:
        findings += check_name(answers, host)
    return Examination(asked, resolv_conf, tuple(findings))


def first_nameserver(conf: ResolvConf) -> Upstream:
    """Whom libc asks first; without a nameserver line 127.0.0.1 (resolv.conf(5))."""
    return Upstream(conf.nameservers[0] if conf.nameservers else IPv4Address("127.0.0.1"))
