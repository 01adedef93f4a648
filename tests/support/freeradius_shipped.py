"""Debian's FreeRADIUS with the policy set of `packaging/freeradius`, installed as its README says. Needs root."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from support.freeradius import SECRET, SHIPPED, FreeRadius, free_ports, start

PACKAGE = Path(__file__).parents[2] / "packaging" / "freeradius"
OVERLAY = ("mods-available", "mods-config", "policy.d", "sites-available")
DATABASE = "radius.db"


def install(directory: Path, ports: tuple[int, ...]) -> None:
    """Copy Debian's configuration and lay the policy set over it, with SQLite for SQL."""
    shutil.copytree(SHIPPED, directory, symlinks=True, dirs_exist_ok=True)
    for name in OVERLAY:
        shutil.copytree(PACKAGE / name, directory / name, dirs_exist_ok=True)
    _change(directory / "clients.conf", ("ipaddr = 127.0.0.1", "ipaddr = 127.0.0.9"))
    for name in ("clients.conf", "dictionary"):
        with (directory / name).open("a") as file:
            file.write((PACKAGE / name).read_text())
    for link in ("sites-enabled/default", "sites-enabled/inner-tunnel", "mods-enabled/eap"):
        (directory / link).unlink()
    (directory / "sites-enabled" / "holdfast").symlink_to("../sites-available/holdfast")
    for module in ("holdfast_users", "sql", "holdfast_time"):
        (directory / "mods-enabled" / module).symlink_to(f"../mods-available/{module}")
    _change(directory / "clients.conf", ("192.0.2.1", "127.0.0.1"), ("change-this-secret", SECRET))
    _change(directory / "sites-available" / "holdfast", ("port = 1812", f"port = {ports[0]}"))
    _change(directory / "sites-available" / "holdfast", ("port = 1813", f"port = {ports[1]}"))
    sql = ("rlm_sql_null", "rlm_sql_sqlite"), ("/tmp/freeradius.db", str(directory / DATABASE))
    _change(directory / "mods-available" / "sql", *sql)
    radiusd = directory / "radiusd.conf"
    _change(radiusd, ("raddbdir = /etc/freeradius/3.0", f"raddbdir = {directory}"))
    _change(radiusd, ("logdir = /var/log/freeradius", f"logdir = {directory}/log"))
    _change(radiusd, ("localstatedir = /var\n", f"localstatedir = {directory}/var\n"))
    radiusd.write_text(re.sub(r"(?m)^\s*(user|group) = freerad$", "", radiusd.read_text()))
    for folder in ("log", "var/run/freeradius"):
        (directory / folder).mkdir(parents=True)


def _change(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text, f"{path} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


@contextlib.contextmanager
def shipped(directory: Path) -> Iterator[FreeRadius]:
    """Run it; its SQL tables hold the shipped plans."""
    ports = free_ports(2)
    install(directory, ports)
    server = start(directory)
    try:
        with contextlib.closing(sqlite3.connect(directory / DATABASE)) as database:
            database.executescript((PACKAGE / "sql" / "plans.sql").read_text())
        yield FreeRadius(directory, *ports)
    finally:
        server.terminate()
        server.wait(10)
