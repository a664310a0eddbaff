"""Gives up root's privileges, for good, once the ports are bound.

Knows user and group ids, and Linux' no_new_privs. To be called before any thread is started: no_new_privs
is each thread's own.
"""

import concurrent.futures.thread  # asyncio imports it with the first reload, when it may be out of reach
import ctypes
import grp
import logging
import os
import pwd
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vpcdns.errors import StartupError

log = logging.getLogger("vpcdns.server")

_LIBRARY: Final = Path(concurrent.futures.thread.__file__)
# <linux/prctl.h>, <linux/capability.h>
_PR_SET_KEEPCAPS: Final = 8
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAP_NET_BIND_SERVICE: Final = 10


@dataclass(frozen=True, slots=True)
class User:
    """Who the process is to be. `groups` are all of its groups, `gid` included."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} (uid {self.uid}, gid {self.gid})"


def find_user(text: str) -> User:
    """`NAME`, `UID`, and either with `:GROUP` or `:GID`; raises StartupError.

    A number that no account has is its own group, unless one is given: images have no accounts.
    """
    who, colon, group = text.partition(":")
    try:
        account = pwd.getpwuid(int(who)) if who.isascii() and who.isdigit() else pwd.getpwnam(who)
    except (KeyError, OverflowError):
        uid = gid = _number(who, f"--user {text}: there is no user {who or 'without a name'}")
        groups = [gid]
    else:
        uid, gid = account.pw_uid, account.pw_gid
        groups = os.getgrouplist(account.pw_name, gid)
    if colon:
        try:
            gid = grp.getgrnam(group).gr_gid
        except KeyError:
            gid = _number(group, f"--user {text}: there is no group {group or 'without a name'}")
        groups = [gid]
    if uid == 0:
        raise StartupError(f"--user {text}: that is root; name a user without privileges, such as nobody")
    return User(who, uid, gid, tuple(sorted({gid, *groups})))


def become(user: User) -> None:
    """Changes to `user` for good, and checks that there is no way back. Raises StartupError."""
    try:
        if os.geteuid() == 0:
            os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as error:
        raise StartupError(
            f"cannot become {user}: {error.strerror}\nways out:\n"
            "  - start as root: only root can become somebody else\n"
            "  - leave --user out, and start as that user; port 53 then needs CAP_NET_BIND_SERVICE"
        ) from error
    is_for_good = os.getresuid() == (user.uid,) * 3 and os.getresgid() == (user.gid,) * 3
    with suppress(OSError):
        os.setuid(0)
        is_for_good = False
    if not is_for_good:
        raise StartupError(f"became {user}, but not for good: something still lets this process be root")
    if not os.access(_LIBRARY, os.R_OK):
        # Python under /root, as pyenv puts it: what was imported until now is there, and that is nearly all.
        log.warning(
            "%s cannot read Python's own library, %s: install it elsewhere", user, _LIBRARY.parents[2]
        )


def shed_privileges(user: User | None, *, keep_ports: bool = False) -> None:
    """Gives up what is not needed once ports are bound; each process of a server does it by itself.

    `keep_ports` keeps the right to bind ports below 1024, if there is one, also for programs that are
    executed later: a worker that takes a lost one's place needs it (precedent: BIND's `named -u`).
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None:
        # No program that is executed later gains any, by set-user-ID or by a file's capabilities.
        library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        library.prctl(_PR_SET_KEEPCAPS, int(keep_ports), 0, 0, 0)
    if user is not None:
        become(user)
    if library is not None and keep_ports and os.geteuid() != 0:
        # CAP_NET_BIND_SERVICE alone, or no capability at all: in every set, the ambient one included.
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        if library.capset(header, struct.pack("=6I", *[1 << _CAP_NET_BIND_SERVICE] * 3, 0, 0, 0)):
            library.capset(header, bytes(24))
        library.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_NET_BIND_SERVICE, 0, 0)


@contextmanager
def acting_as(user: User | None) -> Iterator[None]:
    """Opens and creates files with the permissions of `user` while it is entered; None changes nothing."""
    if user is None or os.geteuid() != 0:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups(user.groups)
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def require_readable(path: Path, why: str) -> None:
    """Raises StartupError when this process cannot read the file, which will be read again later."""
    try:
        path.open("rb").close()
    except OSError as error:
        user, folder = os.geteuid(), path.absolute().parent
        raise StartupError(
            f"user {user} cannot read {path}: {error.strerror}; {why}\nways out:\n"
            f"  - chgrp {os.getegid()} {path} && chmod g+r {path}, and g+x for the folders above it\n"
            f"  - keep it in a folder that everybody may enter, unlike {folder} or one above it"
        ) from error


def _number(text: str, problem: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 2**32 - 1:
        return int(text)
    raise StartupError(f"{problem}; write NAME, UID or either with :GROUP, such as nobody or 65532:65532")
