"""The examination: the files, the way to the server, the names; one list of findings."""

from ipaddress import IPv4Address
from pathlib import Path

from vpcdns.doctor.file_checks import check_files
from vpcdns.doctor.finding import Finding
from vpcdns.doctor.host import read_host
from vpcdns.doctor.name_checks import check_name
from vpcdns.doctor.probes import probe
from vpcdns.doctor.server_checks import check_server
from vpcdns.forward.host_resolvers import RESOLV_CONF
from vpcdns.model.policy import Upstream


def examine(
    names: list[str], server: Upstream | None = None, resolv_conf: Path = RESOLV_CONF
) -> tuple[Upstream, list[Finding]]:
    """Who was asked, and all findings in the order of the checks.

    Takes 5 s when nothing answers, 10 s when a few names get no answer. `server` is asked instead of the
    first nameserver of `resolv_conf`; without a nameserver line libc asks 127.0.0.1 (resolv.conf(5)).
    """
    host = read_host(resolv_conf)
    nameservers = host.resolv_conf.nameservers or (IPv4Address("127.0.0.1"),)
    results = probe(server or Upstream(nameservers[0]), host, names)
    vpcdns = results.server.address if results.client else None
    findings = [*check_files(host, vpcdns), *check_server(results, host)]
    for answers in results.names:
        findings += check_name(answers, host)
    return results.server, findings
