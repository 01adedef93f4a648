"""What is done to closed parts of a log while it goes on: packing, purging, forgetting."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from holdfast.errors import StateError
from holdfast.events import Event, LogFailed, PseudonymForgotten
from holdfast.observe.chain import Link, parse
from holdfast.observe.event_log import EventLog
from holdfast.observe.log_file import LogFile
from holdfast.observe.packing import pack
from holdfast.observe.pseudonyms import USER, Keyring
from holdfast.observe.purge import purge
from holdfast.observe.record import encode
from holdfast.observe.retention import PROOF, Retention, event_of
from holdfast.observe.segments import lines_of, segments
from holdfast.secret import Secret

Result = TypeVar("Result")

PURGE_EVERY = 86_400.0
FIRST_PURGE = 60.0
"""Seconds after the start: a gateway that comes up has better things to do."""
ANSWER_TIMEOUT = 60.0

_IDS = re.compile(rb'"(session|connection)":"([0-9a-f]{8,40})"')


@dataclass(frozen=True, slots=True)
class Keeping:
    """How closed segments are kept: packed, encrypted with `key` if there is one, and for how long."""

    retention: Retention = field(default_factory=Retention)
    compress: bool = True
    key: Secret | None = None


class Forgotten(NamedTuple):
    """What was done to forget a person."""

    lines: int
    keys: int


class Keeper:
    """Looks after a log. Its verbs may be called from any thread but the log's own, one at a time."""

    def __init__(self, log: EventLog, keeping: Keeping, keyring: Keyring | None = None) -> None:
        self._log, self._keeping, self._keyring = log, keeping, keyring
        self._busy = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="event-log-keeper", daemon=True)

    # --- in the background ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Pack what is closed from now on, and purge once a day."""

        def listen(file: LogFile) -> None:
            file.on_closed = self._wake.set

        self._log.request(listen)
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """End after what is being done."""
        self._stopping = True
        self._wake.set()
        self._thread.join(ANSWER_TIMEOUT)

    def _run(self) -> None:
        purge_at = time.monotonic() + FIRST_PURGE
        while not self._stopping:
            self._wake.clear()
            self._try(self.tidy)
            if time.monotonic() >= purge_at:
                purge_at = time.monotonic() + PURGE_EVERY
                self._try(self.purge)
            self._wake.wait(max(0.0, purge_at - time.monotonic()))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (OSError, StateError) as error:
            said = error.text() if isinstance(error, StateError) else f"{error.filename}: {error.strerror}"
            self._log.tell(LogFailed(f"closed parts of the log: {said}", 0))

    # --- verbs ---------------------------------------------------------------------------------------------

    def tidy(self) -> int:
        """Pack closed segments that are not packed yet; return how many. OSError, StateError when that fails."""
        keeping, log = self._keeping, self._log.place.path
        if not keeping.compress and keeping.key is None:
            return 0
        with self._busy:
            plain = [one.path for one in segments(log) if not one.is_open and one.path.name == one.name]
            for path in plain:
                pack(path, keeping.key)
        return len(plain)

    def purge(self) -> int:
        """Take out every line that is older than its class is kept; return how many."""
        now = datetime.now(UTC)
        return self._purge(lambda line: self._keeping.retention.expired(line, now), "purged")

    def forget(self, user: str) -> Forgotten:
        """Make it impossible to tell what this user did: destroy the keys of the pseudonyms, and take out lines that
        name the user or belong to the user's sessions. StateError, when all else is done, for files that cannot be
        read."""
        keyring = self._keyring
        pseudonym = self._ask(lambda _: keyring.find(USER, user)) if keyring else None
        self._ask(lambda file: file.rotate())
        names = _names(user)
        with self._busy:
            ids = self._traces(names)
        count, unreadable = 0, None
        try:
            count = self._purge(lambda line: _belongs(line, ids, names), "forgotten") if ids is not None else 0
        except StateError as error:
            unreadable = error
        keys = self._ask(lambda _: keyring.forget(user)) if keyring else 0
        if count or keys or unreadable:
            self.record(PseudonymForgotten(pseudonym or "", keys))
        if unreadable is not None:
            raise unreadable
        return Forgotten(count, keys)

    def record(self, event: Event) -> None:
        """Bring a fact about the log into the log, and on the disk."""
        self._log.record(event).result(ANSWER_TIMEOUT)

    # --- inside --------------------------------------------------------------------------------------------

    def _ask(self, action: Callable[[LogFile], Result]) -> Result:
        return self._log.request(action).result(ANSWER_TIMEOUT)

    def _purge(self, wanted: Callable[[Link], bool], cause: str) -> int:
        with self._busy:
            return purge(self._log.place.path, self._log.place.key, wanted, cause, self.record)

    def _traces(self, names: re.Pattern[bytes]) -> set[bytes] | None:
        """Return the sessions and connections of lines that name the user; None when there is no such line, and no file
        that cannot be read."""
        found, any_line = set[bytes](), False
        for segment in segments(self._log.place.path):
            try:
                for raw in lines_of(segment, self._log.place.key):
                    line = parse(raw) if names.search(raw) else None
                    if line is not None and not line.stub:
                        any_line = True
                        found.update(match[2] for match in _IDS.finditer(line.octets))
            except StateError:
                any_line = True  # the purge says which file it is
        return found if any_line else None


def _names(user: str) -> re.Pattern[bytes]:
    """Return how a line names the user: in a field of its own, or as what an administrator's action was about."""
    text = re.escape(encode({"": user})[5:-2])
    return re.compile(rb'"(?:user|account|subject)":"%b"|"target":"(?:[^"]*, )?user %b(?:"|, | at )' % (text, text))


def _belongs(line: Link, ids: set[bytes] | None, names: re.Pattern[bytes]) -> bool:
    if event_of(line) in PROOF:
        return False
    return names.search(line.octets) is not None or any(match[2] in (ids or ()) for match in _IDS.finditer(line.octets))
