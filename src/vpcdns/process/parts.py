"""The parts that a process answers queries with: each process of a server has one of each."""

import os
from dataclasses import dataclass
from functools import partial

from vpcdns.config import Admin, Loaded
from vpcdns.control.admin import TOKEN_VARIABLE, AdminServer
from vpcdns.control.openapi import read_access_keys
from vpcdns.control.test_interface import TestInterface
from vpcdns.forward.cache import MAX_OCTETS, Cache
from vpcdns.listen.service import Service
from vpcdns.model.policy import Listen, QueryLogging
from vpcdns.net.binding import Sharing
from vpcdns.observe.metrics import Sources
from vpcdns.observe.observers import Observers
from vpcdns.observe.query_counts import QueryCounts
from vpcdns.observe.querylog import QueryLog
from vpcdns.observe.recent_decisions import RecentDecisions
from vpcdns.process.replication import Replication
from vpcdns.process.source import Source
from vpcdns.process.workers import Workers
from vpcdns.server.faults import Faults
from vpcdns.server.lasting_tasks import LastingTasks
from vpcdns.server.reload import Reloader, ReloadStatus, Signature
from vpcdns.server.resolver import Resolver
from vpcdns.server.shared_memory import SharedCounts
from vpcdns.state import State


@dataclass(frozen=True, slots=True)
class Settings:
    """What all processes of a server begin with, and keep when the configuration is reloaded.

    `decisions` says whether somebody can read the latest ones: they cost a few per cent.
    """

    query_logging: QueryLogging
    decisions: bool
    processes: int


@dataclass(frozen=True, slots=True)
class ServerParts:
    """What a process answers with."""

    state: State
    resolver: Resolver
    faults: Faults
    counts: SharedCounts
    service: Service
    decisions: RecentDecisions
    query_counts: QueryCounts
    query_log: QueryLog


def make_parts(
    state: State,
    settings: Settings,
    listens: tuple[Listen, ...],
    counts: SharedCounts,
    workers: Workers,
    replication: Replication,
    sharing: Sharing,
) -> ServerParts:
    """Nothing is bound or opened yet."""
    clear = partial(workers.call, "clear_decisions")
    decisions = RecentDecisions(state, others=replication.latest_decisions, cleared=clear)
    query_log = QueryLog(state, settings.query_logging, shared=settings.processes > 1)
    query_counts = QueryCounts()
    readable = (decisions,) if settings.decisions else ()
    observer = Observers(*readable, query_counts, query_log)
    resolver = Resolver(state, observer=observer, cache=Cache(MAX_OCTETS // settings.processes))
    faults = Faults(resolver, state, counts=counts, changed=partial(workers.call, "put_faults"))
    service = Service(faults, listens, sharing=sharing)
    return ServerParts(state, resolver, faults, counts, service, decisions, query_counts, query_log)


def make_reloader(
    source: Source, loaded: Loaded, seen: tuple[Signature, ...], parts: ServerParts, replication: Replication
) -> Reloader:
    """Reloads what `loaded` was read from; `seen` is how the files looked before."""
    return Reloader(
        parts.state,
        source.fresh,
        source.paths,
        source_hash=loaded.source_hash,
        service=parts.service,
        replicas=replication,
        seen=seen,
    )


def make_admin(
    loaded: Loaded,
    parts: ServerParts,
    reloads: ReloadStatus,
    replication: Replication,
    workers: int,
    tasks: LastingTasks,
) -> AdminServer | None:
    """The HTTP server, if the configuration has one."""
    admin = admin_of(loaded)
    if admin is None or admin.listen is None:
        return None
    others = replication.counts if workers > 1 else None
    sources = Sources(
        parts.state,
        parts.query_counts,
        parts.service,
        parts.resolver,
        reloads,
        parts.query_log,
        others,
        tasks,
    )
    token, keys = os.environ.get(TOKEN_VARIABLE), read_access_keys(admin.access_keys_file, os.environ)
    tests = TestInterface(parts.state, parts.decisions, parts.faults, open_for_writes=bool(token) or not keys)
    return AdminServer(
        admin.listen,
        sources,
        parts.decisions,
        token,
        keys=keys,
        region_id=admin.region_id,
        more=tests.routes(),
    )


def admin_of(loaded: Loaded) -> Admin | None:
    return loaded.admin if loaded.admin is not None and loaded.admin.listen is not None else None
