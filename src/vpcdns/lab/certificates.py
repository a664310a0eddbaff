"""The lab's certificate authority: made anew for each lab, its private key never leaves the process.

Knows `cryptography`, which is in the extra `lab`; not who asks. Certificates have all that RFC 5280 wants, as
Python is strict about it since 3.13.
"""

import os
import ssl
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BEFORE: Final = timedelta(days=1)  # clocks of whoever looks at it may be late
_AFTER: Final = timedelta(days=365)


class Authority:
    """Issues certificates for names; `certificate` is its own, as PEM: whom the lab's clients trust."""

    def __init__(self, lab: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._leaf = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"vpcdns lab {lab}")
        builder = _builder(self._name, self._key.public_key(), self._name)
        signing = _usage(key_cert_sign=True, crl_sign=True)
        self._certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(signing, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = self._certificate.public_bytes(Encoding.PEM)
        self.context = lru_cache(1_000)(self._context)

    def _context(self, name: str) -> ssl.SSLContext:
        """A server's TLS settings, with a certificate for `name`, which may begin with `*.`."""
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(_name("vpcdns lab"), self._leaf.public_key(), self._name)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        key = self._leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # ssl reads files only: one in memory, which nobody else sees and a crash does not leave.
        with os.fdopen(os.memfd_create("certificate"), "wb") as file:
            file.write(certificate.public_bytes(Encoding.PEM) + key)
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
        return context


def _name(organisation: str) -> x509.Name:
    # A VPC domain is longer than a common name may be: names are in subjectAltName only.
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    no = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    )
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
        **no,
    )
