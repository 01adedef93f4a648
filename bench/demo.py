"""`make demo`: a gateway and a client in network namespaces of their own, on one machine, in under 30 seconds.

Shows a ping, a transfer, the session table and a clean goodbye; leaves nothing behind. Needs root.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.namespaces import joined, run
from bench.transfer import TRANSFER_PORT

GATEWAY, CLIENT = "holdfast-demo-gateway", "holdfast-demo-client"
GATEWAY_OUTER, CLIENT_OUTER = "192.0.2.1", "192.0.2.2"
GATEWAY_INNER = "10.77.0.1"
TRANSFER_MIB = 100
HOLDFAST = str(Path(sys.executable).with_name("holdfast"))


def main() -> int:
    """Run the demonstration; 0 when every step worked."""
    if os.geteuid() != 0:
        print("The demonstration makes network namespaces: run it as root.", file=sys.stderr)
        return 2
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="holdfast-demo-") as directory,
        joined(GATEWAY, CLIENT, f"{GATEWAY_OUTER}/24", f"{CLIENT_OUTER}/24"),
    ):
        demonstrate(Path(directory))
    say(f"done in {time.monotonic() - began:.1f} s; the namespaces are gone")
    return 0


def demonstrate(directory: Path) -> None:
    """Start both ends and let them show what they do."""
    state, password = directory / "gateway", secrets.token_hex(12)
    say("a gateway, and a user for the client")
    command("user", "add", "alice", "--password-stdin", "--state", str(state), text=password + "\n")
    with daemon(GATEWAY, "serve", "--state", str(state), log=directory / "gateway.log"):
        until(lambda: run(HOLDFAST, "status", "--state", str(state), check=False), "the gateway did not come up")
        say(f"the client dials {GATEWAY_OUTER}")
        secret = directory / "password"
        secret.touch(0o600)
        secret.write_text(password)
        options = ("--password-file", str(secret), "--network", "10.77.0.0/24", "--state", str(directory / "client"))
        dialing = ("dial", GATEWAY_OUTER, "--user", "alice", *options)
        with daemon(CLIENT, *dialing, log=directory / "client.log"):
            until(lambda: "up" in command("sessions", "--json", "--state", str(state)), "the client did not come up")
            show("the client's side", (directory / "client.log").read_text())
            show("ping through the tunnel", run("ping", "-c", "3", "-i", "0.2", GATEWAY_INNER, namespace=CLIENT))
            transfer()
            show("holdfast sessions", command("sessions", "--state", str(state)))
            say("the client says goodbye")
    show("what the gateway wrote", last_lines(state / "events.jsonl", 3))


def transfer() -> None:
    """Send random octets through the tunnel, there and back, and say how fast it was."""
    with subprocess.Popen(("ip", "netns", "exec", GATEWAY, sys.executable, "-m", "bench.transfer", "serve")) as server:
        try:
            until(lambda: f":{TRANSFER_PORT} " in run("ss", "-ltn", namespace=GATEWAY), "the transfer did not start")
            answer = run(sys.executable, "-m", "bench.transfer", GATEWAY_INNER, str(TRANSFER_MIB), namespace=CLIENT)
        finally:
            server.terminate()
    show(f"a transfer of {TRANSFER_MIB} MiB each way", answer)


def command(*arguments: str, text: str = "") -> str:
    """Run a holdfast command and return what it printed."""
    return subprocess.run((HOLDFAST, *arguments), input=text, check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def daemon(namespace: str, *arguments: str, log: Path) -> Iterator[None]:
    """Run a holdfast command in a namespace as long as the block; then SIGTERM, and it must end by itself."""
    with log.open("w") as out:
        process = subprocess.Popen(("ip", "netns", "exec", namespace, HOLDFAST, *arguments), stdout=out, stderr=out)
    try:
        yield
    except BaseException:
        sys.stderr.write(log.read_text())
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)


def until(condition: Callable[[], object], failure: str, seconds: float = 180.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(failure)
        time.sleep(0.05)


def last_lines(path: Path, count: int) -> str:
    """Return the end of a text file."""
    return "\n".join(path.read_text().splitlines()[-count:])


def say(text: str) -> None:
    """Name a step."""
    print(f"== {text}", flush=True)


def show(title: str, text: str) -> None:
    """Print what a step gave."""
    say(title)
    print("\n".join(f"   {line}" for line in text.splitlines() if line.strip()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
