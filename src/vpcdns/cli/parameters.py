"""What commands take: the types of their options, and how text becomes them.

Knows how a wrong value is reported as a usage error, with the way out.
"""

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from pydantic_core import PydanticCustomError

from vpcdns.config import admin_listen, listen
from vpcdns.errors import MalformedName
from vpcdns.model.dns import type_number
from vpcdns.model.names import Name
from vpcdns.model.policy import Listen
from vpcdns.model.topology import Address

T = TypeVar("T")

DEFAULT_CONFIG: Final = Path("/etc/vpcdns/vpcdns.yaml")


def read_listen(text: str | Listen) -> Listen:
    """`address:port`, `[address]:port`, or an address alone for port 53; a default comes as it is."""
    return text if isinstance(text, Listen) else _read(listen, text)


def read_admin_listen(text: str) -> Listen | Path:
    """As `read_listen`, or the absolute path of a UNIX socket."""
    return _read(admin_listen, text)


def read_address(text: str, option: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        problem = f"{text!r} is no IP address; write one such as 10.1.0.5"
        raise typer.BadParameter(problem, param_hint=option) from None


def read_name(text: str, option: str) -> Name:
    return _read(Name.from_text, text, option)


def read_type(text: str, option: str) -> int:
    return _read(type_number, text, option)


def _read(read: Callable[[str], T], text: str, option: str | None = None) -> T:
    try:
        return read(text)
    except PydanticCustomError as error:
        problem = error.context or {}
        raise typer.BadParameter(f"{problem.get('what')}; {problem.get('way_out')}") from None
    except (MalformedName, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="VPCDNS_CONFIG", metavar="FILE", help="The configuration file, YAML or JSON."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
