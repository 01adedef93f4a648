"""What an exchange keeps of each server and of each request under way: plain data."""

from dataclasses import dataclass, field

from holdfast.radius.exchange_types import Request, Sent, ServerConfig
from holdfast.radius.packet import PacketFault, read_reply


@dataclass(slots=True)
class Server:
    """A server: its lanes with what waits on each by identifier, and how it has been."""

    config: ServerConfig
    lanes: list[dict[int, "Pending"]] = field(default_factory=list)
    cursor: int = 0
    dead_until: float = 0.0
    dead: bool = False
    last_heard: float = float("-inf")
    probing: bool = False
    answers_probes: bool = False
    """Whether it ever answered a Status-Server: only then does its silence say that it, or a connection, is dead."""
    next_complaint: float = float("-inf")
    complaints: int = 0
    """Answers that could not be trusted, since the last event about them."""
    refused: int = 0
    strays: int = 0
    """Answers of all time that could not be trusted, and answers to nothing (or to what was answered already)."""
    former: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """The authenticator of the request that had a place, by lane and identifier, before."""

    def asked(self, now: float, patience: float) -> None:
        """Let the first request after the dead time find out alone whether the server lives; others do without it."""
        if self.dead and now >= self.dead_until:
            self.dead_until = now + patience

    def answers_former(self, lane: int, octets: bytes) -> bool:
        """Whether a reply is a late one to the request that had its place before: a slow server's, and no lie."""
        stood = self.former.get((lane, octets[1]))
        if stood is None:
            return False
        reply = read_reply(octets, stood, self.config.secret, require_message_authenticator=False)
        return not isinstance(reply, PacketFault)


@dataclass(slots=True)
class Pending:
    """A request without an answer yet. Moments on the clock of the exchange; `due`: when to look at it again."""

    token: int
    request: Request
    give_up: float
    remaining: list[int]
    server: int = 0
    place: tuple[int, int] = (0, 0)
    authenticator: bytes = b""
    octets: bytes = b""
    first_sent: float = 0.0
    sent: int = 0
    wait: float = 0.0
    due: float = 0.0
    refused: PacketFault | None = None
    waited_for: list[int] = field(default_factory=list)
    nobody: set[int] = field(default_factory=set)
    """Servers at whose port nobody listens, as their host says, or to which nothing gets (`no_way`)."""
    no_way: bool = False
    alive: bool = False
    """Whether a server that did not answer this request said something else meanwhile."""
    before: Sent | None = None
    """How the request went out before, to its first server."""
    probe: bool = False
    """A question of our own about the server's life: nobody waits for what becomes of it."""
