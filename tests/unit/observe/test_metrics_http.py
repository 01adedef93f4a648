"""The door for Prometheus, and who is not let in."""

import asyncio

import pytest

from holdfast.observe import metrics_http
from holdfast.observe.metrics_http import MetricsEndpoint
from holdfast.secret import Secret

pytestmark = pytest.mark.asyncio


async def page() -> bytes:
    return b"holdfast_up 1\n"


async def ask(port: int, request: bytes) -> tuple[int, bytes, bytes]:
    """Return status, header and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]) if head else 0, head, body


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /metrics HTTP/1.1", 200),
        (b"GET /metrics?x=1 HTTP/1.0", 200),
        (b"GET / HTTP/1.1", 404),
        (b"POST /metrics HTTP/1.1", 405),
        (b"\x16\x03\x01", 405),
    ],
)
async def test_one_page_is_served(request_line, status):
    endpoint = MetricsEndpoint(page)
    port = await endpoint.start("127.0.0.1", 0)
    answered, head, body = await ask(port, request_line + b"\r\nHost: x\r\n\r\n")
    assert answered == status
    assert f"Content-Length: {len(body)}".encode() in head
    assert (body == await page()) == (status == 200)
    await endpoint.stop()


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"Authorization: Bearer right", 200),
        (b"authorization:   bearer   right  ", 200),
        (b"Authorization: Bearer wrong", 401),
        (b"Authorization: Basic right", 401),
        (b"X-Authorization: Bearer right", 401),
        (b"Authorization:", 401),
    ],
)
async def test_a_token_is_asked_for(field, status):
    endpoint = MetricsEndpoint(page, Secret(b"right"))
    port = await endpoint.start("127.0.0.1", 0)
    answered, head, _ = await ask(port, b"GET /metrics HTTP/1.1\r\n" + field + b"\r\n\r\n")
    assert answered == status
    assert (b"WWW-Authenticate" in head) == (status == 401)
    await endpoint.stop()


async def test_who_says_too_much_or_nothing_is_sent_away(monkeypatch):
    monkeypatch.setattr(metrics_http, "REQUEST_TIMEOUT", 0.05)
    endpoint = MetricsEndpoint(page)
    port = await endpoint.start("127.0.0.1", 0)
    assert (await ask(port, b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 20_000))[0] == 431
    assert (await ask(port, b"GET /metr"))[0] == 0
    await endpoint.stop()


async def test_only_so_many_at_a_time(monkeypatch):
    monkeypatch.setattr(metrics_http, "MAX_CALLERS", 1)
    endpoint = MetricsEndpoint(page)
    port = await endpoint.start("127.0.0.1", 0)
    _, slow = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
    slow.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    await slow.drain()
    slow.close()
    await asyncio.sleep(0.05)
    assert (await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n"))[0] == 200
    await endpoint.stop()


async def test_stopping_waits_for_nobody():
    endpoint = MetricsEndpoint(page)
    port = await endpoint.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(0.05)
    await endpoint.stop()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()
