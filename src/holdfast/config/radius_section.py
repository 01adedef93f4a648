"""`[radius]`: who decides about users, where sessions are accounted, who may end them."""

from enum import StrEnum
from functools import partial
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from holdfast.config.paths import WholePath
from holdfast.config.radius_server import (
    ACCOUNTING_PORT,
    AUTHENTICATION_PORT,
    RadiusServer,
    ServerAddress,
    server_reader,
    server_schema,
)
from holdfast.config.values import Endpoint, endpoint_with
from holdfast.policy.overrides import Count

DYNAMIC_PORT = 3799
"""RFC 5176 section 2.3."""

Seconds = Annotated[float, Field(strict=True, gt=0, le=3600, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


DynamicListen = Annotated[
    Endpoint,
    BeforeValidator(partial(endpoint_with, DYNAMIC_PORT, f"the usual one is {DYNAMIC_PORT}")),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "description": "address or address:port", "examples": [f"192.0.2.1:{DYNAMIC_PORT}"]}
    ),
]
AuthenticationServer = Annotated[
    RadiusServer,
    BeforeValidator(server_reader(AUTHENTICATION_PORT)),
    WithJsonSchema(server_schema(AUTHENTICATION_PORT)),
]
AccountingServer = Annotated[
    RadiusServer, BeforeValidator(server_reader(ACCOUNTING_PORT)), WithJsonSchema(server_schema(ACCOUNTING_PORT))
]


class WhenDown(StrEnum):
    """What happens to a client while no RADIUS server answers."""

    REJECT = "reject"
    TURN_AWAY = "turn_away"
    LOCAL = "local"
    CACHED = "cached"


class UnknownNames(StrEnum):
    """What happens to a client with a pool or filter that is not configured."""

    REFUSE = "refuse"
    IGNORE = "ignore"


class RadiusSection(BaseModel):
    """`[radius]`: RADIUS servers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    servers: tuple[AuthenticationServer, ...] = ()
    """Servers that decide about users, best first, as address, address:port or a table; without any, local users."""
    accounting_servers: tuple[AccountingServer, ...] | None = None
    """Servers that account sessions, best first; without the key, those of `servers` (UDP: port 1813); [] for none."""
    secrets_file: WholePath | None = None
    """Shared secrets: lines of an address and its secret, in a file that nobody else can read."""
    spread: Flag = False
    """Whether requests are spread over the servers instead of going to the first that is well."""
    nas_identifier: Annotated[str, Field(max_length=253)] = ""
    """NAS-Identifier; without it, `gateway.host_name`."""
    timeout: Seconds = 2.0
    """Seconds before a request is repeated; each wait is twice the one before."""
    tries: Count = 3
    """Times a request is sent to one server before the next one is asked."""
    patience: Annotated[float, Field(strict=True, gt=0, le=90, allow_inf_nan=False)] = 20.0
    """Seconds until a client is told; 60 or more where people confirm on a telephone."""
    dead_time: Seconds = 60.0
    """Seconds in which a server that did not answer is asked last."""
    unsigned: tuple[ServerAddress, ...] = ()
    """Old servers whose answers, Disconnect and CoA requests are taken without a Message-Authenticator."""
    when_down: WhenDown = WhenDown.REJECT
    """While no server answers: "reject"; "turn_away" (no calls); "local" users; "cached": who was let in lately."""
    cache_hours: Annotated[float, Field(strict=True, gt=0, le=8784, allow_inf_nan=False)] = 24.0
    """Hours in which a user whom RADIUS let in may come back, with `when_down = "cached"`."""
    unknown_names: UnknownNames = UnknownNames.REFUSE
    """A client whose Framed-Pool or Filter-Id names nothing in this file: "refuse" it, or "ignore" the attribute."""
    interim_jitter: Annotated[float, Field(strict=True, ge=0, le=0.5)] = 0.1
    """Part of the accounting interval by which each session's updates are moved, so that they do not come at once."""
    queue: Annotated[int, Field(strict=True, ge=100, le=10_000_000)] = 200_000
    """Most accounting records that wait on disk while no server takes them."""
    dynamic_listen: DynamicListen | None = None
    """Where Disconnect and CoA requests are taken (RFC 5176), as address or address:port; without it, nowhere."""
    dynamic_clients: tuple[ServerAddress, ...] = ()
    """Who may send them; their secrets stand in `secrets_file`."""
