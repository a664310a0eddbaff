"""Actions on a bound custom domain that are stored and returned: certificates, WebSocket, patterns."""

import secrets
from typing import Any, Final

from vpcdns.control.openapi.call import Call
from vpcdns.control.openapi.custom_domains import bound_name
from vpcdns.control.openapi.domain_items import CERTIFICATE, domain_edited
from vpcdns.control.openapi.parameters import Action
from vpcdns.state.api_attributes import Attributes

_STATUSES: Final = ("OPEN", "CLOSE")
MAX_CERTIFICATE: Final = 32_768  # characters


def set_domain_certificate(call: Call) -> dict[str, Any]:
    """The certificate is stored, and its key is not: nothing here needs it."""
    call.required("CertificateName")
    body = call.parameters.get(CERTIFICATE, "")
    if len(body) > MAX_CERTIFICATE:
        raise call.invalid(CERTIFICATE, f"At most {MAX_CERTIFICATE} characters.")
    kept = {**call.kept("CertificateName"), "CertificateId": secrets.token_hex(8), CERTIFICATE: body}
    return _set(call, kept)


def set_domain_web_socket_status(call: Call) -> dict[str, Any]:
    return _set(call, {"DomainWebSocketStatus": call.one_of("ActionValue", _STATUSES)})


def set_wildcard_domain_patterns(call: Call) -> dict[str, Any]:
    patterns = call.kept("WildcardDomainPatterns")
    return _set(call, patterns or {"WildcardDomainPatterns": ""})


def reactivate_domain(call: Call) -> dict[str, Any]:
    """No domain is ever blocked here, so each is active already."""
    return _set(call, {})


def _set(call: Call, attributes: Attributes) -> dict[str, Any]:
    group, name, _ = bound_name(call)
    return call.commit(records=call.edited(group, domain_edited(call.record(group), name, attributes)))


_NAME: Final = "GroupId DomainName"
ACTIONS: Final = {
    "SetDomainCertificate": Action(
        set_domain_certificate,
        f"{_NAME} CertificateName CertificateBody",
        "CertificatePrivateKey CaCertificateBody ClientCertSDnPassThrough:bool SslOcspCacheEnable:bool"
        " SslOcspEnable:bool SslVerifyDepth",
    ),
    "SetDomainWebSocketStatus": Action(set_domain_web_socket_status, f"{_NAME} ActionValue", "WSSEnable"),
    "SetWildcardDomainPatterns": Action(set_wildcard_domain_patterns, f"{_NAME} WildcardDomainPatterns"),
    "ReactivateDomain": Action(reactivate_domain, _NAME),
}
