"""Batches over HTTP and HTTPS: plain JSON lines, Splunk's HTTP Event Collector, Elasticsearch's bulk API, OTLP."""

import contextlib
import http.client
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult

from holdfast.observe.sinks.lines import chain_of, head_of
from holdfast.observe.sinks.runner import RefusedError
from holdfast.observe.sinks.stream import TIMEOUT, Tls
from holdfast.secret import Secret

MOST_OF_AN_ANSWER = 1024 * 1024
NEVER = frozenset({400, 406, 411, 414, 415, 422, 431})
"""Answers that say something of the lines themselves. With every other the lines wait: a person can mend it at the
receiver, or in the address of the sink."""
TOO_LARGE = 413

Judge = Callable[[bytes, int], None]
"""Looks into a good answer for lines that were refused all the same: (body, lines sent); may raise."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of receiver wants its batches. `authorization` is the word before the token."""

    path: str
    content_type: str
    body: Callable[[Sequence[bytes]], bytes]
    authorization: str
    judge: Judge


class HttpSink:
    """Posts batches. The token never leaves the request's header."""

    def __init__(self, name: str, url: SplitResult, dialect: Dialect, token: Secret | None, tls: Tls) -> None:
        self.name, self._url, self._dialect, self._token, self._tls = name, url, dialect, token, tls
        self._connection: http.client.HTTPConnection | None = None

    def send(self, lines: Sequence[bytes]) -> None:
        """Post the lines. OSError for what may pass, RefusedError for what will not, ValueError for too many lines."""
        try:
            status, body = self._post(self._dialect.body(lines))
        except http.client.HTTPException as error:
            self.close()
            raise OSError(f"the answer is no HTTP: {type(error).__name__}") from None
        if status == TOO_LARGE:
            raise ValueError(f"it answers {status}")
        if status in NEVER:
            raise RefusedError(f"it answers {status}", len(lines))
        if status >= 300:
            raise OSError(f"it answers {status}")
        self._dialect.judge(body, len(lines))

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
        self._connection = None

    def _post(self, body: bytes) -> tuple[int, bytes]:
        used_before = self._connection is not None
        try:
            return self._exchange(body)
        except (ConnectionError, http.client.BadStatusLine):
            if not used_before:
                raise
        self.close()  # servers close connections on which nothing came for a while: that is no trouble
        return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        path = self._url.path if self._url.path not in {"", "/"} else self._dialect.path
        self._connection.request("POST", path, body, self._headers())
        answer = self._connection.getresponse()
        content = answer.read(MOST_OF_AN_ANSWER)
        if answer.will_close or not answer.isclosed():
            self.close()
        return answer.status, content

    def _connect(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(host, self._url.port, timeout=TIMEOUT, context=self._tls.context())
        return http.client.HTTPConnection(host, self._url.port, timeout=TIMEOUT)

    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": self._dialect.content_type, "User-Agent": "holdfast"}
        if self._token is not None:
            headers["Authorization"] = f"{self._dialect.authorization} {self._token.reveal().decode('latin-1')}"
        return headers


def json_lines() -> Dialect:
    """Return the plainest dialect: the lines as they are."""
    return Dialect("/", "application/x-ndjson", b"".join, "Bearer", _content)


def splunk(index: str) -> Dialect:
    """Return what Splunk's HTTP Event Collector takes: events one behind the other, each with its time."""
    known = {"host": platform.node(), "source": "holdfast", "sourcetype": "_json"}
    rest = json.dumps({**known, **({"index": index} if index else {})})[1:-1].encode()

    def body(lines: Sequence[bytes]) -> bytes:
        return b"".join(b'{"time":%.3f,%b,"event":%b}' % (_seconds(line), rest, line.rstrip()) for line in lines)

    return Dialect("/services/collector/event", "application/json", body, "Splunk", _content)


def elastic(index: str) -> Dialect:
    """Return what Elasticsearch's bulk API takes: an action and a document for each line. A line that comes again is
    the same document (409): its id is its chain value."""
    action = json.dumps({"create": {"_index": index or "holdfast"}}).encode()[:-2]

    def body(lines: Sequence[bytes]) -> bytes:
        return b"".join(
            b'%b,"_id":"%b"}}\n{"@timestamp":"%b",%b' % (action, chain_of(line), head_of(line).stamp.encode(), line[1:])
            for line in lines
        )

    return Dialect("/_bulk", "application/x-ndjson", body, "ApiKey", _bulk_answer)


def _content(_body: bytes, _count: int) -> None:
    """A good status says it all."""


def _bulk_answer(body: bytes, _count: int) -> None:
    """Look for documents that were refused: the bulk API answers 200 for the request as a whole."""
    try:
        answer = json.loads(body)
        if not answer.get("errors"):
            return
        statuses = [next(iter(item.values())).get("status", 0) for item in answer["items"]]
    except (ValueError, KeyError, AttributeError, StopIteration):
        raise OSError("the answer is none of the bulk API") from None
    if any(status == 429 or status >= 500 for status in statuses):
        raise OSError("it has no room now")
    refused = [status for status in statuses if status >= 300 and status != 409]
    if refused:
        raise RefusedError(f"it answers {refused[0]} for documents", len(refused))


def _seconds(line: bytes) -> float:
    try:
        return datetime.fromisoformat(head_of(line).stamp).timestamp()
    except ValueError:
        return 0.0
