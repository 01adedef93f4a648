"""A first connect to a real pptpd: by our dialer and, in turns with it, by Debian's pptp-linux and pppd.

    dialer ==tap0== pptpd in a guest        pptp-linux in another guest ==tap1== this host ==tap0== the same pptpd

Both are timed by the packets at pptpd's own card, from the first of TCP to the first ping that is answered inside. What
the server takes for itself (pptpctrl and pppd are started for each call, LCP, and the script ip-pre-up, for whose end
pppd waits before its interface takes packets) are the waits that it ended, as `bench.turns` splits them.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.demo import daemon
from bench.dialled import dial, row
from bench.pptpd import GUEST, PASSWORD, PPTPD_INSIDE, TAP, USER, client_guest, serving
from bench.stamps import Stamped
from bench.turns import Moves, Turns, open_on, split
from lab.guest import Guest
from lab.network import Namespace
from tests.support.engine_lab import inside
from tests.support.lab_peers import Client

ROUNDS = 9
NATIVE_PATIENCE = 60.0


def at_pptpd(directory: Path) -> list[str]:
    """Dial a real pptpd; return the lines of the table."""
    password = directory / "pptpd-password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    ours: list[Turns] = []
    after_lcp: list[float] = []
    native: list[Turns] = []
    with serving(directory / "both") as here, client_guest(directory / "native", here) as other:
        for number in range(ROUNDS):
            turns, rest = dialled(here, directory, password, f"both{number}")
            ours.append(turns)
            after_lcp.append(rest)
            native.append(dialled_by_pptp_linux(here, other))
    with serving(directory / "bare", scripts=False) as here:
        bare = [dialled(here, directory, password, f"bare{number}")[0] for number in range(ROUNDS)]
    ratio = statistics.median(mine.whole / its.whole for mine, its in zip(ours, native, strict=True))
    return [
        row("pptpd in a guest: TCP to the first ping answered, raw", [one.whole for one in ours], ""),
        row("  without the waits that the server owed", [one.ours for one in ours], "200 ms"),
        row("  waits that the server owed", [one.theirs for one in ours], "its own"),
        row("  of these after the first ping (pppd's ip-pre-up)", [one.last for one in ours], "its own"),
        row("  without its LCP alone, all else counted as ours", after_lcp, "200 ms"),
        row("  raw, where pppd has no script ip-pre-up", [one.whole for one in bare], ""),
        row("the same pptpd by pptp-linux and pppd, in a guest, raw", [one.whole for one in native], ""),
        row("  without the waits that the server owed", [one.ours for one in native], ""),
        f"{'  our raw time as a part of its, median of the pairs':<56}{ratio:>8.2f} x",
    ]


def dialled(here: Namespace, directory: Path, password: Path, name: str) -> tuple[Turns, float]:
    """Dial once with our dialer; return whose turn it was, and the seconds of everything but LCP."""
    arguments, log = dial(directory, password, name, host=GUEST)
    with watched(here) as moves, daemon(here.name, *arguments, log=directory / "dialer.log"):
        log.wait("DIAL_PHASE", 1, phase="traffic")
    phases = log.phases()
    rest = sum(took for phase, took in phases.items() if phase not in {"name", "lcp"}) / 1000
    return split(moves), rest


def dialled_by_pptp_linux(here: Namespace, guest: Guest) -> Turns:
    """Dial once with Debian's client; pings go out all the time, inside as soon as pppd has made a route there."""
    with ExitStack() as stack:
        moves = stack.enter_context(watched(here))
        pings = guest.start(f"exec ping -q -i 0.02 {PPTPD_INSIDE}")
        stack.callback(pings.kill)
        client = stack.enter_context(Client(guest, GUEST, user=USER, password=PASSWORD))
        deadline = time.monotonic() + NATIVE_PATIENCE
        while True:
            try:
                turns = split(list(moves))
            except ValueError:
                if time.monotonic() > deadline:
                    raise SystemExit(f"pptp-linux did not come up:\n{client.log}") from None
                time.sleep(0.1)
            else:
                client.hang_up()
                return turns


@contextmanager
def watched(here: Namespace) -> Iterator[Moves]:
    """Hear what passes pptpd's card."""
    moves = Moves()
    with Stamped(inside(here, lambda: open_on(TAP)), moves.hear):
        yield moves
