"""Names asked of small name servers on loopback, honest and otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from holdfast.probe import lookup
from holdfast.probe.outcome import Outcome, Stage
from holdfast.probe.place import Place
from holdfast.probe.run import run
from holdfast.probe.settings import Lookup, Probe

pytestmark = pytest.mark.asyncio
HERE = "127.0.0.1"
NAME = "intranet.example"
Reply = Callable[[dns.message.Message], list[bytes]]


class Server(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self.reply, self.asked = reply, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.asked += 1
        for answer in self.reply(dns.message.from_wire(data)):
            self.transport.sendto(answer, addr)  # type: ignore[attr-defined]


def addresses(query: dns.message.Message, *found: str) -> dns.message.Message:
    reply = dns.message.make_response(query)
    if found:
        reply.answer.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", "A", *found))
    return reply


@asynccontextmanager
async def name_server(monkeypatch: pytest.MonkeyPatch, reply: Reply) -> AsyncIterator[Server]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: Server(reply), (HERE, 0))
    monkeypatch.setattr(lookup, "PORT", transport.get_extra_info("sockname")[1])
    monkeypatch.setattr(lookup, "AGAIN", 0.2)
    try:
        yield server
    finally:
        transport.close()


async def ask(patience: float = 5.0, name: str = NAME, place: Place | None = None) -> Outcome:
    return await run(Probe("names", Lookup(name), timeout=patience), place or Place(servers=(HERE,)))


async def test_the_addresses_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(monkeypatch, lambda query: [addresses(query, "10.0.0.1", "10.0.0.2").to_wire()]):
        outcome = await ask()
    assert outcome.ok, outcome.detail
    assert "10.0.0.1" in outcome.detail
    assert "10.0.0.2" in outcome.detail
    assert outcome.steps["name"] < 5.0


async def test_a_lost_question_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []

    def second_time(query: dns.message.Message) -> list[bytes]:
        heard.append(query.id)
        return [addresses(query, "10.0.0.1").to_wire()] if len(heard) > 1 else []

    async with name_server(monkeypatch, second_time):
        assert (await ask(30)).ok
    assert heard[0] == heard[1]


async def test_the_next_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(monkeypatch, lambda query: [addresses(query, "10.0.0.1").to_wire()]):
        outcome = await ask(30, place=Place(servers=("127.0.0.2", HERE)))
    assert outcome.ok, outcome.detail
    assert outcome.detail.startswith(HERE)


@pytest.mark.parametrize(
    ("code", "words"), [(dns.rcode.NXDOMAIN, "there is no such name"), (dns.rcode.SERVFAIL, "SERVFAIL")]
)
async def test_a_refusal_is_said(monkeypatch: pytest.MonkeyPatch, code: dns.rcode.Rcode, words: str) -> None:
    def refuse(query: dns.message.Message) -> list[bytes]:
        reply = addresses(query)
        reply.set_rcode(code)
        return [reply.to_wire()]

    async with name_server(monkeypatch, refuse):
        outcome = await ask()
    assert (outcome.stage, outcome.timed_out) == (Stage.NAME, False)
    assert words in outcome.detail


async def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(monkeypatch, lambda query: [addresses(query).to_wire()]):
        assert "no IPv4 address" in (await ask()).detail


async def test_garbage_and_answers_to_other_questions_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(query: dns.message.Message) -> list[bytes]:
        other = dns.message.make_query("other.example", "A")
        foreign = dns.message.make_response(other)
        spoofed = addresses(query, "10.9.9.9")
        spoofed.id ^= 1
        honest = addresses(query, "10.0.0.1").to_wire()
        return [b"", b"\0" * 40, honest[:20], foreign.to_wire(), spoofed.to_wire(), b"\xff" * 500, honest]

    async with name_server(monkeypatch, noise):
        outcome = await ask()
    assert outcome.ok, outcome.detail
    assert "10.0.0.1" in outcome.detail


async def test_only_garbage_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(monkeypatch, lambda _query: [b"\xff" * 500]) as server:
        outcome = await ask(0.7)
        assert server.asked > 1
    assert (outcome.result, outcome.stage) == ("timeout", Stage.NAME)
    assert "no answer within 0.7 s" in outcome.detail


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    async with name_server(monkeypatch, lambda _query: []):
        pass
    outcome = await ask()
    assert (outcome.result, outcome.stage) == ("name", Stage.NAME)
    assert "refused" in outcome.detail


@pytest.mark.parametrize(("cut", "words"), [(0, ""), (5, "broke off"), (-1, "is no answer")])
async def test_a_long_answer_is_fetched_by_tcp(monkeypatch: pytest.MonkeyPatch, cut: int, words: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = dns.message.from_wire(await reader.readexactly(int.from_bytes(await reader.readexactly(2))))
        wire = addresses(query, *(f"10.0.0.{number}" for number in range(1, 7))).to_wire()
        framed = len(wire).to_bytes(2) + wire if cut >= 0 else b"\0\2ab"
        writer.write(framed[: cut or None] if cut > 0 else framed)
        writer.close()

    def truncated(query: dns.message.Message) -> list[bytes]:
        reply = addresses(query)
        reply.flags |= dns.flags.TC
        return [reply.to_wire()]

    async with name_server(monkeypatch, truncated):
        tcp = await asyncio.start_server(serve, HERE, lookup.PORT)
        outcome = await ask()
        tcp.close()
        await tcp.wait_closed()
    assert outcome.ok is (not words), outcome.detail
    assert words in outcome.detail
    if outcome.ok:
        assert "and 2 more" in outcome.detail


@pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".example", "\udc80"])
async def test_what_cannot_be_a_name(name: str) -> None:
    assert "cannot be a name" in (await ask(name=name)).detail


async def test_without_a_name_server_it_is_said() -> None:
    assert "no name server is known" in (await ask(place=Place())).detail
