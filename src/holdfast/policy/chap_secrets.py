"""pppd's chap-secrets file as a source of users: client, server, secret, addresses (pppd(8), "Authentication").

Which line counts is decided as pppd does: a line that names client and server goes before one with `*`, the first
of equals wins. What is not understood is skipped and reported, never guessed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

from holdfast.errors import StateError
from holdfast.policy.names import UnacceptableError, acceptable_name, acceptable_password
from holdfast.policy.pppd_words import WordLine, word_lines
from holdfast.policy.ranges import Address, AddressRange
from holdfast.policy.records import Credentials, SecretKind, UserRecord
from holdfast.secret import Secret

SOURCE = "chap-secrets"
ANY = "*"
DEFAULT_SERVER = "pptpd"
"""The name that Debian's pptpd gives itself towards pppd."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One usable line. `addresses` empty with `no_address` false means any address."""

    line: int
    client: str
    server: str
    secret: Secret
    addresses: tuple[AddressRange, ...] = ()
    no_address: bool = False
    notes: tuple[str, ...] = ()

    @property
    def precision(self) -> int:
        """Rank among lines for the same user: the client's name weighs more than the server's."""
        return 2 * (self.client != ANY) + (self.server != ANY)

    def credentials(self, name: str) -> Credentials:
        """Return the entry as the user `name`."""
        record = UserRecord(name, SecretKind.PASSWORD, SOURCE, addresses=self.addresses, no_address=self.no_address)
        return Credentials(record, self.secret)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that is not used, and why."""

    line: int
    client: str
    why: str


def parse(octets: bytes, server: str = DEFAULT_SERVER) -> list[Entry | Skipped]:
    """Read a whole file, line by line in its order. `server` is the name that lines for us carry (or `*`)."""
    return [_judge(line, server) for line in word_lines(octets)]


class ChapSecrets:
    """A chap-secrets file, read again whenever it changes."""

    def __init__(self, path: Path, server: str = DEFAULT_SERVER) -> None:
        """StateError when the file cannot be read."""
        self._path, self._server = path, server
        self._mark: tuple[int, ...] = ()
        self._entries: dict[str, Entry] = {}
        self._dedicated: dict[Address, str] = {}
        self.skipped: tuple[Skipped, ...] = ()
        self._refresh()

    def find(self, name: str) -> Credentials | None:
        """Return user and secret, or None. StateError when the file cannot be read any more."""
        self._refresh()
        entry = self._entries.get(name) or self._entries.get(ANY)
        return entry.credentials(name) if entry else None

    def dedicated(self) -> Mapping[Address, str]:
        """Return the single addresses that lines give to their users."""
        self._refresh()
        return self._dedicated

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            if mark == self._mark:
                return
            octets = self._path.read_bytes()
        except OSError as error:
            raise StateError(
                f"the chap-secrets file cannot be read: {error.strerror}",
                where=str(self._path),
                fix="Give it back, or take users.chap_secrets out of the configuration.",
            ) from None
        lines = parse(octets, self._server)
        self._entries = _best(line for line in lines if isinstance(line, Entry))
        self._dedicated = {
            part.first: entry.client
            for entry in self._entries.values()
            for part in entry.addresses
            if len(part) == 1 and entry.client != ANY
        }
        self.skipped = tuple(line for line in lines if isinstance(line, Skipped))
        self._mark = mark


def _best(entries: Iterator[Entry]) -> dict[str, Entry]:
    best: dict[str, Entry] = {}
    for entry in entries:
        if entry.client not in best or entry.precision > best[entry.client].precision:
            best[entry.client] = entry
    return best


def _judge(line: WordLine, server: str) -> Entry | Skipped:
    client = _text(line.words[0])
    try:
        return _entry(line, server)
    except (ValueError, UnacceptableError) as error:
        why = error.what if isinstance(error, UnacceptableError) else str(error)
        return Skipped(line.number, client if client.isprintable() else ascii(client), why)


def _entry(line: WordLine, server: str) -> Entry:
    """Understand one line; ValueError or UnacceptableError says why it cannot be used."""
    if not line.complete:
        raise ValueError("a quote is never closed")
    if len(line.words) < 3:
        raise ValueError("client, server and secret are needed; this line has fewer words")
    client, wanted = _text(line.words[0]), _text(line.words[1])
    if client != ANY:
        client = acceptable_name(client)
    if wanted not in {ANY, server}:
        raise ValueError(f"it is for another server than {server!a}")
    if line.words[2].startswith(b"@/"):
        raise ValueError("its secret lies in a file of its own (@FILE), which is not supported")
    entry = Entry(line.number, client, wanted, acceptable_password(_text(line.words[2])))
    return _with_addresses(entry, [_text(word) for word in line.words[3:]])


def _with_addresses(entry: Entry, words: list[str]) -> Entry:
    if "--" in words:
        words = words[: words.index("--")]
        entry = replace(entry, notes=("the pppd options after -- are not used",))
    if not words or words[0] == "-":
        note = "no address is allowed on this line, so nobody can connect with it; write * as its fourth word"
        return replace(entry, no_address=True, notes=(*entry.notes, note))
    allowed = words[: words.index(ANY)] if ANY in words else words
    return replace(entry, addresses=tuple(_range(position, word) for position, word in enumerate(allowed, start=4)))


def _range(position: int, word: str) -> AddressRange:
    """Read an address or a network. The text itself is never shown: it may be the rest of an unquoted secret."""
    if word.startswith("!") or word.endswith("+"):
        raise ValueError(f"word {position} is an address with ! or +, which is not supported")
    try:
        return AddressRange.parse(str(ip_network(word, strict=False)))
    except ValueError:
        raise ValueError(f"word {position} is not an address, a network or * (has the secret a space?)") from None


def _text(word: bytes) -> str:
    """Read a word as UTF-8, or as Latin-1 when it is none: then pppd's NT hash is that of Windows."""
    try:
        return word.decode()
    except UnicodeDecodeError:
        return word.decode("latin-1")
