"""Tells at once that something in a folder has changed, where the system can tell.

Knows folders, not what is in them; inotify(7) through ctypes, on Linux. Only a hint: a file system may be a
remote one, a link higher up may be swapped, and there may be no watches left, so whoever uses it looks now
and then all the same.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

log = logging.getLogger("vpcdns.reload")

# linux/inotify.h: attributes changed, closed after writing, moved from and to, created, deleted.
_EVENTS: Final = 0x004 | 0x008 | 0x040 | 0x080 | 0x100 | 0x200
_FLAGS: Final = os.O_NONBLOCK | os.O_CLOEXEC  # IN_NONBLOCK, IN_CLOEXEC
_READ_AT_ONCE: Final = 65_536  # some hundreds of events; an event has 16 octets and a file's name


class Folders:
    """Calls `tell` after something happened in the folders of `paths` or of what they link to."""

    def __init__(self, paths: Iterable[Path], tell: Callable[[], object]) -> None:
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._descriptor = -1
        if not sys.platform.startswith("linux"):
            return
        folders = {folder for path in paths for folder in (path.absolute().parent, path.resolve().parent)}
        try:
            self._descriptor = _watching(folders)
        except OSError as error:
            # ENOSPC: fs.inotify.max_user_watches. Nothing is lost but a second.
            log.warning("Changed files are found by looking, not at once: inotify: %s", error.strerror)
        else:
            self._loop.add_reader(self._descriptor, self._told)

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _told(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._descriptor, _READ_AT_ONCE)
        self._tell()


def _watching(folders: Iterable[Path]) -> int:
    """A descriptor that can be read after something happened in one of the folders. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(_FLAGS)
    if descriptor < 0:
        raise _error()
    for folder in folders:
        if libc.inotify_add_watch(descriptor, os.fsencode(folder), _EVENTS) < 0 and not _is_absent():
            error = _error()
            os.close(descriptor)
            raise error
    return descriptor


def _is_absent() -> bool:
    return ctypes.get_errno() in (errno.ENOENT, errno.ENOTDIR, errno.EACCES)


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
