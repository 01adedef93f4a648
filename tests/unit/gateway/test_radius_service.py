"""RADIUS as a whole: nothing by default, and everything let go of at the end."""

import pytest

from holdfast.config import parse
from holdfast.gateway.radius_service import radius
from holdfast.policy.authenticate import Authenticator
from unit.gateway.test_radius import configuration

pytestmark = pytest.mark.asyncio


async def test_nothing_by_default(world, tmp_path):
    async with radius(world.gateway, parse("").config, tmp_path, Authenticator([]), world.log):
        assert world.gateway.logins.remote is None
        assert (await world.api.status({}))["accounting"] == {}
        assert not list(tmp_path.glob("accounting*"))


async def test_logins_and_accounting_where_servers_are_named(world, tmp_path, unused_udp_port):
    config = configuration(tmp_path, unused_udp_port)
    async with radius(world.gateway, config, tmp_path, Authenticator([]), world.log):
        assert world.gateway.logins.remote is not None
        state = (await world.api.status({}))["accounting"]
        assert (state["sessions"], state["waiting"], state["aside"], state["silent"]) == (0, 1, 0, False)
        assert [one["server"] for one in state["servers"]] == ["127.0.0.1:1813"]
        assert (tmp_path / "accounting.db").stat().st_mode & 0o777 == 0o600
