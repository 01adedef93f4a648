"""A real FreeRADIUS on loopback with a small configuration of its own."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECRET = "testing123"
PROGRAM = "freeradius"

CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
pidfile = {directory}/pid
max_request_time = 30
max_requests = 16384
security {{
    allow_vulnerable_openssl = yes
    reject_delay = 0
    require_message_authenticator = yes
}}
client loopback {{
    ipaddr = 127.0.0.1
    secret = {secret}
    require_message_authenticator = yes
}}
modules {{
    pap {{ }}
    chap {{ }}
    mschap {{
        use_mppe = yes
    }}
    files {{
        filename = {directory}/users
    }}
    detail {{
        filename = {directory}/detail
    }}
    always ok {{
        rcode = ok
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {authentication}
    }}
    listen {{
        type = acct
        ipaddr = 127.0.0.1
        port = {accounting}
    }}
    authorize {{
        chap
        mschap
        files
        pap
    }}
    authenticate {{
        pap
        chap
        mschap
    }}
    accounting {{
        detail
        ok
    }}
    {post_auth}
}}
"""

SIGNED = """post-auth {
        update reply {
            Message-Authenticator := 0x00
        }
        Post-Auth-Type REJECT {
            update reply {
                Message-Authenticator := 0x00
            }
        }
    }"""
"""FreeRADIUS before 3.2.5 signs its answers only when it is told to."""

USERS = """
alice Cleartext-Password := "secret"
    Session-Timeout := 14400, Idle-Timeout := 600, Acct-Interim-Interval := 600, Framed-IP-Address := 10.77.0.99,
    MS-Primary-DNS-Server := 192.0.2.99, Class := 0x0102, Reply-Message := "hello"

bob Cleartext-Password := "secret", Auth-Type := Reject
    Reply-Message := "your subscription is over"
"""


def installed() -> bool:
    """Whether Debian's FreeRADIUS is there."""
    return shutil.which(PROGRAM) is not None


@dataclass(frozen=True)
class FreeRadius:
    """A server that runs."""

    directory: Path
    authentication: int
    accounting: int

    def detail(self) -> list[dict[str, str]]:
        """The accounting records that it wrote down, in order."""
        path = self.directory / "detail"
        blocks = path.read_text().split("\n\n") if path.exists() else []
        return [
            {
                name.strip(): value.strip().strip('"')
                for name, found, value in (line.partition("=") for line in block.splitlines())
                if found and name.startswith("\t")
            }
            for block in blocks
            if block.strip()
        ]


@contextlib.contextmanager
def running(directory: Path, *, signed: bool = True, ports: tuple[int, int] | None = None) -> Iterator[FreeRadius]:
    """Start one and end it. `signed`: whether its answers carry a Message-Authenticator."""
    ports = ports or _free_ports()
    directory.mkdir(exist_ok=True)
    (directory / "radiusd.conf").write_text(
        CONFIGURATION.format(
            directory=directory,
            secret=SECRET,
            authentication=ports[0],
            accounting=ports[1],
            post_auth=SIGNED if signed else "",
        )
    )
    (directory / "users").write_text(USERS)
    (directory / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    log = directory / "output"
    with log.open("wb") as output:
        command = [PROGRAM, "-f", "-l", "stdout", "-x", "-d", str(directory), "-n", "radiusd"]
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while "Ready to process requests" not in log.read_text(errors="replace"):
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text(errors="replace")[-3000:])
            time.sleep(0.05)
        yield FreeRadius(directory, *ports)
    finally:
        server.terminate()
        server.wait(10)


def _free_ports() -> tuple[int, int]:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]
