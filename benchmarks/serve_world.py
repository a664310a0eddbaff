"""Serves a World that forwards everything: `serve_world.py PORT UPSTREAM_PORT`."""

from __future__ import annotations

import sys
import time
from ipaddress import ip_address

from vpcdns.model.policy import Forwarding, Listen, Upstream
from vpcdns.model.world import World
from vpcdns.server.resolver import Resolver
from vpcdns.server.service import Service, run
from vpcdns.state import State


def main() -> int:
    port, upstream = int(sys.argv[1]), int(sys.argv[2])
    loopback = ip_address("127.0.0.1")
    world = World(int(time.time()), forwarding=Forwarding((Upstream(loopback, upstream),)))
    return run(Service(Resolver(State(world)), [Listen(loopback, port)]))


if __name__ == "__main__":
    sys.exit(main())
