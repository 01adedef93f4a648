"""Probes in the file of tunnels: `[tunnel.NAME.probes.PROBE]`, one table each, with one of `dns`, `http` and `ping`."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from holdfast.probe.fetch import objection
from holdfast.probe.settings import Fetch, Lookup, Ping, Probe

Name = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9_.-]+$")]
ProbeName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

OWN_KEYS: dict[str, frozenset[str]] = {
    "dns": frozenset({"server"}),
    "http": frozenset({"server", "status", "ca_file", "verify"}),
    "ping": frozenset({"server", "count", "max_loss", "max_round_trip"}),
}
"""What is asked, and the keys that only mean something with it."""


def _url(text: str) -> str:
    if complaint := objection(text):
        raise ValueError(complaint)
    return text


Url = Annotated[str, Field(max_length=2000), AfterValidator(_url)]


class ProbeSection(BaseModel):
    """One probe. Times in seconds, `max_loss` as a fraction."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dns: Name | None = None
    http: Url | None = None
    ping: Name | None = None
    server: IPv4Address | None = None
    status: tuple[Annotated[int, Field(ge=100, le=599)], ...] = ()
    ca_file: Path | None = None
    verify: bool = True
    count: Annotated[int, Field(ge=1, le=100)] = 5
    max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.5
    max_round_trip: Annotated[float, Field(ge=0, le=60)] = 0.0
    interval: Annotated[float, Field(ge=1, le=86400)] = 60.0
    timeout: Annotated[float, Field(ge=0.1, le=60)] = 5.0
    failures: Annotated[int, Field(ge=1, le=100)] = 3
    reconnect: bool = False

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [kind for kind in OWN_KEYS if getattr(self, kind) is not None]
        if len(asked) != 1:
            raise ValueError("a probe asks one thing: give it dns, http or ping")
        foreign = frozenset().union(*OWN_KEYS.values()) - OWN_KEYS[asked[0]]
        for key in sorted(self.model_fields_set & foreign):
            raise ValueError(f"{key} means nothing to a probe with {asked[0]}")
        return self

    def probe(self, name: str) -> Probe:
        """Return the probe of this name."""
        return Probe(name, self._what(), self.interval, self.timeout, self.failures, self.reconnect)

    def _what(self) -> Lookup | Fetch | Ping:
        server = "" if self.server is None else str(self.server)
        if self.dns is not None:
            return Lookup(self.dns, server)
        if self.http is not None:
            return Fetch(self.http, self.status, server, self.ca_file, self.verify)
        return Ping(str(self.ping), self.count, self.max_loss, self.max_round_trip, server)
