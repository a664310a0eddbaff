"""Calls by the cloud's SDKs: credentials as their default chain finds them, endpoints as they know them.

The only module that imports the SDKs, and only when it is used: they are the extra `cloud`.
"""

import configparser
import logging
import re
import time
from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any, Final

from vpcdns import __version__
from vpcdns.errors import AccountError
from vpcdns.importing.cloud.asking import WORKERS, Refused, Unreachable
from vpcdns.importing.cloud.listings import Product

# Seconds between tries of what is throttled, as the SDKs' exponential policy grows; then it is refused.
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
MAX_PAUSE: Final = 20.0  # of those that the cloud asks for
CONNECT_TIMEOUT: Final = 5_000  # milliseconds, as the SDKs' default
READ_TIMEOUT: Final = 20_000
_CENTRAL: Final = "cn-hangzhou"  # whose endpoint tells of all regions, for products that have one

_REPEATED: Final = ("Throttling", "ServiceUnavailable", "InternalError")
_NOT_ACCEPTED: Final = (  # how codes begin that are about the caller, whatever is called
    *("InvalidAccessKey", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSignature"),
    *("InvalidSecurityToken", "MissingSecurityToken", "InvalidCredentials", "InvalidTimeStamp"),
)
_CAUSE: Final = re.compile(r".*\(Caused by \w+\(['\"](?:\w+\(.*?\): )?(.*?)['\"]\)\)$", re.DOTALL)
_WAYS: Final = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or give --profile NAME"


class Sdk:
    """The cloud, or what stands in for it at `endpoint`, a URL.

    `credentials` are what `find_credentials` gives; `sleep` waits between the tries of what is throttled.
    """

    def __init__(
        self, credentials: Any, endpoint: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._credentials, self._sleep = credentials, sleep
        self._protocol, _, self._endpoint = (endpoint or "https://").partition("://")
        self._clients: dict[tuple[Product, str], Any] = {}
        self._answering: set[Any] = set()  # clients that have had an answer
        self._making = Lock()

    def call(
        self, product: Product, region_id: str | None, action: str, parameters: dict[str, str]
    ) -> dict[str, Any]:
        """See `asking.Cloud`. Repeats what is throttled or lost; on a way that was never open, once."""
        client = self._client(product, region_id or _CENTRAL)
        for pause in (*PAUSES, None):
            error: Refused | Unreachable
            asked_for = None
            try:
                told = _called(client, product, action, parameters)
            except _Throttled as throttled:
                error, asked_for = Refused(throttled.code, str(throttled)), throttled.retry_after
            except Unreachable as lost:
                if client not in self._answering and pause != PAUSES[0]:
                    raise
                error = lost
            else:
                self._answering.add(client)
                return told
            if pause is None:
                raise error from None
            self._sleep(min(asked_for or pause, MAX_PAUSE))
        raise AssertionError

    def _client(self, product: Product, region_id: str) -> Any:
        with self._making:
            if (product, region_id) not in self._clients:
                config = _module("alibabacloud_tea_openapi.utils_models").Config(
                    credential=self._credentials,
                    region_id=region_id,
                    protocol=self._protocol,
                    connect_timeout=CONNECT_TIMEOUT,
                    read_timeout=READ_TIMEOUT,
                    max_idle_conns=WORKERS,
                    user_agent=f"vpcdns/{__version__}",
                    **({"endpoint": self._endpoint} if self._endpoint else {}),
                )
                made = _module(f"{product.package}.client").Client(config)
                self._clients[product, region_id] = made
            return self._clients[product, region_id]


class _Throttled(Exception):
    def __init__(self, code: str, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.code, self.retry_after = code, retry_after


def _called(client: Any, product: Product, action: str, parameters: dict[str, str]) -> dict[str, Any]:
    models = _module("alibabacloud_tea_openapi.utils_models")
    core = _module("darabonba.exceptions")
    params = models.Params(
        action=action,
        version=product.version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )
    try:
        runtime = _module("darabonba.runtime").RuntimeOptions()
        told = client.call_api(params, models.OpenApiRequest(query=parameters), runtime)
    except core.ResponseException as error:
        said = error.data.get("Message") if isinstance(error.data, dict) else None
        raise _refusal(str(error.code), str(said or error.message), error.retry_after) from None
    except core.TeaException as error:  # no answer, or one that is none
        inner = getattr(error, "inner_exception", None) or error
        raise _unreachable(client, str(getattr(inner, "message", "") or inner)) from None
    if not isinstance(body := told.get("body"), dict):
        raise _unreachable(client, "its answer is no JSON object")
    return body


def _unreachable(client: Any, said: str) -> Unreachable:
    """Of what `requests` says, the cause alone: the rest is its own objects and the whole URL."""
    why = _CAUSE.sub(r"\1", said)
    way_out = "check the region's name, the network, and HTTPS_PROXY"
    return Unreachable(f"{client._endpoint} cannot be asked: {why}; {way_out}")  # noqa: SLF001 - told nowhere else


def _refusal(code: str, message: str, retry_after: int | None) -> Exception:
    message = " ".join(message.split())
    if code.startswith(_REPEATED) or retry_after is not None:
        return _Throttled(code, message, None if retry_after is None else retry_after / 1000)
    if code.startswith(_NOT_ACCEPTED):
        return AccountError(f"the cloud does not accept these credentials: {code}: {message}; {_WAYS}")
    return Refused(code, message)


def find_credentials(profile: str | None) -> Any:
    """A client of the SDK's for credentials; raises AccountError, with the ways out, where there are none.

    Without a profile the SDK's default chain: the environment, OIDC, the aliyun CLI's and the SDK's own file,
    the role of an ECS instance.
    """
    made, providers = _module("alibabacloud_credentials.client"), _module("alibabacloud_credentials.provider")
    logging.getLogger("credentials").disabled = True  # the SDK's own; it prints tracebacks of what it raises
    no_credentials = _module("alibabacloud_credentials.exceptions").CredentialException
    if profile is None:
        chain = [made.Client]
    else:
        kinds = providers.CLIProfileCredentialsProvider, providers.ProfileCredentialsProvider
        chain = [lambda kind=kind: made.Client(provider=kind(profile_name=profile)) for kind in kinds]
    why = []
    for make in chain:
        try:
            client = make()
            client.get_credential()
        except (
            *(no_credentials, OSError, ValueError, LookupError, TypeError, AttributeError),
            configparser.Error,
        ) as error:
            why.append(str(error))
        else:
            return client
    what = "there are no credentials" if profile is None else f"there are none for profile {profile!r}"
    way_out = (
        _WAYS if profile is None else "`aliyun configure list` shows the profiles; or leave --profile out"
    )
    raise AccountError(f"{what}; {way_out} ({'; '.join(why)})")


def _module(name: str) -> Any:
    """A module of the SDKs'."""
    try:
        return import_module(name)
    except ImportError as error:
        what = f"the cloud's SDKs are not installed ({error})"
        raise AccountError(f"{what}; install them with: pip install 'vpcdns[cloud]'") from None
