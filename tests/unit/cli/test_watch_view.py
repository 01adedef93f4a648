import io

from rich.console import Console

from holdfast.cli.watch_view import LiveTable, Teller
from holdfast.events import WatchedAgain, WatchedSick, WatchImpaired, WatchStarted, WatchStopped
from holdfast.observe.record import build_record
from support.live import LiveDesk
from support.scene import CLIENT, Scene

STAMP = "2026-01-02T03:04:05.000+00:00"


def records(live: LiveDesk) -> list[dict[str, object]]:
    return [build_record(event, context, STAMP) for event, context in live.told]


def test_every_event_has_its_words() -> None:
    live = LiveDesk.make().play(Scene().up().goodbye()).silence(6)
    teller = Teller()
    events = [
        WatchStarted("eth0", "/keep"),
        WatchStopped(9.0, 100, 2, 1, 3),
        WatchedAgain("192.0.2.1", "flapping", 5, 60.0, ()),
        WatchImpaired("too fast", 7),
    ]
    told = [*records(live), *(build_record(event, {}, STAMP) for event in events)]
    text = "\n".join(line for record in told for line in teller.lines(record))
    for words in (
        "up        192.0.2.10 -> 198.51.100.20 alice: ",
        "MPPE 128 bits",
        "ended",
        "/keep",
        "flapping, 5 times",
    ):
        assert words in text
    for words in ("/keep", "too fast (7 unseen)", "3 packets unseen", "2 sessions judged, 1 failed"):
        assert words in text


def test_what_was_told_once_is_not_told_again_at_the_end() -> None:
    fixes = ("server: do this",)
    fields = ("gre-lost", 0.9, "both", "GRE stopped", "none came", "traffic", 9.0, (619,), fixes, ("x",), "")
    context = {"session": "w1", "client_ip": CLIENT, "server_ip": "198.51.100.20"}
    sick = build_record(WatchedSick(*fields), context, STAMP)
    teller = Teller()
    first = list(teller.lines(sick))
    assert "server: do this" in "".join(first)
    assert "also: x" in "".join(first)
    again = list(teller.lines({**sick, "event": "WATCH_FAILED"}))
    assert "server: do this" not in "".join(again)
    assert "told above" in "".join(again)
    other = list(teller.lines({**sick, "event": "WATCH_FAILED", "session": "w2"}))
    assert "server: do this" in "".join(other)


def test_the_table_of_what_goes_on() -> None:
    screen = io.StringIO()
    live = LiveDesk.make().play(Scene().up(user=b"al\x1b[31mice"))
    for number in range(30):
        scene = Scene(client=f"192.0.2.{100 + number}", port=42000 + number)
        live.play(scene.call())
    console = Console(file=screen, force_terminal=True, width=150)
    with LiveTable(console) as table:
        table.look(live.desk)
        table.show(build_record(WatchImpaired("too fast", 7), {}, STAMP))
    shown = screen.getvalue()
    assert "31 sessions on test0" in shown
    assert "... and 11 more" in shown
    assert "too fast (7 unseen)" in shown
    assert "\x1b[31mice" not in shown
