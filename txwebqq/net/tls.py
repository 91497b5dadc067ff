"""
Verification of servers over TLS.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from OpenSSL.crypto import X509
from OpenSSL.crypto import Error as CertificateError
from OpenSSL.SSL import (
    VERIFY_FAIL_IF_NO_PEER_CERT,
    VERIFY_PEER,
    Connection,
    Context,
)
from service_identity.hazmat import (
    DNS_ID,
    IPAddress_ID,
    ServiceID,
    verify_service_identity,
)
from service_identity.pyopenssl import extract_patterns

# Twisted exports functions that make a trust root, but not the interface that is
# needed to join two of them.
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.abstract import isIPAddress
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from txwebqq.errors import InvalidConfiguration
from txwebqq.net.certificates import fileState

MAX_HOSTS = 64
"""Number of hosts whose TLS contexts a policy keeps."""


# The codes of OpenSSL for problems of a certificate.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21, 27})


def _problemOf(host: str, certificate: X509, error: int) -> str:
    """
    Return the reason, in words, why OpenSSL does not accept a certificate.
    """
    if error == _EXPIRED:
        until = _dateOf(certificate.get_notAfter())
        return f"the certificate of {host} has expired{until}, or our clock is wrong"
    if error == _NOT_YET_VALID:
        since = _dateOf(certificate.get_notBefore())
        return (
            f"the certificate of {host} is not valid before its time{since}: is our"
            " clock wrong?"
        )
    if error in _UNKNOWN_ISSUER:
        return (
            f"the certificate of {host} is of an authority that is not known: is a file"
            " of authorities (ca-file) missing, or is this another server?"
        )
    return f"the certificate of {host} is not accepted (code {error} of OpenSSL)"


def _dateOf(asn1: bytes | None) -> str:
    try:
        text = (asn1 or b"").decode("ascii")
        time = datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return f" ({time:%Y-%m-%d %H:%M} UTC)"


@implementer(IOpenSSLTrustRoot)
class TrustRoots:
    """
    The certificate authorities of the system and of a file.

    @param caFile: the name of a PEM file, or L{None}.

    @raise InvalidConfiguration: when the file cannot be read or holds no
        certificates.
    """

    def __init__(self, caFile: str | None) -> None:
        self._certificates: list[Certificate] = []
        if caFile is None:
            return
        try:
            blocks = Path(caFile).read_bytes().split(b"-----END CERTIFICATE-----")
            for block in blocks[:-1]:
                pem = block + b"-----END CERTIFICATE-----\n"
                self._certificates.append(Certificate.loadPEM(pem))
        except OSError as e:
            raise InvalidConfiguration(f"cannot read {caFile}: {e.strerror}") from e
        except (CertificateError, ValueError) as e:
            raise InvalidConfiguration(f"{caFile} holds a broken certificate") from e
        if not self._certificates:
            raise InvalidConfiguration(f"{caFile} holds no certificate")

    def _addCACertsToContext(self, context: Context) -> None:
        platformTrust()._addCACertsToContext(context)
        store = context.get_cert_store()
        assert store is not None
        for certificate in self._certificates:
            store.add_cert(certificate.original)


@implementer(IPolicyForHTTPS)
class VerifyingPolicy:
    """
    Accepts only servers whose certificate is signed by a trusted authority and
    names the host.
    """

    def __init__(self, authorities: IOpenSSLTrustRoot) -> None:
        self._authorities = authorities
        # One for each host, since making one is slow.
        self._creators: dict[bytes, _HostnameVerifier] = {}

    def creatorForNetloc(
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        creator = self._creators.get(hostname)
        if creator is None:
            if len(self._creators) >= MAX_HOSTS:
                # A server may name any number of hosts.
                self._creators.clear()
            creator = _HostnameVerifier(hostname.decode("ascii"), self._authorities)
            self._creators[hostname] = creator
        return creator


@implementer(IOpenSSLClientConnectionCreator)
class _HostnameVerifier:
    """
    Makes the TLS connections to one host.

    Twisted checks the host name too, but some versions accept a certificate
    that they cannot compare: one without alternative names, or with malformed
    ones.
    """

    _log = Logger()

    def __init__(self, host: str, authorities: IOpenSSLTrustRoot) -> None:
        self._host = host
        self._id: ServiceID = IPAddress_ID(host) if isIPAddress(host) else DNS_ID(host)
        self._creator = optionsForClientTLS(host, trustRoot=authorities)

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        connection = self._creator.clientConnectionForTLS(tlsProtocol)
        connection.set_verify(
            VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT,
            partial(self._verify, tlsProtocol),
        )
        return connection

    def _verify(
        self,
        tlsProtocol: Any,
        connection: Connection,
        certificate: X509,
        error: int,
        depth: int,
        ok: int,
    ) -> bool:
        # The failure of the handshake has no room for the reason, so the connection
        # reads it from here (txwebqq.net.keepalive).
        if not ok:
            tlsProtocol.certificateProblem = _problemOf(self._host, certificate, error)
            return False
        if depth > 0:
            return True
        try:
            verify_service_identity(extract_patterns(certificate), [self._id], [])
        except Exception as e:
            # OpenSSL would ignore an exception and accept the certificate.
            self._log.warn(
                "Refused the certificate of {host}, which does not name the host: "
                "{reason}.",
                host=self._host,
                reason=str(e) or type(e).__name__,
            )
            problem = f"the certificate does not name the host {self._host}"
            tlsProtocol.certificateProblem = problem
            return False
        return True


# By the names of files with certificate authorities: the state in which the file was
# read, and the policy.
_policies: dict[str | None, tuple[object, VerifyingPolicy]] = {}


def policyFor(caFile: str | None) -> VerifyingPolicy:
    """
    Return the policy for a file of certificate authorities. All accounts share it,
    since each host takes a megabyte for the authorities of the system.

    @param caFile: as for L{TrustRoots}; it is read again when it has changed.

    @raise InvalidConfiguration: when the file cannot be read or holds no
        certificates.
    """
    state = None if caFile is None else fileState(caFile)
    known = _policies.get(caFile)
    if known is None or known[0] != state or (caFile is not None and state is None):
        known = _policies[caFile] = state, VerifyingPolicy(TrustRoots(caFile))
    return known[1]
