"""Batches over HTTP."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.observe.sinks.runner import RefusedError, SinkRunner
from unit.observe.sinks.receivers import LINES, SECONDS, Http, certificate, until, web

TOKEN = "tok-3f9a2c1be7"


@pytest.fixture
def receiver() -> Iterator[Http]:
    with web() as receiver:
        yield receiver


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


def test_plain_json_lines(receiver: Http, token: Path, sink) -> None:
    sender = sink(f"http://127.0.0.1:{receiver.port}/in?token_file={token}")
    sender.send(LINES)
    sender.send(LINES[:1])
    (path, headers, body), (_, _, second) = receiver.requests
    assert (path, body, second) == ("/in", b"".join(LINES), LINES[0])
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Content-Type"] == "application/x-ndjson"
    assert TOKEN not in sender.name
    assert TOKEN not in repr(vars(sender))
    sender.close()


def test_splunk(receiver: Http, token: Path, sink) -> None:
    sender = sink(f"splunk+http://127.0.0.1:{receiver.port}?token_file={token}&index=vpn")
    sender.send(LINES)
    path, headers, body = receiver.requests[0]
    assert path == "/services/collector/event"
    assert headers["Authorization"] == f"Splunk {TOKEN}"
    decoder, text, found = json.JSONDecoder(), body.decode(), []
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:]
    assert [one["time"] for one in found] == [SECONDS, SECONDS + 1.5]
    assert [one["event"]["seq"] for one in found] == [1, 2]
    assert {one["index"] for one in found} == {"vpn"}
    sender.close()


def test_elastic(receiver: Http, token: Path, sink) -> None:
    sender = sink(f"elastic+http://127.0.0.1:{receiver.port}?token_file={token}")
    sender.send(LINES)
    path, headers, body = receiver.requests[0]
    assert (path, headers["Authorization"]) == ("/_bulk", f"ApiKey {TOKEN}")
    rows = [json.loads(row) for row in body.splitlines()]
    assert [rows[0], rows[2]] == [{"create": {"_index": "holdfast", "_id": name}} for name in ("00", "01")]
    assert (rows[1]["@timestamp"], rows[1]["user"]) == ("2026-03-01T10:00:00.000+01:00", "zoë")
    assert body.endswith(b"\n")
    sender.close()


def bulk(*statuses: int) -> tuple[int, dict]:
    items = [{"create": {"status": status}} for status in statuses]
    return 200, {"errors": any(status >= 300 for status in statuses), "items": items}


@pytest.mark.parametrize("answer", [bulk(201, 201), bulk(201, 409)])
def test_elastic_took_them(receiver: Http, answer, sink) -> None:
    receiver.answers = [answer]
    sink(f"elastic+http://127.0.0.1:{receiver.port}").send(LINES)


def test_elastic_refused_some(receiver: Http, sink) -> None:
    receiver.answers = [bulk(201, 400)]
    with pytest.raises(RefusedError, match="400") as caught:
        sink(f"elastic+http://127.0.0.1:{receiver.port}").send(LINES)
    assert caught.value.count == 1


@pytest.mark.parametrize("answer", [bulk(201, 429), bulk(503, 400), (200, {"errors": True}), (200, [])])
def test_elastic_has_no_room(receiver: Http, answer, sink) -> None:
    receiver.answers = [answer]
    with pytest.raises(OSError):
        sink(f"elastic+http://127.0.0.1:{receiver.port}").send(LINES)


@pytest.mark.parametrize("status", [301, 308, 401, 403, 404, 405, 407, 429, 500, 503])
def test_what_may_pass_is_tried_again(receiver: Http, status: int, sink) -> None:
    receiver.answers = [(status, {})]
    sender = sink(f"http://127.0.0.1:{receiver.port}/")
    with pytest.raises(OSError, match=str(status)):
        sender.send(LINES)
    sender.send(LINES)
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("status", [400, 415, 422])
def test_what_will_not_pass_is_given_up(receiver: Http, status: int, sink) -> None:
    receiver.answers = [(status, {})]
    with pytest.raises(RefusedError, match=str(status)) as caught:
        sink(f"http://127.0.0.1:{receiver.port}/").send(LINES)
    assert caught.value.count == 2


def test_https(tmp_path: Path, sink) -> None:
    cert, context = certificate(tmp_path)
    with web(context) as receiver:
        sink(f"https://127.0.0.1:{receiver.port}/in?ca={cert}").send(LINES)
        assert receiver.requests[0][2] == b"".join(LINES)
        with pytest.raises(OSError, match="certificate"):
            sink(f"https://127.0.0.1:{receiver.port}/in").send(LINES)


def test_an_answer_that_is_no_http_is_an_error(sink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-x\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match="no HTTP"):
            sink(f"http://127.0.0.1:{server.getsockname()[1]}/").send(LINES)
        thread.join()


def test_too_much_at_once_is_sent_in_parts(receiver: Http, sink) -> None:
    receiver.answers = [(413, {})]
    told: list = []
    feeder = SinkRunner(sink(f"http://127.0.0.1:{receiver.port}/"), told.append)
    feeder.offer(LINES)
    until(lambda: len(receiver.requests) == 3)
    feeder.close()
    assert [body for _, _, body in receiver.requests] == [b"".join(LINES), *LINES]
    assert told == []


def test_a_connection_that_the_receiver_closed_meanwhile_is_no_trouble(sink) -> None:
    """As web servers do when nothing came for a minute."""
    bodies: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        sender = sink(f"http://127.0.0.1:{server.getsockname()[1]}/")
        thread = threading.Thread(target=lambda: bodies.extend(_one_request(server) for _ in range(3)))
        thread.start()
        for line in (LINES[0], LINES[1], LINES[0]):
            sender.send([line])
            until(lambda: sender._connection is None or _closed(sender._connection.sock))
        thread.join(60)
    assert bodies == [LINES[0], LINES[1], LINES[0]]


def _one_request(server: socket.socket) -> bytes:
    """Answer one request, promise to stay, and go."""
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = stream.read(length)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    return body


def _closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(10)


def test_a_document_has_the_same_name_when_it_comes_again(receiver: Http, sink) -> None:
    sender = sink(f"elastic+http://127.0.0.1:{receiver.port}/")
    for _ in range(2):
        receiver.answers = [bulk(201, 201)]
        sender.send(LINES)
    first, again = (body for _, _, body in receiver.requests)
    assert first == again
    assert [json.loads(line)["create"]["_id"] for line in first.splitlines()[::2]] == ["00", "01"]
