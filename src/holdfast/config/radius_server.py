"""A RADIUS server in the configuration: `"address:port"`, or a table that says more, such as how it is reached."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_serializer

from holdfast.config.paths import WholePath
from holdfast.config.values import Endpoint, endpoint_with, parse_host_address

AUTHENTICATION_PORT, ACCOUNTING_PORT, TLS_PORT = 1812, 1813, 2083
"""RFC 2865 section 3, RFC 2866 section 3, RFC 6614 section 2.1."""


def _address(value: Any) -> Any:
    """Read an address that may be this machine's own: RADIUS often runs beside the gateway."""
    if isinstance(value, str) and value.startswith("127."):
        return IPv4Address(value)
    return parse_host_address(value)


ServerAddress = Annotated[IPv4Address, BeforeValidator(_address), WithJsonSchema({"type": "string", "format": "ipv4"})]


class Transport(StrEnum):
    """How packets travel."""

    UDP = "udp"
    TLS = "tls"


class RadiusServer(BaseModel):
    """One server."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    address: ServerAddress
    """Its IPv4 address."""
    port: Annotated[int, Field(strict=True, ge=1, le=65535)]
    """Without it 1812, for accounting 1813, over TLS 2083."""
    transport: Transport = Transport.UDP
    """"udp", or "tls" (RFC 6614)."""
    priority: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    """The lowest is asked first; without it, the place in the list (with `spread`, the same for all)."""
    weight: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Its share among servers of the same priority."""
    ca: WholePath | None = None
    """TLS: certificates (PEM) of those who may vouch for the server; without it, those that this machine trusts."""
    certificate: WholePath | None = None
    """TLS: this gateway's certificate (PEM)."""
    key: WholePath | None = None
    """TLS: the key of that certificate (PEM, without a password)."""
    name: Annotated[str, Field(max_length=253)] = ""
    """TLS: the host name that the server's certificate must have; without it, the certificate must name the address."""

    own_secret: Annotated[bool, Field(strict=True)] = False
    """TLS: whether its shared secret stands in `secrets_file`; without it, the one that RFC 6614 fixes."""

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    @property
    def tls(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.transport is Transport.TLS

    @property
    def needs_secret(self) -> bool:
        """Whether its shared secret must stand in `secrets_file`."""
        return not self.tls or self.own_secret

    @model_serializer(mode="wrap")
    def _written(self, handler: Any) -> Any:
        """Write the plain ones as people do."""
        plain = self.model_fields_set <= {"address", "port"}
        return str(self) if plain else {name: value for name, value in handler(self).items() if value}


def server_reader(port: int) -> Any:
    """Return what reads a server whose usual port is this one."""

    def read(value: Any) -> Any:
        if isinstance(value, str):
            endpoint = endpoint_with(port, f"the usual one is {port}", value)
            return {"address": str(endpoint.address), "port": endpoint.port}
        if isinstance(value, Endpoint):
            return {"address": value.address, "port": value.port}
        if isinstance(value, Mapping):
            return _table({**value}, port)
        return value

    return read


def _table(values: dict[str, Any], port: int) -> dict[str, Any]:
    if "address" not in values:
        raise ValueError('a server needs an address, such as address = "192.0.2.10"')
    tls = values.get("transport") == Transport.TLS
    stray = sorted({"ca", "certificate", "key", "name", "own_secret"} & set(values))
    if stray and not tls:
        raise ValueError(f'{stray[0]} means something with transport = "tls" only')
    if tls and not {"certificate", "key"} <= set(values):
        raise ValueError("over TLS the gateway proves itself, too: name its certificate and key (RFC 6614 section 2.3)")
    return {"port": TLS_PORT if tls else port, **values}


def server_schema(port: int) -> dict[str, Any]:
    """Return the JSON schema of a server whose usual port is this one."""
    text = {"type": "string", "description": "address or address:port", "examples": [f"192.0.2.10:{port}"]}
    return {"anyOf": [text, {"type": "object", "description": "address, transport and more"}]}
