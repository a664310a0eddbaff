"""Makes namespaces as a blueprint says, by netlink; only what differs from before is changed.

Knows pyroute2 and `setns`; nothing of VPCs. Both ends of a veth pair have one MAC address and no ARP,
so that a packet is handed over without any address of the link, and blocks may overlap as they like.
"""

import ctypes
import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from vpcdns.errors import LabError
from vpcdns.lab import name_service
from vpcdns.lab.ownership import Ownership, prefix_of
from vpcdns.lab.parts import LOCAL, Blueprint, LabRoute, LabRule, Link, Namespace

NAMESPACES: Final = Path("/run/netns")
_EXTRA: Final = ("pyroute2", "cryptography", "h11")
_CLONE_NEWNET: Final = 0x40000000
_UP_NOARP: Final = 0x81  # IFF_UP | IFF_NOARP
_LOCAL_PRIORITY, _FIRST_PRIORITY = 40_000, 1000  # the main table is asked at 32,766
_SYSCTLS: Final = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/all/accept_local": "1",  # overlapping blocks: our own address may come from afar
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/default/disable_ipv6": "1",
}
_libc: Final = ctypes.CDLL(None, use_errno=True)


def setns(namespace: Path) -> None:
    """Moves this thread into a namespace; sockets that it makes belong there for good."""
    handle = os.open(namespace, os.O_RDONLY)
    try:
        if _libc.setns(handle, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
    finally:
        os.close(handle)


@contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """This thread in a namespace, and back again."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        setns(namespace)
        yield
    finally:
        _libc.setns(home, _CLONE_NEWNET)
        os.close(home)


class Kernel:
    """The namespaces of one lab, which is this process's from here on. Raises LabError."""

    def __init__(self, lab: str) -> None:
        require_root()
        require_extra()
        import pyroute2  # noqa: PLC0415 - of the extra

        self._pyroute2: Any = pyroute2
        self._ownership, self._prefix = Ownership(lab), prefix_of(lab)
        self._sockets: dict[str, Any] = {}
        self._made: dict[str, Namespace] = {}
        self._devices: dict[tuple[str, str], int] = {}
        self._clear()  # what a crash has left

    def path(self, name: str) -> Path:
        return NAMESPACES / f"{self._prefix}{name}"

    def apply(self, plan: Blueprint) -> None:
        """Makes everything as in `plan`. What it does not have any more is left, without routes."""
        wanted = {namespace.name: namespace for namespace in plan.namespaces}
        for namespace in plan.namespaces:
            if namespace.name not in self._sockets:
                self._create(namespace)
        for link in plan.links:
            if (link.one, link.one_dev) not in self._devices:
                self._link(link)
        for name, made in self._made.items():
            namespace = wanted.get(name) or Namespace(name, made.node)
            self._change(made, namespace)
            self._made[name] = namespace

    def _create(self, namespace: Namespace) -> None:
        name, full_name = namespace.name, f"{self._prefix}{namespace.name}"
        if self.path(name).exists():
            way_out = f"if it is of no use: ip netns delete {full_name}"
            raise LabError(f"namespace {full_name} is there, and no lab that is known of made it; {way_out}")
        self._ownership.add(full_name)
        self._pyroute2.netns.create(full_name)
        with inside(self.path(name)):
            for key, value in _SYSCTLS.items():
                with suppress(FileNotFoundError):  # a kernel without IPv6
                    (Path("/proc/sys") / key).write_text(value)
            socket = self._sockets[name] = self._pyroute2.IPRoute()
            socket.link("set", index=1, state="up")
        if namespace.node:
            socket.rule("add", priority=_LOCAL_PRIORITY, table=LOCAL)
            socket.rule("del", priority=0, table=LOCAL)
        self._made[name] = Namespace(name, namespace.node)

    def _link(self, link: Link) -> None:
        one, two = self._sockets[link.one], self._sockets[link.two]
        mac = "02:00:00:00:00:01"
        peer = {"ifname": link.two_dev, "address": mac, "net_ns_fd": f"{self._prefix}{link.two}"}
        one.link("add", ifname=link.one_dev, kind="veth", address=mac, peer=peer)
        for socket, name, dev in ((one, link.one, link.one_dev), (two, link.two, link.two_dev)):
            index = socket.link_lookup(ifname=dev)[0]
            socket.link("set", index=index, flags=_UP_NOARP, change=_UP_NOARP)
            self._devices[name, dev] = index

    def _change(self, old: Namespace, new: Namespace) -> None:
        """Routes go before the addresses that they prefer, and come after them."""
        socket = self._sockets[new.name]
        for rule in set(old.rules) - set(new.rules):
            self._rule(socket, "del", rule)
        for route in set(old.routes) - set(new.routes):
            self._route(socket, "del", old.name, route)
        for address in set(old.addresses) - set(new.addresses):
            socket.addr("del", index=1, address=str(address), prefixlen=32)
        for address in new.addresses:
            if address not in old.addresses:
                socket.addr("add", index=1, address=str(address), prefixlen=32)
        for route in set(new.routes) - set(old.routes):
            self._route(socket, "add", new.name, route)
        for rule in set(new.rules) - set(old.rules):
            self._rule(socket, "add", rule)
        if new.nameservers != old.nameservers:
            name_service.write(f"{self._prefix}{new.name}", new.nameservers)

    def _route(self, socket: Any, verb: str, name: str, route: LabRoute) -> None:
        what: dict[str, Any] = {"dst": str(route.destination), "table": route.table, "type": route.kind}
        if route.dev is not None:
            what["oif"] = self._devices[name, route.dev]
        if route.source is not None:
            what["prefsrc"] = str(route.source)
        socket.route(verb, **what)

    @staticmethod
    def _rule(socket: Any, verb: str, rule: LabRule) -> None:
        ends = {"src": rule.source, "dst": rule.destination}
        given = {name: str(block) for name, block in ends.items() if block is not None and block.prefixlen}
        if rule.iif is not None:
            given["iifname"] = rule.iif
        socket.rule(verb, priority=_FIRST_PRIORITY + rule.order, table=rule.table, **given)

    def remove(self) -> None:
        """Takes the lab's namespaces away, and gives it up."""
        for socket in self._sockets.values():
            socket.close()
        self._clear()
        self._ownership.end()

    def _clear(self) -> None:
        for name in self._ownership.namespaces:
            shutil.rmtree(name_service.ETC / name, ignore_errors=True)
            if (NAMESPACES / name).exists():
                self._pyroute2.netns.remove(name)
        self._ownership.namespaces.clear()


def require_root() -> None:
    if os.geteuid() != 0:
        raise LabError("a lab is made of network namespaces, which only root may make; run it as root")


def require_extra() -> None:
    """Raises LabError where something of the extra `lab` is not installed."""
    missing = []
    for name in _EXTRA:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a broken package may raise anything
            missing.append(name if isinstance(error, ModuleNotFoundError) else f"{name} ({error})")
    if missing:
        listed = " and ".join(missing)
        raise LabError(f"a lab needs {listed}; install what is missing with: pip install 'vpcdns[lab]'")
