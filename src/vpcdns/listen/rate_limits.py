"""Response rate limiting: UDP source addresses can be spoofed.

Pure: the clock is the caller's. Truncates or drops what was decided already. Trusted peers are not limited,
and over TCP nobody is: a TCP source address is not spoofed.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from vpcdns.model.clients import is_trusted
from vpcdns.model.topology import Address, within
from vpcdns.model.world import World
from vpcdns.query import Arrival, Drop, Forward, Response, truncated_response

# Refusals a second to a network of strangers: more than a misconfigured host asks for, and no weapon.
STRANGERS_PER_SECOND: Final = 100
# Of those over the limit, every so many-th is truncated instead of dropped (BIND, NSD 2, Knot DNS 1), so
# that a client that shares its network with a flood can still ask over TCP.
SLIP: Final = 2
# A flood from spoofed networks must not grow memory; BIND's max-table-size is 20,000. Some 200 octets each.
NETWORKS_AT_MOST: Final = 10_000
# As in BIND and Knot DNS: what one customer has.
_IPV4_SHIFT: Final = 32 - 24
_IPV6_SHIFT: Final = 128 - 56
_IPV6_MARK: Final = 1 << 64


@dataclass(slots=True)
class RateCounters:
    """For the metrics: responses that were truncated or dropped."""

    truncated: int = 0
    dropped: int = 0


@dataclass(slots=True)
class _Network:
    """`left` is how many responses it may have at `at`, up to a second's worth; `over` counts the rest."""

    at: float
    left: float
    over: int = 0


class RateLimit:
    """A bounded table of networks, each with a second's worth of responses to spend."""

    def __init__(self) -> None:
        self.counters = RateCounters()
        self._networks: OrderedDict[int, _Network] = OrderedDict()

    def limited(
        self, result: Response | Forward, peer: Address, per_second: int, now: float
    ) -> Response | Forward | Drop:
        """`result`, or less if `peer` is over its limit; `now` is in monotonic seconds."""
        network = self._network(network_of(peer), per_second, now)
        network.left = min(per_second, network.left + (now - network.at) * per_second)
        network.at = now
        if network.left >= 1:
            network.left -= 1
            network.over = 0
            return result
        network.over += 1
        if network.over % SLIP:
            self.counters.dropped += 1
            return Drop(result.resolution)
        self.counters.truncated += 1
        # The error for a query with a fault is as short, and it would be the same over TCP.
        faulty = result.query.fault is not None
        return result if faulty else truncated_response(result.query, result.resolution)

    def _network(self, key: int, per_second: int, now: float) -> _Network:
        """Without room the one that was silent for the longest goes: it is most likely below its limit."""
        network = self._networks.get(key)
        if network is None:
            if len(self._networks) >= NETWORKS_AT_MOST:
                self._networks.popitem(last=False)
            network = self._networks[key] = _Network(now, per_second)
        else:
            self._networks.move_to_end(key)
        return network


class ResponseRates:
    """Strangers are always limited, clients when `server.responses_per_second` says so."""

    def __init__(self) -> None:
        self.strangers = RateLimit()
        self.clients = RateLimit()

    def limited(
        self, result: Response | Forward | Drop, arrival: Arrival, world: World, now: float
    ) -> Response | Forward | Drop:
        """`result`, or less if the peer is over its limit. A query to be forwarded counts as its response."""
        access, peer = world.access, arrival.peer
        if arrival.transport == "tcp" or isinstance(result, Drop) or is_trusted(peer, world):
            return result
        if not within(peer, access.clients):
            return self.strangers.limited(result, peer, STRANGERS_PER_SECOND, now)
        if access.responses_per_second is not None:
            return self.clients.limited(result, peer, access.responses_per_second, now)
        return result


def is_limited(peer: Address, world: World) -> bool:
    """Whether responses over UDP to this client are counted, so that none may be sent without asking."""
    return world.access.responses_per_second is not None and not is_trusted(peer, world)


def network_of(address: Address) -> int:
    """The /24 or /56 that an address is in, as a number."""
    if address.version == 4:
        return int(address) >> _IPV4_SHIFT
    return _IPV6_MARK | int(address) >> _IPV6_SHIFT
