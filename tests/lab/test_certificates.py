"""Certificates that Python, strict as it is since 3.13, and its peers take."""

from __future__ import annotations

import ssl

import pytest

from tests.support.hybrid_cloud import DEDICATED_NAME
from vpcdns.lab.certificates import Authority

NO_ISSUER, HOSTNAME_MISMATCH = 20, 62  # openssl/x509_vfy.h
AUTHORITY = Authority("test")


def handshake(server: ssl.SSLContext, trusted: bytes, name: str) -> None:
    """TLS in memory; raises what the client raises."""
    client = ssl.create_default_context(cadata=trusted.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there, server_hostname=name)
    answering = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for end in (asking, answering):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize(
    ("certified", "name"),
    [
        (DEDICATED_NAME, DEDICATED_NAME),
        ("api.example.com", "api.example.com"),
        ("*.example.com", "x.example.com"),
    ],
)
def test_whoever_trusts_the_lab_takes_its_certificates(certified: str, name: str) -> None:
    handshake(AUTHORITY.context(certified), AUTHORITY.certificate, name)


@pytest.mark.parametrize(
    ("certified", "name"), [("a.example.com", "b.example.com"), ("*.example.com", "a.b.example.com")]
)
def test_for_another_name_it_does_not(certified: str, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        handshake(AUTHORITY.context(certified), AUTHORITY.certificate, name)
    assert raised.value.verify_code == HOSTNAME_MISMATCH


def test_another_lab_is_not_trusted() -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        handshake(AUTHORITY.context("a.example.com"), Authority("other").certificate, "a.example.com")
    assert raised.value.verify_code == NO_ISSUER


def test_a_certificate_is_made_once() -> None:
    assert AUTHORITY.context("a.example.com") is AUTHORITY.context("a.example.com")
