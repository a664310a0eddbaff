"""Checks of the files that libc goes by, before anybody is asked. Pure: Host -> findings.

The rules are measured on glibc and musl; each says which of them it concerns.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from vpcdns.doctor.finding import Finding, hint, ok, problem, warning
from vpcdns.doctor.host import MAX_NAMESERVERS, Host
from vpcdns.model.policy import DOCKER_RESOLVER
from vpcdns.model.topology import Address

VPC_DOMAIN_DOTS: Final = 2  # <group_id>-<region_id>-vpc.alicloudapi.com; api.example.com has as many

_ONE_BY_ONE: Final = (
    "A and AAAA one after the other, twice the wait.",
    "Remove it; vpcdns does not need it.",
)
# What an option does, and the remedy.
_OPTIONS: Final = {
    "use-vc": ("glibc asks over TCP only, musl ignores it.", "Remove it; UDP works."),
    "rotate": ("glibc takes the nameservers in turn.", "Leave one nameserver."),
    "single-request": _ONE_BY_ONE,
    "single-request-reopen": _ONE_BY_ONE,
    "no-aaaa": ("glibc asks for no IPv6 address.", "Remove it, to test what applications do."),
    "timeout:1": ("libc asks again after 1 s, while a forwarded query may take 3.5 s.", "Remove it."),
    "attempts:1": ("one lost datagram is a failure.", "Remove it."),
}


def check_files(host: Host, vpcdns: Address | None = None) -> Iterator[Finding]:
    """All of them, in the order in which libc uses them; a vpcdns answers at the address `vpcdns`."""
    yield _hosts_order(host)
    yield from _nameservers(host)
    for address in host.resolv_conf.nameservers:
        if address.is_loopback and host.engine and address not in (vpcdns, DOCKER_RESOLVER):
            yield _loopback(address, host)
    if DOCKER_RESOLVER in host.resolv_conf.nameservers:
        yield from _docker(host)
    yield _search(host)
    yield from _options(host)


def _nameservers(host: Host) -> Iterator[Finding]:
    addresses, path = host.resolv_conf.nameservers, host.path
    for text in host.resolv_conf.unreadable:
        seen = f"libc ignores `nameserver {text}` in {path}: it is no address."
        remedy = "Write an address alone: resolv.conf has no ports, so vpcdns must listen on port 53."
        yield problem("nameserver-syntax", seen, remedy, text)
    if not addresses:
        seen = f"{path} has no nameserver" if host.readable else f"{path} cannot be read"
        remedy = "Give the address of vpcdns: --dns ADDRESS, or dns: in a compose file."
        yield problem("nameservers", f"{seen}: libc asks 127.0.0.1.", remedy)
    elif len(addresses) == 1:
        yield ok("nameservers", f"One nameserver: {addresses[0]}.")
    else:
        seen = (
            f"{len(addresses)} nameservers: {', '.join(map(str, addresses[:MAX_NAMESERVERS]))}. musl asks "
            "all at once and takes the first answer, even NXDOMAIN; glibc goes on to the next when one "
            "refuses or is slow."
        )
        remedy = "Leave exactly one nameserver, vpcdns, and give it the others as forward.upstreams."
        yield problem("nameservers", seen, remedy)


def _loopback(address: Address, host: Host) -> Finding:
    """In a container, and not Docker's resolver."""
    seen = f"The nameserver {address} is this container itself ({host.engine})."
    if host.engine == "Kubernetes":  # a sidecar shares the pod's loopback
        return hint("nameserver-loopback", seen, "Right only if vpcdns runs in the same pod.", str(address))
    remedy = (
        "Give an address of vpcdns that the container can reach; 127.0.0.1 in a host's resolv.conf "
        "means the host, in a container's the container."
    )
    return problem("nameserver-loopback", seen, remedy, str(address))


def _docker(host: Host) -> Iterator[Finding]:
    """Docker writes the servers that its resolver asks into a comment in resolv.conf (moby `resolvconf`)."""
    servers = host.resolv_conf.ext_servers
    if from_host := " ".join(server for server in servers if server.startswith("host(")):
        seen = f"Docker's resolver asks {from_host} from the host's network namespace"
        remedy = "Give the container itself the address of vpcdns: --dns ADDRESS, or dns: in a compose file."
        yield problem("docker-host-namespace", f"{seen}: every container looks like the host.", remedy)
    if len(servers) > 1:
        listed = " ".join(servers)
        seen = (
            f"Docker's resolver goes on from one of {listed} to the next when one refuses, fails or is slow."
        )
        yield warning("docker-servers", seen, "Give --dns or dns: one address, that of vpcdns.")


def _search(host: Host) -> Finding:
    domains = [domain for domain in host.resolv_conf.search if domain != "."]
    listed, ndots = " ".join(domains), host.resolv_conf.ndots
    if not domains:
        return ok("search", "No search list.")
    if ndots <= VPC_DOMAIN_DOTS:
        seen = f"Search list {listed}, ndots {ndots}: names with {ndots} dots are asked as they are first."
        return ok("search", seen)
    return warning(
        "search",
        f"ndots:{ndots} and the search list {listed}: {len(domains)} x 2 queries come before a VPC domain or "
        "a name such as api.example.com, and musl ends its search at any answer but NXDOMAIN or NODATA.",
        "Set ndots:1 (--dns-opt ndots:1, dnsConfig in Kubernetes), or end names with a dot.",
    )


def _options(host: Host) -> Iterator[Finding]:
    conf = host.resolv_conf
    effective = {f"{name}:{conf.option(name)}" for name in ("timeout", "attempts")}  # the last one wins
    effective.update(option for option in conf.options if ":" not in option)
    if len(conf.nameservers) < 2:
        effective.discard("rotate")
    for option in (harmful := [option for option in _OPTIONS if option in effective]):
        what, remedy = _OPTIONS[option]
        yield hint("options", f"options {option}: {what}", remedy, option.partition(":")[0])
    if not harmful:
        listed = " ".join(conf.options)
        yield ok("options", f"options {listed}: nothing that harms." if listed else "No options.")


def _hosts_order(host: Host) -> Finding:
    """Glibc only: musl reads hosts, then asks DNS, whatever nsswitch.conf says."""
    order = host.hosts_order
    if not order:
        return ok("hosts-order", "No `hosts:` line in nsswitch.conf: the hosts file, then DNS.")
    line, before_dns = f"`hosts: {' '.join(order)}` in nsswitch.conf", [*takewhile("dns".__ne__, order)]
    if "resolve" in before_dns:
        seen = f"{line}: glibc asks systemd-resolved first, which has nameservers of its own."
        return warning("hosts-order", seen, "Write `hosts: files dns`, or look at `resolvectl status`.")
    if "dns" not in order:
        return problem("hosts-order", f"{line}: glibc asks no nameserver.", "Write `hosts: files dns`.")
    if any(service.startswith("mdns") for service in before_dns):
        seen = f"{line}: glibc never asks vpcdns for names under .local."
        remedy = "Use no .local names for custom domains, or write `hosts: files dns`."
        return hint("hosts-order", seen, remedy)
    return ok("hosts-order", f"{line}.")
