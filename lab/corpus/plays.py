"""What happens in a scenario: small functions that make plays."""

import time
from collections.abc import Callable

from lab.corpus.scenario import Where
from lab.corpus.stage import INSIDE, Stage

Play = Callable[[Stage], None]

PING = f"ping -I PPP -c 8 -i 0.4 -w 8 {INSIDE}"
BUSY = f"ping -I PPP -c 300 -i 0.02 -s 200 -w 20 {INSIDE}"
FETCH = f"timeout 25 iperf3 -c {INSIDE} -n {{}}K -R -b 1500K"
"""Loads so many KiB from the server through the tunnel, no faster than the slow guest can follow."""
PUSH = FETCH.replace(" -R", "")


def attempt(stage: Stage) -> None:
    """Dial once, whatever comes of it."""
    client = stage.dial()
    if client is not None:
        stage.use(client, PING)
        stage.hang_up(client)


def visit(script: str = PING, *, wait: float = 0.0, times: int = 1) -> Play:
    """Return a play: dial, use the tunnel, stay, say goodbye."""

    def play(stage: Stage) -> None:
        for _ in range(times):
            client = stage.dial()
            if client is not None:
                stage.use(client, script)
                time.sleep(wait)
                stage.hang_up(client)

    return play


def fetch(kibibytes: int, *, script: str = FETCH) -> Play:
    """Return a play: load something through the tunnel."""

    def play(stage: Stage) -> None:
        stage.start(Where.SERVER, "exec iperf3 -s")
        visit(f"{PING}; {script.format(kibibytes)}")(stage)

    return play


def push(kibibytes: int) -> Play:
    """Return a play: send something through the tunnel."""
    return fetch(kibibytes, script=PUSH)


def broken(script: str, wait: float, *, where: Where = Where.ROUTER, meanwhile: str = "") -> Play:
    """Return a play: dial, use the tunnel, then run a script somewhere, and see what becomes of it."""

    def play(stage: Stage) -> None:
        client = stage.dial()
        if client is None:
            return
        stage.use(client, PING)
        stage.run(where, script)
        if meanwhile:
            stage.use(client, meanwhile)
        time.sleep(wait)

    return play


def struck(where: Where, program: str, name: str, wait: float = 3.0) -> Play:
    """Return a play: dial, use the tunnel, then a signal to a program of one side."""

    def play(stage: Stage) -> None:
        client = stage.dial()
        if client is not None:
            stage.use(client, PING)
            stage.signal(where, program, name)
            time.sleep(wait)

    return play


def stay(wait: float) -> Play:
    """Return a play: dial, use the tunnel, and stay until the other side has enough."""

    def play(stage: Stage) -> None:
        client = stage.dial()
        if client is not None:
            stage.use(client, PING)
            time.sleep(wait)

    return play


def guesses(*users: str, times: int = 1) -> Play:
    """Return a play: wrong passwords for each of these users."""

    def play(stage: Stage) -> None:
        for user in users * times:
            stage.dial(user=user, password="guess")

    return play


def together(stage: Stage) -> None:
    """Let a second client dial while the first one has a tunnel, and use both."""
    first = stage.dial()
    second = stage.dial(second=True, user="bob")
    for client in (first, second, first):
        if client is not None:
            stage.use(client, PING)
    for client in (first, second):
        if client is not None:
            stage.hang_up(client)


def same_host(stage: Stage) -> None:
    """Let two programs of one host dial one server: only Call IDs tell their GRE apart."""
    clients = [stage.dial(), stage.dial(user="bob")]
    for client in clients:
        if client is not None:
            stage.use(client, PING)
    for client in clients:
        if client is not None:
            stage.hang_up(client)


def replaced(stage: Stage) -> None:
    """Let the same user dial twice from one host; the server lets only the later one stay."""
    for _ in range(2):
        client = stage.dial()
        if client is not None:
            stage.use(client, PING)
    time.sleep(2)


def second_try(stage: Stage) -> None:
    """Mistype the password once, then get in."""
    stage.dial(password="mistyped")
    attempt(stage)


def knock(stage: Stage) -> None:
    """Open the port and close it without a word, as a monitoring check does."""
    stage.run(Where.CLIENT, "nc -w 2 198.51.100.1 1723 < /dev/null || true")
    time.sleep(1)
