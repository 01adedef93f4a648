"""A real FreeRADIUS on loopback with a small configuration of its own."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .ports import free_ports  # the benchmarks know this as tests.support.freeradius

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
    {security}
}}
client loopback {{
    ipaddr = 127.0.0.1
    secret = {secret}
    require_message_authenticator = yes
}}
{clients}
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
    {modules}
}}
{policy}
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
    {listeners}
    authorize {{
        chap
        mschap
        {authorize}
        files
        pap
    }}
    authenticate {{
        pap
        chap
        mschap
        {authenticate}
    }}
    {preacct}
    accounting {{
        detail
        {accounting_modules}
    }}
    {post_auth}
}}
{servers}
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

SHIPPED = Path("/etc/freeradius/3.0")
"""What the Debian package brings."""
SQL = """expr {{
    }}
    sql {{
        dialect = "sqlite"
        driver = "rlm_sql_sqlite"
        sqlite {{
            filename = {directory}/radius.db
            busy_timeout = 5000
            bootstrap = {shipped}/mods-config/sql/main/sqlite/schema.sql
        }}
        radius_db = "radius"
        acct_table1 = "radacct"
        acct_table2 = "radacct"
        postauth_table = "radpostauth"
        authcheck_table = "radcheck"
        groupcheck_table = "radgroupcheck"
        authreply_table = "radreply"
        groupreply_table = "radgroupreply"
        usergroup_table = "radusergroup"
        delete_stale_sessions = yes
        pool {{
            start = 1
            min = 1
            max = 1
            spare = 1
            uses = 0
            retry_delay = 1
            lifetime = 0
            idle_timeout = 0
        }}
        client_table = "nas"
        group_attribute = "SQL-Group"
        $INCLUDE {shipped}/mods-config/sql/main/sqlite/queries.conf
    }}"""
"""FreeRADIUS' own schema and queries. SQLite takes one writer, so one worker, which also keeps the order."""
SQL_POLICY = """policy {{
    $INCLUDE {shipped}/policy.d/accounting
}}
thread pool {{
    start_servers = 1
    max_servers = 1
    min_spare_servers = 1
    max_spare_servers = 1
}}"""

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
        return read_detail(path.read_text()) if path.exists() else []


def read_detail(text: str) -> list[dict[str, str]]:
    """Return the records of a `detail` file; one that was cut short by a kill is left out."""
    blocks: list[list[str]] = []
    for line in text.splitlines():
        if line[:1] not in ("", "\t"):
            blocks.append([])
        elif line and blocks:
            blocks[-1].append(line)
    pairs = [[line.partition("=")[::2] for line in block] for block in blocks]
    records = [{name.strip(): value.strip().strip('"') for name, value in block} for block in pairs]
    return [record for record in records if "Timestamp" in record]


def configure(
    directory: Path, ports: tuple[int, int], *, signed: bool = True, sql: bool = False, users: str = USERS
) -> None:
    """Write the configuration. `signed`: whether answers carry a Message-Authenticator; `sql`: account into SQLite."""
    places = {"directory": directory, "shipped": SHIPPED}
    parts = Parts(
        post_auth=SIGNED if signed else "",
        modules=SQL.format(**places) if sql else "",
        policy=SQL_POLICY.format(**places) if sql else "",
        preacct="preacct {\n        acct_unique\n    }" if sql else "",
        accounting_modules="sql" if sql else "ok",
    )
    write(directory, ports, parts, users)


@dataclass(frozen=True)
class Parts:
    """What one has more than every other, each put in where its name stands in `CONFIGURATION`."""

    security: str = ""
    clients: str = ""
    modules: str = ""
    policy: str = ""
    listeners: str = ""
    authorize: str = ""
    authenticate: str = ""
    preacct: str = ""
    accounting_modules: str = "ok"
    post_auth: str = SIGNED
    servers: str = ""


def write(directory: Path, ports: tuple[int, int], parts: Parts, users: str = USERS) -> None:
    """Write a configuration; `parts` are ready, without anything to be filled in."""
    directory.mkdir(exist_ok=True)
    ready = {"directory": directory, "secret": SECRET, "authentication": ports[0], "accounting": ports[1]}
    (directory / "radiusd.conf").write_text(CONFIGURATION.format(**ready, **asdict(parts)))
    (directory / "users").write_text(users)
    (directory / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")


def start(directory: Path, wrap: tuple[str, ...] = ()) -> "subprocess.Popen[bytes]":
    """Start what is configured there and wait until it serves. `wrap`: a command that starts it, as in a namespace."""
    log = directory / "output"
    with log.open("wb") as output:
        command = [*wrap, PROGRAM, "-f", "-l", "stdout", "-x", "-d", str(directory), "-n", "radiusd"]
        server = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + 120
    while "Ready to process requests" not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            server.wait()
            raise AssertionError(log.read_text(errors="replace")[-3000:])
        time.sleep(0.05)
    return server


@contextlib.contextmanager
def running(
    directory: Path,
    *,
    signed: bool = True,
    sql: bool = False,
    ports: tuple[int, int] | None = None,
    users: str = USERS,
    wrap: tuple[str, ...] = (),
) -> Iterator[FreeRadius]:
    """Start one and end it. `signed`: whether its answers carry a Message-Authenticator; `sql`: account into SQLite;
    `wrap`: a command that starts it, as in a namespace."""
    ports = ports or free_ports(2)
    configure(directory, ports, signed=signed, sql=sql, users=users)
    server = start(directory, wrap)
    try:
        yield FreeRadius(directory, *ports)
    finally:
        server.terminate()
        server.wait(60)
