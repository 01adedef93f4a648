"""What a probe asks, and how often: small frozen values, made from a file or the command line."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """What can be asked."""

    DNS = "dns"
    HTTP = "http"
    PING = "ping"


@dataclass(frozen=True, slots=True)
class Lookup:
    """The IPv4 addresses of a name. `server`: the name server's IPv4 address; empty: those of the tunnel."""

    name: str
    server: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """GET a URL. `status`: the codes that are well, empty for every one below 400; `server` as in `Lookup`.

    `ca_file`: whose certificates are believed, None for those that this host believes; `verify` False: everybody's.
    """

    url: str
    status: tuple[int, ...] = ()
    server: str = ""
    ca_file: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Ping:
    """A series of ICMP echoes to a name or an IPv4 address; `server` as in `Lookup`.

    It is well while at most the fraction `most_loss` stays unanswered, and the mean round trip takes at most `slowest`
    seconds (0: however long).
    """

    host: str
    count: int = 5
    most_loss: float = 0.5
    slowest: float = 0.0
    server: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe. `interval` and `timeout` in seconds; so many `failures` in a row until it is called failed.

    `reconnect`: a tunnel in which it worked and then failed is dialled anew.
    """

    name: str
    what: Lookup | Fetch | Ping
    interval: float = 60.0
    timeout: float = 5.0
    failures: int = 3
    reconnect: bool = False

    @property
    def kind(self) -> Kind:
        """What is asked."""
        return _KINDS[type(self.what)]

    @property
    def target(self) -> str:
        """Whom or what it is about."""
        match self.what:
            case Lookup(name=name):
                return name
            case Fetch(url=url):
                return url
            case Ping(host=host):
                return host


_KINDS: dict[type, Kind] = {Lookup: Kind.DNS, Fetch: Kind.HTTP, Ping: Kind.PING}
