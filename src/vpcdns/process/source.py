"""Where a server's configuration comes from: a file, the host's resolv.conf, and the command line."""

import logging
import socket
import time
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from vpcdns import __version__
from vpcdns.config import Admin, Loaded, Progress, WatchedFiles, load
from vpcdns.errors import ConfigurationError, Problem, StartupError
from vpcdns.forward.host_resolvers import RESOLV_CONF, with_upstreams
from vpcdns.forward.upstream_names import UpstreamNames
from vpcdns.model.policy import Listen, Otherwise, ServerIdentity
from vpcdns.model.warnings import warnings

log = logging.getLogger("vpcdns.server")

_WARNINGS_LOGGED: Final = 20
_LAST_SERIAL: Final = 2**32 - 1  # RFC 1035 §3.3.13


@dataclass(slots=True)
class Source:
    """A configuration file; what the command line says (`listens`, `admin`, `admin_region`) replaces its own.

    `names` has the addresses of upstreams that are given by name; `files` are read again when they change.
    """

    config: Path
    listens: tuple[Listen, ...] = ()
    admin: Listen | Path | None = None
    admin_region: str | None = None
    names: UpstreamNames = field(default_factory=UpstreamNames)
    files: WatchedFiles = field(init=False)

    def __post_init__(self) -> None:
        self.files = WatchedFiles(self.config, RESOLV_CONF)

    def load(self, progress: Progress | None = None, *, looks_up: bool = False) -> Loaded:
        """Reads everything anew; calls `progress` with the number of groups read so far.

        `looks_up` says whether upstreams' names without addresses are looked up, in threads. Raises
        ConfigurationError, and StartupError when we are our own upstream.
        """
        identity = ServerIdentity(f"vpcdns {__version__}", socket.gethostname())
        revision = self._revision()
        loaded = load(self.config, revision=revision, identity=identity, progress=progress, files=self.files)
        listens = self.listens or loaded.listens
        given = loaded.upstreams_given
        if looks_up:
            names = loaded.world.forwarding.names
            self.names.look_up([one for one in names if one.host not in self.names.addresses], listens)
        world = with_upstreams(
            loaded.world, listens, given=given, resolv_conf=RESOLV_CONF, addresses=self.names.addresses
        )
        otherwise = world.forwarding.otherwise
        if not world.forwarding.upstreams and not (given and otherwise is Otherwise.NXDOMAIN):
            why = "forward.upstreams is []" if given else f"{RESOLV_CONF} names none but this server"
            log.warning("No upstreams: %s; foreign names without a rule get %s", why, otherwise.name)
        for warning in islice(warnings(world), _WARNINGS_LOGGED):
            log.warning("%s", warning)
        admin = loaded.admin
        if self.admin is not None:
            admin = replace(admin or Admin(), listen=self.admin)
        is_listening = admin is not None and admin.listen is not None
        if self.admin_region is not None:
            if not is_listening:
                raise StartupError("--admin-region: there is no admin server\nway out: add --admin ADDR:PORT")
            admin = replace(admin or Admin(), region_id=self.admin_region)
        return replace(loaded, world=world, listens=listens, admin=admin if is_listening else None)

    def _revision(self) -> int:
        """The SOA serial, which never goes backwards: a new process starts from the clock.

        A clock that is behind the file's own time is wrong: it was set back, or the host has none that lasts.
        """
        try:
            written = int(self.config.stat().st_mtime)
        except OSError:  # `load` reports it
            written = 0
        return max(int(time.time()), min(written, _LAST_SERIAL))

    def load_again(self) -> Loaded:
        """For a reload. A pipe, as shells make them, has been read and is empty now."""
        if self.config.exists() and not self.config.is_file() and not self.config.is_dir():
            what = "it is no regular file, which could be read again"
            way_out = "serve a file, if it is to be reloaded"
            raise ConfigurationError([Problem(str(self.config), 0, 0, "", what, way_out)])
        return self.load(looks_up=True)
