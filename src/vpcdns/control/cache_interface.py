"""The cache as an operator has it: what upstreams said is forgotten (docs/observing.md).

Knows JSON over HTTP; which answers are meant is `forward.flush`'s business.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vpcdns.control.errors import bad_request, read_name
from vpcdns.control.json_body import checked_body
from vpcdns.forward.flush import CacheSelection
from vpcdns.state import State

log = logging.getLogger("vpcdns.server")

_NAMED: Final = 10  # VPCs in a message


class _Selected(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    below: bool = False
    vpc_id: str | None = None


@dataclass(frozen=True)
class CacheInterface:
    """The routes below `/cache`. `flush` does it in every process, and says how many answers there were."""

    state: State
    flush: Callable[[CacheSelection], Awaitable[int]]
    open_for_writes: bool = True

    def routes(self) -> list[Route]:
        return [Route("/cache/flush", self._flush, methods=["POST"])]

    async def _flush(self, request: Request) -> Response:
        """Forgets answers; when it answers, no process gives one of them any more."""
        body = await checked_body(request, open_for_writes=self.open_for_writes)
        try:
            given = _Selected.model_validate(body)
        except ValidationError as error:
            first, keys = error.errors()[0], ", ".join(_Selected.model_fields)
            where = ".".join(map(str, first["loc"]))
            raise bad_request(f"{where}: {first['msg']}; what is flushed has {keys}") from error
        if given.below and given.name is None:
            raise bad_request("below: it needs a name; without both, everything is flushed")
        vpcs = self.state.world.topology.vpcs
        if given.vpc_id is not None and given.vpc_id not in vpcs:
            named = [*sorted(vpcs)[:_NAMED], *["…"] * (len(vpcs) > _NAMED)]
            raise HTTPException(
                404, f"there is no VPC {given.vpc_id}; there are: {', '.join(named) or 'none'}"
            )
        name = None if given.name is None else read_name(given.name)
        flushed = await self.flush(selection := CacheSelection(name, given.below, given.vpc_id))
        log.info("Flushed %d cached answers%s", flushed, selection)
        return JSONResponse({"flushed": flushed})
