"""The event log of a gateway as its configuration wants it: file, sinks, keeper, pseudonyms."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.config import Config
from holdfast.observe.at_rest import read_key_file
from holdfast.observe.event_log import EventLog, Listener, LogOptions
from holdfast.observe.keeper import Keeper, Keeping
from holdfast.observe.pseudonyms import KEYS_FILE, Keyring, Pseudonymiser
from holdfast.observe.retention import Retention
from holdfast.observe.sinks.bookmark import Bookmark, forget_others
from holdfast.observe.sinks.local import Watcher
from holdfast.observe.sinks.make import make_sink
from holdfast.observe.sinks.runner import Sink, SinkRunner
from holdfast.secret import Secret

EVENT_LOG_NAME = "events.jsonl"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Journal:
    """An open log with everything that looks after it."""

    log: EventLog
    keeper: Keeper
    keyring: Keyring | None

    def close(self) -> None:
        """Write what waits, and give everything back."""
        self.keeper.stop()
        self.log.close()
        if self.keyring is not None:
            self.keyring.close()


def log_path(config: Config, state: Path) -> Path:
    """Return where the log of a gateway with this state directory lies."""
    return config.log.file or state / EVENT_LOG_NAME


def log_key(config: Config) -> Secret | None:
    """Return the key that encrypts closed files, None without one. ConfigError when it cannot be read."""
    return None if config.log.encryption_key is None else read_key_file(config.log.encryption_key)


def retention(config: Config) -> Retention:
    """Return how long which facts are kept."""
    section = config.log
    return Retention(section.keep_sessions, section.keep_security, section.keep_admin, section.keep_packets)


def open_log(config: Config, state: Path, watchers: Sequence[Listener] = ()) -> Journal:
    """Open the log; `watchers` see each record on a thread of their own.

    StateError when the log cannot be written, ConfigError when a key, token or certificate cannot be read.
    """
    section = config.log
    key = log_key(config)
    path = log_path(config, state)
    local: list[Sink] = [Watcher("standard output", watcher) for watcher in watchers]
    remote: list[Sink] = []
    for address in section.sinks:
        # What was printed is printed: only receivers that may be away for a while resume.
        (local if address.kind == "stdout" else remote).append(make_sink(address))
    forget_others(state, [sink.name for sink in remote])
    keyring = Keyring(state) if section.pseudonyms or (state / KEYS_FILE).exists() else None
    options = LogOptions(
        state=state,
        segment_size=section.segment_megabytes * MEGABYTE,
        sign_interval=section.sign_interval,
        key=key,
        connect=lambda log: [
            *(SinkRunner(sink, log.tell) for sink in local),
            *(SinkRunner(sink, log.tell, book=Bookmark(state, sink.name, path, key)) for sink in remote),
        ],
        disguise=Pseudonymiser(keyring) if keyring is not None and section.pseudonyms else None,
    )
    log = EventLog(path, section.level, options)
    keeper = Keeper(log, Keeping(retention(config), section.compress, key), keyring)
    keeper.start()
    return Journal(log, keeper, keyring)
