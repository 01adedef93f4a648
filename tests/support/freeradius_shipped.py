"""Debian's FreeRADIUS with the policy set of `packaging/freeradius`, installed as its README says. Needs root."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from support.freeradius import SECRET, SHIPPED, FreeRadius, start
from support.ports import free_ports
from support.sql_servers import Database, running

PACKAGE = Path(__file__).parents[2] / "packaging" / "freeradius"
OVERLAY = ("mods-available", "mods-config", "policy.d", "sites-available")
RADIUS_DB = {"mysql": "radius", "postgresql": "postgres"}


def install(directory: Path, ports: tuple[int, ...], database: Database) -> None:
    """Copy Debian's configuration and lay the policy set over it."""
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
    _name(directory, database)
    radiusd = directory / "radiusd.conf"
    _change(radiusd, ("raddbdir = /etc/freeradius/3.0", f"raddbdir = {directory}"))
    _change(radiusd, ("logdir = /var/log/freeradius", f"logdir = {directory}/log"))
    _change(radiusd, ("localstatedir = /var\n", f"localstatedir = {directory}/var\n"))
    radiusd.write_text(re.sub(r"(?m)^\s*(user|group) = freerad$", "", radiusd.read_text()))
    for folder in ("log", "var/run/freeradius"):
        (directory / folder).mkdir(parents=True)


def _name(directory: Path, database: Database) -> None:
    """Say which SQL it is, as the README asks."""
    sql = directory / "mods-available" / "sql"
    if database.dialect == "sqlite":
        _change(sql, ("rlm_sql_null", "rlm_sql_sqlite"), ("/tmp/freeradius.db", str(database.file)))
        return
    _change(
        sql,
        ('dialect = "sqlite"', f'dialect = "{database.dialect}"'),
        ("rlm_sql_null", f"rlm_sql_{database.dialect}"),
        ('#	server = "localhost"', f'	server = "{database.server}"'),
        ('#	login = "radius"', f'	login = "{database.login}"'),
        ('	radius_db = "radius"\n', f'	radius_db = "{RADIUS_DB[database.dialect]}"\n'),
    )
    text = sql.read_text()
    sql.write_text(re.sub(r"(?s)\n\t\ttls \{.*?\n\t\t\}", "", text, count=1))  # the example of MySQL over TLS
    _change(directory / "policy.d" / "holdfast", ("\t\tholdfast_used_sqlite", f"\t\tholdfast_used_{database.dialect}"))


def _change(path: Path, *pairs: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in pairs:
        assert old in text, f"{path} has no {old!r}"
        text = text.replace(old, new)
    path.write_text(text)


@contextlib.contextmanager
def shipped(directory: Path, dialect: str) -> Iterator[tuple[FreeRadius, Database]]:
    """Run it; its SQL tables hold the shipped plans."""
    ports = free_ports(2)
    with running(dialect, directory.parent) as empty:
        database = empty
        if dialect == "mysql":
            empty.ask("CREATE DATABASE radius;")
            database = replace(empty, client=(*empty.client, "radius"))
        if dialect != "sqlite":  # FreeRADIUS makes SQLite's tables itself
            database.ask((SHIPPED / f"mods-config/sql/main/{dialect}/schema.sql").read_text())
        with _served(directory, ports, database) as server:
            yield server, database


@contextlib.contextmanager
def _served(directory: Path, ports: tuple[int, ...], database: Database) -> Iterator[FreeRadius]:
    install(directory, ports, database)
    server = start(directory, database.wrap)
    try:
        database.ask((PACKAGE / "sql" / "plans.sql").read_text())
        yield FreeRadius(directory, *ports)
    finally:
        server.terminate()
        server.wait(60)
