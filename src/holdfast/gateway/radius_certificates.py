"""Who a RADIUS server over TLS must be, and how the gateway proves itself to it (RFC 6614 section 2.3)."""

import ssl
from collections.abc import Sequence

from holdfast.config.radius_server import RadiusServer
from holdfast.errors import ConfigError
from holdfast.gateway.radius_tls import TlsWay
from holdfast.policy.files import readable_by_others
from holdfast.secret import Secret

TLS_SECRET = Secret(b"radsec")
"""The secret that RFC 6614 section 2.3 fixes: TLS is what protects."""


def tls_ways(servers: Sequence[RadiusServer]) -> dict[tuple[str, int], TlsWay]:
    """Return how each of the servers that speak TLS is reached. ConfigError for a file that is of no use."""
    return {(str(server.address), server.port): _way(server) for server in servers if server.tls}


def _way(server: RadiusServer) -> TlsWay:
    ca, certificate, key = (_usable(server, name) for name in ("ca", "certificate", "key"))
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"the certificates for the RADIUS server {server} cannot be used",
            where=", ".join(path for path in (ca, certificate, key) if path),
            fix="All are PEM files; the key belongs to the certificate and has no password.",
        ) from error
    return TlsWay(context, server.name or str(server.address))


def _usable(server: RadiusServer, key: str) -> str | None:
    """Return the path of a PEM file that can be read, and a key by nobody else. ConfigError says what is wrong."""
    path = getattr(server, key)
    if path is None:
        return None
    try:
        if b"-----BEGIN " not in path.read_bytes():
            raise ConfigError(f"the {key} for the RADIUS server {server} is no PEM file", where=str(path))
        open_to_others = key == "key" and readable_by_others(path)
    except OSError as error:
        what = f"the {key} for the RADIUS server {server} cannot be read: {error.strerror}"
        raise ConfigError(what, where=str(path)) from error
    if open_to_others:
        raise ConfigError("other users may read the key", where=str(path), fix=f"chmod 600 {path}")
    return str(path)


def _no_password() -> str:
    """A key with a password would ask at the terminal."""
    return ""
