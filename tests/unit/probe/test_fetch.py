"""URLs asked of small servers on loopback, each failing at its step."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from holdfast.probe.fetch import MOST_BODY, objection
from holdfast.probe.outcome import Outcome, Stage
from holdfast.probe.place import Place
from holdfast.probe.run import run
from holdfast.probe.settings import Fetch, Probe
from support.certificates import make_authority

pytestmark = pytest.mark.asyncio
HERE = "127.0.0.1"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: bytes, *, then: str = "close", trust: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer every request with these octets (with `greet` without one), then close, reset or stay silent."""
    tasks = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            if then != "greet":
                heard = await reader.readuntil(b"\r\n\r\n")
                assert heard.startswith(b"GET /health?x=1 HTTP/1.1\r\nHost: ")
            writer.write(answer)
            await writer.drain()
            if then == "silence":
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort() if then == "reset" else writer.close()

    listening = await asyncio.start_server(serve, HERE, 0, ssl=trust)
    try:
        yield "{}:{}".format(*listening.sockets[0].getsockname())
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ask(where: str, *, scheme: str = "http", patience: float = 10.0, **options: object) -> Outcome:
    what = Fetch(f"{scheme}://{where}/health?x=1", **options)  # type: ignore[arg-type]
    return await run(Probe("page", what, timeout=patience), Place())


async def test_a_page_that_is_there() -> None:
    async with server(OK) as where:
        outcome = await ask(where)
    assert outcome.ok, outcome.detail
    assert "127.0.0.1 answered 200 OK, 5 octets" in outcome.detail
    assert set(outcome.steps) == {"connect", "answer"}


@pytest.mark.parametrize(
    ("code", "wanted", "well"), [(302, (), True), (404, (), False), (404, (404,), True), (200, (204, 301), False)]
)
async def test_the_status_is_judged(code: int, wanted: tuple[int, ...], well: bool) -> None:
    async with server(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % code) as where:
        outcome = await ask(where, status=wanted)
    assert outcome.ok is well, outcome.detail
    assert outcome.result == ("ok" if well else "status")
    assert str(code) in outcome.detail


async def test_nobody_listens() -> None:
    async with server(OK) as where:
        pass
    outcome = await ask(where)
    assert (outcome.result, outcome.stage) == ("connect", Stage.CONNECT)
    assert "refused" in outcome.detail.lower()


@pytest.mark.parametrize("answer", [b"", OK[:-3], b"SSH-2.0-x\r\n", b"\0" * 99])
async def test_what_is_no_whole_answer(answer: bytes) -> None:
    async with server(answer) as where:
        outcome = await ask(where)
    assert (outcome.result, outcome.stage) == ("answer", Stage.ANSWER)


async def test_a_head_without_end_is_not_read_for_ever() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n" + b"X-Long: y\r\n" * 20000) as where:
        assert (await ask(where)).result == "answer"


async def test_a_silent_server_is_a_timeout_at_its_step() -> None:
    async with server(b"", then="silence") as where:
        outcome = await ask(where, patience=0.5)
    assert (outcome.result, outcome.stage, outcome.timed_out) == ("timeout", Stage.ANSWER, True)
    assert outcome.detail == "the answer: no answer within 0.5 s"


async def test_an_answer_that_stops_in_the_middle_points_at_the_mtu() -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhello", then="silence") as where:
        outcome = await ask(where, patience=0.5)
    assert outcome.result == "timeout"
    assert "status 200 and 5 octets came, then nothing: big packets may not pass (MTU)" in outcome.detail


async def test_a_big_body_is_read_up_to_a_limit() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(3 * MOST_BODY), then="reset") as where:
        outcome = await ask(where)
    assert outcome.ok, outcome.detail


def trusts(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    authority = make_authority(folder / "authority")
    made = authority.issue("server", f"subjectAltName={name}\n")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context, authority.pair.certificate


async def test_tls_is_verified(tmp_path: Path) -> None:
    context, authority = trusts(tmp_path, f"IP:{HERE}")
    async with server(OK, trust=context) as where:
        believed = await ask(where, scheme="https", ca_file=authority)
        stranger = await ask(where, scheme="https")
        whoever = await ask(where, scheme="https", verify=False)
    assert believed.ok, believed.detail
    assert set(believed.steps) == {"connect", "tls", "answer"}
    assert (stranger.result, stranger.stage) == ("tls", Stage.TLS)
    assert "is not believed" in stranger.detail
    assert whoever.ok, whoever.detail


async def test_the_certificate_of_another_host_is_not_believed(tmp_path: Path) -> None:
    context, authority = trusts(tmp_path, "DNS:other.example")
    async with server(OK, trust=context) as where:
        outcome = await ask(where, scheme="https", ca_file=authority)
    assert outcome.result == "tls"
    assert "is not believed" in outcome.detail


async def test_what_speaks_no_tls() -> None:
    async with server(OK, then="greet") as where:
        outcome = await ask(where, scheme="https")
    assert (outcome.result, outcome.stage) == ("tls", Stage.TLS)


async def test_a_file_without_certificates_is_this_hosts_fault(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("nothing")
    for name in ("empty", "missing"):
        outcome = await ask("127.0.0.1:1", scheme="https", ca_file=tmp_path / name)
        assert outcome.stage is Stage.HOST
        assert name in outcome.detail


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://x/", "begins with http"),
        ("http://u:secret@x/", "password"),
        ("http:///x", "names no host"),
        ("http://x:0/", "names no host"),
        ("http://x:99999/", "no URL"),
        ("http://[::1/", "no URL"),
        ("http://x/a b", "no such characters"),
        ("http://x/\r\nX: y", "no such characters"),
        ("http://bücher.example/", "no such characters"),
        ("https://x.example:8443/p?q=1", ""),
    ],
)
async def test_urls_are_judged(url: str, words: str) -> None:
    assert words in objection(url)
    assert bool(objection(url)) is bool(words)
