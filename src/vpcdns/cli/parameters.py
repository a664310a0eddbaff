"""What commands take: the types of their options, and how text becomes them.

Knows how a wrong value is reported as a usage error, with the way out.
"""

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

import typer
from pydantic_core import PydanticCustomError

from vpcdns.config import admin_listen, is_region_id, listen
from vpcdns.model.dns import type_number
from vpcdns.model.names import Name
from vpcdns.model.topology import Address

T = TypeVar("T")

DEFAULT_CONFIG: Final = Path("/etc/vpcdns/vpcdns.yaml")


def _parser(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read` for typer, which gives it defaults as well: they stay as they are."""

    def parse(text: str | T) -> T:
        try:
            return read(text) if isinstance(text, str) else text
        except PydanticCustomError as error:
            problem = error.context or {}
            raise typer.BadParameter(f"{problem.get('what')}; {problem.get('way_out')}") from None
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is no IP address; write one such as 10.1.0.5") from None


def _region_id(text: str) -> str:
    if not is_region_id(text):
        raise ValueError(f"{text!r} is no region; write one such as cn-hangzhou")
    return text


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{text!r} is no endpoint; write one such as http://127.0.0.1:5380")
    return f"{parts.scheme}://{parts.netloc}"


def _checked_name(text: str) -> str:
    Name.from_text(text)
    return text


read_listen: Final = _parser(listen)  # `address:port`, `[address]:port`, or an address alone for port 53
read_admin_listen: Final = _parser(admin_listen)  # or the absolute path of a UNIX socket
read_region_id: Final = _parser(_region_id)
read_endpoint: Final = _parser(_endpoint)  # a URL of a scheme and a host
read_address: Final = _parser(_address)
read_name: Final = _parser(Name.from_text)
check_name: Final = _parser(_checked_name)  # stays as it is: libc knows a final dot
read_type: Final = _parser(type_number)
ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="VPCDNS_CONFIG", metavar="FILE", help="The configuration file, YAML or JSON."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
