"""Answers a request of the API: checks who asks, finds the action, runs it.

Once there is an answer, DNS queries see the change. Knows the order of the checks; the clock is given.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from vpcdns.config import is_region_id
from vpcdns.control.drafts import Drafts
from vpcdns.control.long_responses import room
from vpcdns.control.openapi.actions import ACTIONS, spelled
from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.catalogue import Catalogue, LookUps
from vpcdns.control.openapi.errors import (
    ApiError,
    Product,
    dry_run_operation,
    error_body,
    invalid,
    missing,
    new_request_id,
    no_such_action,
)
from vpcdns.control.openapi.keys import AccessKeys
from vpcdns.control.openapi.parameters import is_reading
from vpcdns.control.openapi.request import ApiRequest, ApiResponse
from vpcdns.control.openapi.signature import TOLERANCE, Nonces, claim, no_match
from vpcdns.errors import StateError
from vpcdns.model.world import World
from vpcdns.server.threads import Place, in_thread
from vpcdns.state import State

log = logging.getLogger("vpcdns.admin")

# What browsers add and SDKs do not: no page may ask for its reader (docs/decisions/0006).
_BROWSER_HEADERS: Final = ("origin", "sec-fetch-site")


_Body = dict[str, Any]
_Run = Callable[[State], _Body]


@dataclass(eq=False, slots=True)
class OpenApi:
    """The API over a State.

    Without keys nothing is checked; then anybody may ask if `open_without_keys`, which is for a socket that
    only this host can reach. A request that names no region is about `region_id`.
    """

    state: State
    keys: AccessKeys
    _: KW_ONLY
    region_id: str | None = None
    open_without_keys: bool = False
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    nonces: Nonces = field(default_factory=Nonces)
    _drafts: Drafts = field(init=False)
    _reads: asyncio.Semaphore = field(default_factory=room, init=False)
    _catalogue: Catalogue = field(default_factory=Catalogue, init=False)

    def __post_init__(self) -> None:
        self._drafts = Drafts(self.state)
        self.state.subscribe(self._forget)

    async def respond(self, request: ApiRequest) -> ApiResponse:
        """The response; never raises for anything that a client can send.

        Actions that are not quick run in threads, on what the State held when they began: over many groups
        some take long. A change is in place when this returns.
        """
        request_id = new_request_id()
        try:
            quick, reads, run = self._checked(request)
            if quick:
                # Handing the interpreter to a thread and back would take longer, and DNS would wait for it.
                if not self._catalogue.is_near(self.state.contents):
                    await in_thread(partial(self._catalogue.follow, self.state.contents))
                body = run(self.state)
            else:
                body = await (self._read(run) if reads else self._drafts.make(run))
        except (ApiError, StateError) as error:
            return self._refused(request, request_id, error)
        return _response(200, request_id, {"RequestId": request_id, **body})

    def answer(self, request: ApiRequest) -> ApiResponse:
        """The same at once, without an event loop."""
        request_id = new_request_id()
        try:
            body = self._checked(request)[2](self.state)
        except (ApiError, StateError) as error:
            return self._refused(request, request_id, error)
        return _response(200, request_id, {"RequestId": request_id, **body})

    async def _read(self, run: _Run) -> _Body:
        async with Place(self._reads) as place:
            return await place.work(partial(run, State(self.state.file, contents=self.state.contents)))

    def _checked(self, request: ApiRequest) -> tuple[bool, bool, _Run]:
        """Whether it is quick, whether it changes nothing, and what runs it. Raises ApiError."""
        if any(name in request.headers for name in _BROWSER_HEADERS):
            raise ApiError("Forbidden", "The API is not for browsers.", 403)
        name, version = request.named("Action"), request.named("Version")
        who = self._caller(request)
        if not name:
            raise missing("Action")
        if not version:
            raise missing("Version")
        name = spelled(version, name)
        known = ACTIONS.get((version, name))
        if known is None:
            raise no_such_action(name, version)
        if not self.keys and request.method != "POST" and not is_reading(name):
            raise ApiError("Forbidden", "Without access keys only POST changes anything.", 403)
        product, action = known
        at = datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        region, named = self._region(request), request.region_id
        if region is not None and not is_region_id(region):
            raise invalid("RegionId")
        parameters = action.read(name, product, request.parameters, request.emptied)

        def run(state: State) -> _Body:
            look_ups = LookUps(self._catalogue, state.contents)
            call = Call(product, parameters, state, look_ups, region, named, who, at)
            body = action.run(call)
            if call.dry_run:
                raise dry_run_operation()
            return body

        return action.quick, is_reading(name), run

    def _refused(self, request: ApiRequest, request_id: str, error: ApiError | StateError) -> ApiResponse:
        if isinstance(error, StateError):
            log.error("A change was refused, for it cannot be kept: %s", error)
            error = ApiError("ServiceUnavailable", "The change cannot be kept; see the log.", 503)
        version = request.named("Version")
        product = next((one for one in Product if one.version == version), Product.CLOUDAPI)
        host = product.host_in(self._region(request) or "local")
        return _response(error.status, request_id, error_body(error.code, error.message, host, request_id))

    def _forget(self, old: World, new: World) -> None:
        """Forgets what would keep old groups in memory, when all are others."""
        if not new.groups.shares_with(old.groups):
            self._catalogue.forget()

    def _caller(self, request: ApiRequest) -> str:
        """The access key id of who asks, checked in the cloud's order: key, time, signature, nonce."""
        if not self.keys:
            if not self.open_without_keys:
                raise ApiError(
                    "NoPermission", "No access keys are configured here (admin.access_keys_file).", 403
                )
            try:
                return claim(request).access_key_id[:128]
            except ApiError:
                return "anonymous"
        said = claim(request)
        secret = self.keys.get(said.access_key_id)
        if secret is None:
            raise ApiError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        if said.signed_at is None:
            text = "Specified time stamp is not of the form 2016-08-01T06:53:02Z."
            raise ApiError("InvalidTimeStamp.Format", text)
        if abs(self.now() - said.signed_at.timestamp()) > TOLERANCE:
            raise ApiError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        if not said.is_true(secret):
            raise no_match(said.string_to_sign)
        if not said.nonce:
            raise missing("SignatureNonce")
        if not self.nonces.is_new(said.access_key_id, said.nonce, self.monotonic()):
            raise ApiError("SignatureNonceUsed", "Specified signature nonce was used already.")
        return said.access_key_id

    def _region(self, request: ApiRequest) -> str | None:
        """The request's, the configured one, or the only one there is."""
        if (known := request.region_id or self.region_id) is not None:
            return known
        regions = self.state.world.region_ids()
        return regions.pop() if len(regions) == 1 else None


def _response(status: int, request_id: str, body: _Body) -> ApiResponse:
    return ApiResponse(status, body, {"x-acs-request-id": request_id})
