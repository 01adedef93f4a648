"""The tables of the embedded database. Times are seconds since 1970 in UTC, addresses are text."""

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text

SCHEMA_VERSION = 1
"""Raised by every change that an older Holdfast could not live with."""

metadata = MetaData()

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", LargeBinary, nullable=False))
"""What concerns the database as a whole: its version, the check of its key, marks."""

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("address", Text, unique=True),
    Column("expires", Float),
    Column("created", Float, nullable=False),
    Column("changed", Float, nullable=False),
)

user_policies = Table(
    "user_policies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("group", Text, nullable=False),
    Column("settings", Text, nullable=False),
)
"""Of users who have them: their group (or nothing) and their own settings, as a JSON object."""

user_changes = Table(
    "user_changes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("action", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("by", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What was done to users and does not stand in the event log yet. No number is ever used again."""

leases = Table(
    "leases",
    metadata,
    Column("address", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("session", Text),
    Column("since", Float, nullable=False),
)
"""Each address that was ever given, its last user, and its session while it is in use (else NULL)."""

sessions = Table(
    "sessions",
    metadata,
    Column("session", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("local_call_id", Integer, nullable=False),
    Column("address", Text),
    Column("started", Float, nullable=False),
)
"""The sessions of the gateway that runs, so that its successor knows what a crash cut off."""

lockouts = Table(
    "lockouts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Float, nullable=False),
    Column("locked_until", Float, nullable=False),
)
"""Failed logins and the locks they brought, and which users were at home where: digests of names and addresses."""

radius_cache = Table(
    "radius_cache",
    metadata,
    Column("user", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""Who was let in by RADIUS and when, with what may prove them again and what they were given, sealed."""

Index("leases_by_time", leases.c.since)
