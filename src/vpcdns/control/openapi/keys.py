"""Access keys: from a file or from the environment, and never into a log, an error or a repr.

Knows the two places. The file is a mapping of access key id to secret, YAML or JSON.
"""

import logging
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from vpcdns.errors import StartupError

log = logging.getLogger("vpcdns.admin")

KEY_ID_VARIABLE: Final = "VPCDNS_ACCESS_KEY_ID"
SECRET_VARIABLE: Final = "VPCDNS_ACCESS_KEY_SECRET"  # noqa: S105 - the name of a variable
MAX_OCTETS: Final = 1 << 20
_KEY_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SECRET: Final = re.compile(r"[\x21-\x7e]{1,256}")


class AccessKeys(dict[str, str]):
    """Secrets by access key id. Empty: no signature is checked, and only loopback may ask."""

    def __repr__(self) -> str:
        return f"AccessKeys({len(self)})"


def read_access_keys(file: Path | None, environment: Mapping[str, str]) -> AccessKeys:
    """The keys of both places; raises StartupError, never with a secret in its text."""
    secrets = {} if file is None else _read(file)
    key_id, secret = environment.get(KEY_ID_VARIABLE, ""), environment.get(SECRET_VARIABLE, "")
    if bool(key_id) != bool(secret):
        raise StartupError(f"{KEY_ID_VARIABLE} and {SECRET_VARIABLE}: set both, or neither")
    if key_id:
        _check(KEY_ID_VARIABLE, key_id, secret)
        secrets[key_id] = secret
    return AccessKeys(secrets)


def _read(file: Path) -> dict[str, str]:
    where = f"admin.access_keys_file: {file}"
    if file.exists() and not file.is_file():
        raise StartupError(f"{where}: it is no regular file")
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(file.stat().st_mode)
            octets = opened.read(MAX_OCTETS + 1)
    except OSError as error:
        raise StartupError(f"{where}: it cannot be read: {error.strerror or error}") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        what = "read the secrets in it" if mode & stat.S_IROTH else "put secrets of their own in it"
        log.warning("%s: everybody on this host may %s; chmod 600 %s", where, what, file.name)
    if len(octets) > MAX_OCTETS:
        raise StartupError(f"{where}: it has more than {MAX_OCTETS >> 20} MiB")
    pairs = _pairs(where, octets)
    secrets: dict[str, str] = {}
    for number, (key_id, secret) in enumerate(pairs, 1):
        _check(f"{where}: entry {number}", key_id, secret)
        if key_id in secrets:
            raise StartupError(f"{where}: access key id {key_id} is there twice")
        secrets[key_id] = secret
    return secrets


def _pairs(where: str, octets: bytes) -> list[tuple[str, str]]:
    """The nodes of a mapping of scalars, each as the text it is: `123: 1e5` is two words."""
    shape = StartupError(f"{where}: write one `access key id: secret` a line, and nothing else")
    try:
        node = yaml.compose(octets, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise shape from None  # the parser's words would quote the line, and the secret in it
    if not isinstance(node, yaml.MappingNode) or not node.value:
        raise shape
    if not all(isinstance(scalar, yaml.ScalarNode) for pair in node.value for scalar in pair):
        raise shape
    return [(key.value, value.value) for key, value in node.value]


def _check(where: str, key_id: str, secret: str) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise StartupError(f"{where}: an access key id has 1 to 128 letters, digits, `.`, `_` and `-`")
    if not _SECRET.fullmatch(secret):
        raise StartupError(f"{where}: a secret has 1 to 256 printable ASCII characters, no spaces")
