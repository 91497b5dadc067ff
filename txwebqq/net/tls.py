"""
Whom a client trusts over TLS.
"""

from __future__ import annotations

from pathlib import Path

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

# Twisted exports ways to make a trust root, but not the interface by which to
# join two of them.
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.abstract import isIPAddress
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, optionsForClientTLS, platformTrust
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from txwebqq.errors import InvalidConfiguration


@implementer(IOpenSSLTrustRoot)
class TrustRoots:
    """
    The system's authorities and those of a file.

    @param caFile: the name of a PEM file, or L{None}.

    @raise InvalidConfiguration: when that does not hold any.
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
    Talks to who has a certificate of an authority and for the name alone.
    """

    def __init__(self, authorities: IOpenSSLTrustRoot) -> None:
        self._authorities = authorities
        # One for each host: they are dear to make.
        self._creators: dict[bytes, _HostnameVerifier] = {}

    def creatorForNetloc(
        self, hostname: bytes, port: int
    ) -> IOpenSSLClientConnectionCreator:
        creator = self._creators.get(hostname)
        if creator is None:
            creator = _HostnameVerifier(hostname.decode("ascii"), self._authorities)
            self._creators[hostname] = creator
        return creator


@implementer(IOpenSSLClientConnectionCreator)
class _HostnameVerifier:
    """
    Makes the connections to one host.

    Twisted looks at the name too, but there are versions that let pass what
    they cannot compare: a certificate without alternative names, or with
    broken ones.
    """

    _log = Logger()

    def __init__(self, host: str, authorities: IOpenSSLTrustRoot) -> None:
        self._host = host
        self._id: ServiceID = IPAddress_ID(host) if isIPAddress(host) else DNS_ID(host)
        self._creator = optionsForClientTLS(host, trustRoot=authorities)

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> Connection:
        connection = self._creator.clientConnectionForTLS(tlsProtocol)
        connection.set_verify(VERIFY_PEER | VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        return connection

    def _verify(
        self, connection: Connection, certificate: X509, error: int, depth: int, ok: int
    ) -> bool:
        if not ok or depth > 0:
            return bool(ok)
        try:
            verify_service_identity(extract_patterns(certificate), [self._id], [])
        except Exception as e:
            # Nothing may be raised into OpenSSL, which would go on.
            self._log.warn(
                "The certificate of {host} is not for it: {reason}.",
                host=self._host,
                reason=str(e) or type(e).__name__,
            )
            return False
        return True
