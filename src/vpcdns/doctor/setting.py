"""Checks of the files: what libc was told, before anybody is asked. Pure: Host -> findings.

The rules are measured on glibc and musl; each says which of them it bites.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

from vpcdns.doctor.files import MAX_NAMESERVERS
from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import Host
from vpcdns.model.topology import Address

DOCKER_RESOLVER: Final = IPv4Address("127.0.0.11")  # moby libnetwork, every user-defined network
RESOLVED_STUBS: Final = (IPv4Address("127.0.0.53"), IPv4Address("127.0.0.54"))  # systemd-resolved.service(8)
VPC_DOMAIN_DOTS: Final = 2  # <group_id>-<region_id>-vpc.alicloudapi.com; api.example.com has as many


def check_files(host: Host, vpcdns: Address | None = None) -> Iterator[Finding]:
    """All of them, in the order in which libc comes to them; at `vpcdns` one was seen to answer."""
    yield _hosts_order(host)
    yield from _nameservers(host, vpcdns)
    yield _search(host)
    yield from _options(host)


def _nameservers(host: Host, vpcdns: Address | None) -> Iterator[Finding]:
    conf, path = host.resolv_conf, host.path
    for text in conf.unreadable:
        yield problem(
            "nameserver-syntax",
            f"libc passes over `nameserver {text}` in {path}: it is no address.",
            "Write an address alone: resolv.conf has no ports, so vpcdns must listen on port 53.",
            text,
        )
    if not conf.nameservers:
        seen = f"{path} names no nameserver" if host.readable else f"{path} cannot be read"
        yield problem(
            "nameservers",
            f"{seen}: libc asks 127.0.0.1.",
            "Name vpcdns: --dns ADDRESS, or dns: in a compose file.",
        )
    elif len(conf.nameservers) == 1:
        yield ok("nameservers", f"One nameserver: {conf.nameservers[0]}.")
    else:
        named = ", ".join(map(str, conf.nameservers[:MAX_NAMESERVERS]))
        yield problem(
            "nameservers",
            f"{len(conf.nameservers)} nameservers: {named}. musl asks all at once and takes the first "
            "answer, even NXDOMAIN; glibc goes on to the next when one refuses or is slow.",
            "Leave exactly one nameserver, vpcdns, and give it the others as forward.upstreams.",
        )
    for address in conf.nameservers:
        if address != vpcdns and (finding := _loopback(address, host)) is not None:
            yield finding
    if DOCKER_RESOLVER in conf.nameservers:
        yield from _docker(host)


def _loopback(address: Address, host: Host) -> Finding | None:
    """A nameserver on loopback that is none of Docker's or systemd's, in a container."""
    if not address.is_loopback or not host.engine or address == DOCKER_RESOLVER:
        return None
    seen = f"The nameserver {address} is this container itself ({host.engine})."
    if host.engine == "Kubernetes":  # a sidecar shares the pod's loopback
        return hint("nameserver-loopback", seen, "Right only if vpcdns runs in the same pod.", str(address))
    return problem(
        "nameserver-loopback",
        seen,
        "Name an address of vpcdns that the container can reach; 127.0.0.1 in a host's resolv.conf "
        "means the host, in a container's the container.",
        str(address),
    )


def _docker(host: Host) -> Iterator[Finding]:
    """What Docker's resolver asks on: its comment in resolv.conf tells (moby `resolvconf`)."""
    servers = host.resolv_conf.ext_servers
    from_host = [server for server in servers if server.startswith("host(")]
    if from_host:
        yield problem(
            "docker-host-namespace",
            f"Docker's resolver asks {' '.join(from_host)} from the host's network namespace: every "
            "container looks like the host.",
            "Name vpcdns for the container itself: --dns ADDRESS, or dns: in a compose file.",
        )
    if len(servers) > 1:
        yield warning(
            "docker-servers",
            f"Docker's resolver goes on from one of {' '.join(servers)} to the next when one refuses, "
            "fails or is slow.",
            "Give --dns or dns: one address, that of vpcdns.",
        )


def _search(host: Host) -> Finding:
    conf = host.resolv_conf
    domains = [domain for domain in conf.search if domain != "."]
    listed, ndots = " ".join(domains), conf.ndots
    if not domains:
        return ok("search", "No search list.")
    if ndots <= VPC_DOMAIN_DOTS:
        return ok(
            "search", f"Search list {listed}, ndots {ndots}: names with {ndots} dots go first as they are."
        )
    return warning(
        "search",
        f"ndots:{ndots} and the search list {listed}: {len(domains)} x 2 queries go before a VPC domain "
        "or a name such as api.example.com, and musl ends its search at any answer but NXDOMAIN or NODATA.",
        "Set ndots:1 (--dns-opt ndots:1, dnsConfig in Kubernetes), or end names with a dot.",
    )


def _options(host: Host) -> Iterator[Finding]:
    conf = host.resolv_conf
    told: list[tuple[str, str]] = []
    if "use-vc" in conf.options:
        told.append(("use-vc: glibc asks over TCP only, musl does not know it.", "Leave it out; UDP works."))
    if "rotate" in conf.options and len(conf.nameservers) > 1:
        told.append(("rotate: glibc takes the nameservers in turn.", "Leave one nameserver."))
    if {"single-request", "single-request-reopen"} & set(conf.options):
        told.append(
            ("single-request: A and AAAA one after the other, twice the wait.", "vpcdns needs it not.")
        )
    if "no-aaaa" in conf.options:
        told.append(
            ("no-aaaa: glibc asks for no IPv6 address.", "Leave it out, to test what applications do.")
        )
    if conf.option("timeout") == "1":
        told.append(
            ("timeout:1: libc asks again after 1 s, while a forwarded query may take 3.5 s.", "Leave it out.")
        )
    if conf.option("attempts") == "1":
        told.append(("attempts:1: one lost datagram is a failure.", "Leave it out."))
    for seen, remedy in told:
        name = seen.partition(":")[0]
        yield hint("options", f"options {seen}", remedy, name)
    if not told:
        listed = " ".join(conf.options)
        yield ok("options", f"options {listed}: nothing that harms." if listed else "No options.")


def _hosts_order(host: Host) -> Finding:
    """Glibc only: musl reads hosts, then asks DNS, whatever nsswitch.conf says."""
    order = host.hosts_order
    if not order:
        return ok("hosts-order", "No `hosts:` line in nsswitch.conf: the hosts file, then DNS.")
    line = f"`hosts: {' '.join(order)}` in nsswitch.conf"
    if "dns" not in order and "resolve" not in order:
        return problem("hosts-order", f"{line}: glibc asks no nameserver.", "Write `hosts: files dns`.")
    if "resolve" in order and ("dns" not in order or order.index("resolve") < order.index("dns")):
        return warning(
            "hosts-order",
            f"{line}: glibc asks systemd-resolved first, which has nameservers of its own.",
            "Write `hosts: files dns`, or look at `resolvectl status`.",
        )
    if any(service.startswith("mdns") for service in order[: order.index("dns")]):
        return hint(
            "hosts-order",
            f"{line}: names under .local never come to vpcdns.",
            "Use no .local names for custom domains, or write `hosts: files dns`.",
        )
    return ok("hosts-order", f"{line}.")
