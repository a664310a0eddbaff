"""Both of the cloud's signatures, ACS3-HMAC-SHA256 and V2 HMAC-SHA1, and the nonces that were used.

Knows no clock. A request gives its Claim (who signed, when, over what), a secret shows whether it is true.
What the client has signed is not normalised; a comparison takes the same time wherever it fails.
"""

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from vpcdns.control.openapi.errors import ApiError, missing
from vpcdns.control.openapi.request import ACS3, ApiRequest

V2: Final = "HMAC-SHA1"
_UNREADABLE: Final = "The Authorization header cannot be read."
_FIELD: Final = re.compile(r"\s*(Credential|SignedHeaders|Signature)=([^,]*)\s*")
_MUST_BE_SIGNED: Final = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce")
# The documents say 15 and 31 minutes; the shorter one, either way.
TOLERANCE: Final = 15 * 60.0  # seconds
MAX_TOLD: Final = 1 << 14  # characters of what is to be signed that an error tells
CAPACITY: Final = 100_000  # some 20 MB; 55 requests a second for as long as a nonce counts


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of its signature; `timestamp` and `nonce` are as received, perhaps empty."""

    scheme: str
    access_key_id: str
    signature: str
    string_to_sign: str
    timestamp: str
    nonce: str

    def is_true(self, secret: str) -> bool:
        """Whether whoever holds `secret` made this request."""
        return hmac.compare_digest(self.signed_by(secret).encode(), self.signature.encode())

    def signed_by(self, secret: str) -> str:
        """The signature that whoever holds `secret` would make."""
        text = self.string_to_sign.encode()
        if self.scheme == ACS3:
            return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        return base64.b64encode(hmac.new(f"{secret}&".encode(), text, hashlib.sha1).digest()).decode()

    @property
    def signed_at(self) -> datetime | None:
        """The timestamp read; None when it is none (ISO 8601, UTC, seconds)."""
        try:
            return datetime.strptime(self.timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return None


def claim(request: ApiRequest) -> Claim:
    """The claim of a request, V3 when it has an Authorization header. Raises ApiError if there is none."""
    authorization = request.headers.get("authorization", "")
    if request.is_v3:
        return _acs3(request, authorization.removeprefix(f"{ACS3} "))
    if authorization and "AccessKeyId" not in request.parameters:
        raise no_match(why=_UNREADABLE)
    return _v2(request)


def no_match(string_to_sign: str = "", why: str = "") -> ApiError:
    """Ends in what is to be signed, as the cloud's message does: classic SDKs look for it behind a colon."""
    text = f"Specified signature is not matched with our calculation. {why}".rstrip()
    text = f"{text} server string to sign is:{string_to_sign[:MAX_TOLD]}"
    return ApiError("SignatureDoesNotMatch", text)


def _acs3(request: ApiRequest, authorization: str) -> Claim:
    matches = [_FIELD.fullmatch(part) for part in authorization.split(",")]
    said = {match[1]: match[2] for match in matches if match is not None}
    if not len(matches) == len(said) == 3 or not all(said.values()):
        raise no_match(why=_UNREADABLE)
    body_hash = hashlib.sha256(request.body).hexdigest()
    given_hash = request.headers.get("x-acs-content-sha256", body_hash)
    if not hmac.compare_digest(given_hash.lower().encode(), body_hash.encode()):
        raise no_match(why="x-acs-content-sha256 is not the body's.")
    names = said["SignedHeaders"].split(";")
    # A header that is there but not signed could be put there by anybody.
    if any(name in request.headers and name not in names for name in _MUST_BE_SIGNED):
        raise no_match(why="Headers that say what is asked are not signed.")
    header_block = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
    what = (request.method, request.path, _canonical(request.query_pairs))
    canonical = "\n".join((*what, header_block, said["SignedHeaders"], body_hash))
    string_to_sign = f"{ACS3}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    headers = request.headers
    timestamp, nonce = headers.get("x-acs-date", ""), headers.get("x-acs-signature-nonce", "")
    return Claim(ACS3, said["Credential"], said["Signature"], string_to_sign, timestamp, nonce)


def _v2(request: ApiRequest) -> Claim:
    parameters = request.parameters
    if not parameters.get("AccessKeyId") or not parameters.get("Signature"):
        raise missing("AccessKeyId")
    if parameters.get("SignatureMethod", V2).upper() != V2:
        raise no_match(why="The signature method is not HMAC-SHA1.")
    pairs = (*request.query_pairs, *request.form_pairs)
    canonical = _canonical(pair for pair in pairs if pair[0] != "Signature")
    string_to_sign = f"{request.method}&%2F&{percent(canonical)}"
    timestamp, nonce = parameters.get("Timestamp", ""), parameters.get("SignatureNonce", "")
    return Claim(V2, parameters["AccessKeyId"], parameters["Signature"], string_to_sign, timestamp, nonce)


def _canonical(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{percent(name)}={percent(value)}" for name, value in sorted(pairs))


def percent(text: str) -> str:
    """RFC 3986 §2.1 on UTF-8: unreserved characters stay, hexadecimal digits are upper-case."""
    return quote(text, safe="-_.~")


class Nonces:
    """Nonces of the last half hour; the oldest go first when there are too many.

    Only what a valid signature covers is remembered, so nobody without a key can fill it.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def is_new(self, access_key_id: str, nonce: str, now: float) -> bool:
        """Whether the nonce was not used; from now on it is. `now` is in seconds and never falls."""
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        key = (access_key_id, nonce)
        if key in self._until:
            return False
        if len(self._until) >= self._capacity:
            self._until.popitem(last=False)
        # A request may be signed up to one tolerance ahead, and is good until one after that.
        self._until[key] = now + 2 * TOLERANCE
        return True
