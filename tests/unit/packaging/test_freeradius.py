"""The policy set in packaging/freeradius, installed into Debian's FreeRADIUS as its README says. Needs root."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.gateway.accounting import start_accounting
from holdfast.gateway.radius_probe import Credentials, probe
from holdfast.secret import Secret
from support import sql_servers
from support.freeradius import FreeRadius
from support.freeradius_shipped import shipped
from support.pns_client import PnsClient
from support.sql_servers import Database
from unit.gateway.conftest import world  # noqa: F401 - a fixture
from unit.gateway.test_radius import configuration, use

pytestmark = [pytest.mark.root, pytest.mark.asyncio]
PUBLISHED = ("Session-Timeout = 14400", "Idle-Timeout = 600", "Acct-Interim-Interval = 600")
GUESTS = ('Filter-Id = "guests"', "Session-Timeout = 3600", "WISPr-Bandwidth-Max-Up = 2000000")
STAFF = ('Framed-Pool = "staff"', "Port-Limit = 3", "Idle-Timeout = 3600")
VOLUME = ("Mikrotik-Total-Limit = 1410065408", "Mikrotik-Total-Limit-Gigawords = 2")
GATEWAY = """
[pools.staff]
ranges = ["10.88.0.10-10.88.0.20"]
[filters.guests]
rules = ["allow tcp 80,443"]
"""


@pytest.fixture(scope="module", params=sql_servers.installed())
def served(tmp_path_factory: pytest.TempPathFactory, request) -> Iterator[tuple[FreeRadius, Database]]:
    """One that runs, with each SQL that is installed here."""
    with shipped(tmp_path_factory.mktemp("radius") / "raddb", request.param) as running:
        yield running


@pytest.fixture
def server(served: tuple[FreeRadius, Database]) -> FreeRadius:
    return served[0]


@pytest.fixture
def database(served: tuple[FreeRadius, Database]) -> Database:
    return served[1]


def spent(database: Database, user: str, octets: int = 0, seconds: int = 0) -> None:
    """Let a user have had a session a moment ago."""
    now, name = database.moment(int(time.time())), f"{user}{octets}{seconds}"
    columns = {
        "username": f"'{user}'",
        "acctsessionid": f"'{name}'",
        "acctuniqueid": f"'{name}'",
        "nasipaddress": "'192.0.2.1'",
        "acctstarttime": now,
        "acctstoptime": now,
        "acctinputoctets": str(octets),
        "acctoutputoctets": "0",
        "acctsessiontime": str(seconds),
    }
    database.ask(f"INSERT INTO radacct ({', '.join(columns)}) VALUES ({', '.join(columns.values())});")


def month_goes_on(seconds: float) -> bool:
    """Whether the month has more than so many seconds left: then sqlcounter does not add those of the next one."""
    return time.localtime(time.time() + seconds + 60).tm_mon == time.localtime().tm_mon


async def signed_in(directory: Path, server: FreeRadius, user: str) -> tuple[bool, str, tuple[str, ...]]:
    """Sign a user in as `holdfast radius test` does; return whether it went well, what was said, the attributes."""
    config = configuration(directory, server.authentication, GATEWAY)
    patient = config.radius.model_copy(update={"timeout": 3.0, "patience": 10.0})  # Debian's refusals take a second
    config = config.model_copy(update={"radius": patient})
    steps = [step async for step in probe(config, Credentials(user, Secret.from_text(f"change-{user}")))]
    return steps[-1].good, steps[-1].said, steps[-1].answer


@pytest.mark.parametrize(
    ("user", "attributes"),
    [
        ("alice", PUBLISHED),
        ("bob", (*STAFF, "Framed-IP-Address = 10.88.0.5")),
        ("guest", GUESTS),
        ("carol", (*PUBLISHED, *VOLUME)),
        ("dave", PUBLISHED),
        ("erin", STAFF),
        ("frank", (*PUBLISHED, *VOLUME)),
        ("grace", PUBLISHED),
        ("heidi", GUESTS),
    ],
)
async def test_users_of_the_file_and_of_sql_get_what_their_plan_says(server, tmp_path, user, attributes):
    good, said, answer = await signed_in(tmp_path, server, user)
    assert good, said
    assert set(attributes) <= set(answer)


async def test_hours_and_volumes_of_a_month_run_out(server, database, tmp_path):
    for user in ("grace", "dave"):
        spent(database, user, seconds=71_000)
        assert (
            f"Session-Timeout = {1000 if month_goes_on(1000) else 14400}"
            in (await signed_in(tmp_path, server, user))[2]
        )
        spent(database, user, seconds=2000)
        assert not (await signed_in(tmp_path, server, user))[0]
    for user in ("carol", "frank"):
        spent(database, user, octets=9_000_000_000)
        answer = (await signed_in(tmp_path, server, user))[2]
        assert "Mikrotik-Total-Limit = 1000000000" in answer
        assert "Mikrotik-Total-Limit-Gigawords = 2" not in answer
        spent(database, user, octets=1_000_000_001)
        good, said, _ = await signed_in(tmp_path, server, user)
        assert not good
        assert "volume of this month is used up" in said


@pytest.mark.parametrize("world", [GATEWAY], indirect=True)
async def test_a_gateway_honours_it_and_its_sessions_come_to_rest_in_sql(world, server, database, tmp_path):  # noqa: F811
    more = f'accounting_servers = ["127.0.0.1:{server.accounting}"]\n'
    config = configuration(tmp_path, server.authentication, more)
    use(world, config)
    accounts = start_accounting(world.gateway, config, tmp_path, world.log)
    client = await PnsClient.dial(world.client_engine, world.port, "erin", "change-erin")
    await client.up()
    assert world.only().address == "10.88.0.10"
    assert (world.only().policy.sessions_per_user, world.only().policy.idle_timeout) == (3, 3600)
    await world.api.disconnect({"user": "erin"})
    await client.wait(lambda: client.ended is not None)
    async with asyncio.timeout(60):
        while len(accounts._queue):  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0.02)
    await accounts.end()
    asked = "SELECT framedipaddress, acctterminatecause, acctinputoctets FROM radacct WHERE username = 'erin';"
    assert database.ask(asked) == [("10.88.0.10", "Admin-Reset", "2")]
