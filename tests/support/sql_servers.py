"""Databases for FreeRADIUS: SQLite, and Debian's PostgreSQL and MariaDB where they are installed. Needs root.

Each has a folder of its own, with its socket there, and listens nowhere else.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DRIVERS = Path("/usr/lib/freeradius")
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/nowhere"))
START_SECONDS = 180.0


def installed() -> list[str]:
    """Which dialects can be tested here: FreeRADIUS' driver and the server are there."""
    found = ["sqlite"]
    if (DRIVERS / "rlm_sql_postgresql.so").exists() and (POSTGRES / "initdb").exists():
        found.append("postgresql")
    if (DRIVERS / "rlm_sql_mysql.so").exists() and shutil.which("mariadbd") and shutil.which("mariadb"):
        found.append("mysql")
    return found


@dataclass(frozen=True)
class Database:
    """One that runs.

    `server`: what FreeRADIUS is told; `wrap`: what starts a FreeRADIUS that shall find it; `client`: the command that
    takes statements.
    """

    dialect: str
    server: str = ""
    login: str = ""
    file: Path = Path()
    client: tuple[str, ...] = ()
    wrap: tuple[str, ...] = ()

    def ask(self, statements: str) -> list[tuple[str, ...]]:
        """Carry out statements; return the rows of the last one as text."""
        if self.dialect == "sqlite":
            with contextlib.closing(sqlite3.connect(self.file, timeout=20)) as database:
                if statements.count(";") > 1:
                    database.executescript(statements)
                    return []
                rows = database.execute(statements).fetchall()
                database.commit()
                return [tuple(map(str, row)) for row in rows]
        done = subprocess.run(self.client, input=statements, text=True, capture_output=True, check=True, timeout=60)
        return [tuple(line.split("\t")) for line in done.stdout.splitlines() if line]

    def moment(self, seconds: int) -> str:
        """Write a moment (seconds since 1970) as its column acctstarttime holds it."""
        written = {"sqlite": "{}", "postgresql": "to_timestamp({})", "mysql": "from_unixtime({})"}
        return written[self.dialect].format(seconds)


@contextlib.contextmanager
def running(dialect: str, directory: Path) -> Iterator[Database]:
    """Run one, without tables; SQLite's file will be in `directory`."""
    if dialect == "sqlite":
        yield Database(dialect, file=directory / "radius.db")
        return
    start = {"postgresql": _postgresql, "mysql": _mariadb}[dialect]
    with tempfile.TemporaryDirectory(prefix="sql-") as name, (directory / f"{dialect}.log").open("wb") as log:
        process, database = start(Path(name), log.fileno())  # a short path for the socket, open to another user
        try:
            _wait(database, process, directory / f"{dialect}.log")
            yield database
        finally:
            process.terminate()
            process.wait(120)


def _wait(database: Database, process: "subprocess.Popen[bytes]", output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(subprocess.CalledProcessError):
            if database.ask("SELECT 1;") == [("1",)]:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(output.read_text(errors="replace")[-2000:])
        time.sleep(0.1)


def _postgresql(directory: Path, output: int) -> "tuple[subprocess.Popen[bytes], Database]":
    """It refuses to run as root."""
    shutil.chown(directory, "postgres")
    os.chmod(directory, 0o700)
    wrap = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    data = str(directory / "data")
    make = (*wrap, str(POSTGRES / "initdb"), "-D", data, "-A", "trust", "-U", "radius", "--no-sync", "-E", "UTF8")
    subprocess.run(make, check=True, stdout=output, stderr=output, cwd="/", timeout=120)
    serve = (*wrap, str(POSTGRES / "postgres"), "-D", data, "-k", str(directory), "-c", "listen_addresses=", "-F")
    process = subprocess.Popen(serve, stdout=output, stderr=output, cwd="/")
    client = ("psql", "-h", str(directory), "-U", "radius", "-d", "postgres", "-q", "-t", "-A", "-F", "\t")
    return process, Database("postgresql", str(directory), "radius", client=(*client, "-v", "ON_ERROR_STOP=1"))


def _mariadb(directory: Path, output: int) -> "tuple[subprocess.Popen[bytes], Database]":
    data, socket = str(directory / "data"), str(directory / "socket")
    common = ("--no-defaults", "--user=root", f"--datadir={data}")
    make = ("mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db")
    subprocess.run(make, check=True, stdout=output, stderr=output, timeout=120)
    serve = ("mariadbd", *common, f"--socket={socket}", "--skip-networking", "--skip-grant-tables")
    process = subprocess.Popen(serve, stdout=output, stderr=output)
    client = ("mariadb", "--no-defaults", f"--socket={socket}", "-N", "-B")
    (directory / ".my.cnf").write_text(f"[freeradius]\nsocket = {socket}\n")  # the group that its driver reads
    return process, Database("mysql", "localhost", "root", client=client, wrap=("env", f"HOME={directory}"))
