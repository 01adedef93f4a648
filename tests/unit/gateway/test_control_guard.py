"""Who may ask what on the control socket: real processes of other accounts at a real socket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from holdfast.config import parse
from holdfast.errors import HoldfastError
from holdfast.events import AdminActed, Event, SettingUnusable
from holdfast.gateway import control_guard
from holdfast.gateway.control_guard import OPERATE, OWN, VIEW, ControlGuard, needed_for
from holdfast.gateway.log_api import LogApi
from holdfast.gateway.tracing import Tracing
from holdfast.gateway.user_changes import UserChangeTeller
from holdfast.local_api import SOCKET_NAME, ApiServer, Peer
from holdfast.policy.access import Role
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.secret import Secret
from support.accounts import DAEMON, GAMES, MAIL, NEWS, NOBODY, holdfast_as, reachable_folder

LISTS = '[control]\nviewers = ["daemon", "@mail"]\noperators = ["games"]\n'


@dataclass
class Desk:
    """A guarded socket whose verbs do nothing but note who asked."""

    state: Path
    now: float = 0.0
    told: list[Event] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.state / SOCKET_NAME
        self.guard = ControlGuard(self.path, self.told.append, lambda: self.now)
        verbs = {verb: self._verb(verb) for verb in VIEW | OPERATE | OWN}
        self.server = ApiServer(self.path, verbs, self.guard.check)

    def _verb(self, verb: str) -> Any:
        async def answer(_request: dict[str, Any]) -> Any:
            self.asked.append(verb)
            return {"unlocked": True} if verb == "unlock" else []

        return answer

    async def command(self, uid: int, *arguments: str, **rights: Any) -> tuple[int, str]:
        return await asyncio.to_thread(holdfast_as, uid, *arguments, "--state", str(self.state), **rights)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    with reachable_folder() as state:
        made = Desk(state)
        await made.server.start()
        yield made
        await made.server.stop()


@pytest.mark.asyncio
async def test_every_verb_of_a_gateway_has_its_place(world: Any) -> None:
    assert not VIEW & OPERATE
    assert not OWN & (VIEW | OPERATE)
    changes = UserChangeTeller(world.store, world.log, world.gateway.report)
    served = (world.api, world.operation, Tracing(world.gateway, world.log), LogApi(None), changes)  # type: ignore[arg-type]
    assert {verb for api in served for verb in api.verbs()} == VIEW | OPERATE | OWN


def test_a_verb_that_nobody_placed_is_the_owners() -> None:
    assert needed_for("new-verb") is Role.OWNER


@pytest.mark.root
@pytest.mark.asyncio
async def test_viewers_look_and_operators_act_and_the_rest_stays_outside(desk: Desk) -> None:
    desk.guard.apply(parse(LISTS).config)
    assert (await desk.command(DAEMON, "sessions", "--json"))[0] == 0
    assert (await desk.command(MAIL, "sessions", "--json", gid=MAIL))[0] == 0
    code, text = await desk.command(DAEMON, "unlock", "alice", "192.0.2.1")
    assert code == 2
    assert "uid 1 may not ask for 'unlock': it may only look (a viewer)" in text
    assert "control.operators" in text
    code, text = await desk.command(GAMES, "unlock", "alice", "192.0.2.1")
    assert code == 0, text
    code, text = await desk.command(GAMES, "events", "purge")
    assert code == 2
    assert desk.asked == ["sessions", "sessions", "unlock"]
    code, text = await desk.command(NOBODY, "sessions")
    assert code == 2
    assert "not allowed to open the control socket" in text
    assert desk.told[0] == AdminActed("refused", "unlock", "uid 1")


@pytest.mark.root
@pytest.mark.asyncio
async def test_without_lists_only_the_owner_gets_in(desk: Desk) -> None:
    desk.guard.apply(parse("").config)
    assert desk.path.stat().st_mode & 0o777 == 0o600
    for uid in (DAEMON, GAMES, NOBODY):
        code, text = await desk.command(uid, "sessions")
        assert (code, "not allowed" in text) == (2, True)
    assert (await desk.command(0, "sessions", "--json", gid=0))[0] == 0


@pytest.mark.root
@pytest.mark.asyncio
async def test_a_changed_list_holds_at_once_also_for_those_who_are_connected(desk: Desk) -> None:
    desk.guard.apply(parse(LISTS).config)
    await desk.guard.check("sessions", Peer(DAEMON, DAEMON))
    desk.guard.apply(parse('[control]\noperators = ["games"]\n').config)
    with pytest.raises(HoldfastError, match="it may nothing here"):
        await desk.guard.check("sessions", Peer(DAEMON, DAEMON))
    assert (await desk.command(DAEMON, "sessions"))[0] == 2
    assert (await desk.command(GAMES, "sessions", "--json"))[0] == 0


@pytest.mark.root
@pytest.mark.asyncio
async def test_a_group_that_the_machine_no_longer_knows_of_a_user_gives_nothing(desk: Desk) -> None:
    """Its process still has the group, so the kernel lets it connect; the gateway does not."""
    desk.guard.apply(parse(LISTS).config)
    code, text = await desk.command(NEWS, "sessions", gid=NEWS, groups=(MAIL,))
    assert code == 2
    assert "uid 9 may not ask for 'sessions'" in text


@pytest.mark.root
@pytest.mark.asyncio
async def test_who_may_pass_the_directory_may_not_read_it(desk: Desk) -> None:
    with Store.open(desk.state) as store:
        Users(store).add("alice", Secret(b"correct horse battery"))
    desk.guard.apply(parse(LISTS).config)
    code, text = await desk.command(DAEMON, "user", "list")
    assert (code, "alice" in text) == (2, False)
    assert "Permission denied" in text or "not allowed" in text or "cannot be used" in text
    assert desk.state.stat().st_mode & 0o006 == 0


@pytest.mark.asyncio
async def test_a_name_that_the_machine_has_not_gives_no_right_and_is_told(desk: Desk) -> None:
    desk.guard.apply(parse('[control]\nviewers = ["no-such-user", "@no-such-group"]\n').config)
    assert desk.told == [
        SettingUnusable("control.viewers", "no-such-user", "file", "this machine has no such user"),
        SettingUnusable("control.viewers", "@no-such-group", "file", "this machine has no such group"),
    ]
    assert desk.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.asyncio
async def test_who_asks_in_a_loop_fills_no_log(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_guard, "caller", lambda: "uid 4242")
    stranger = Peer(4242, 4242)
    for step in range(1000):
        desk.now = step / 500
        with pytest.raises(HoldfastError, match="may not ask"):
            await desk.guard.check("disconnect", stranger)
    assert desk.told == [
        AdminActed("refused", "disconnect", "uid 4242"),
        AdminActed("refused", "disconnect (and 499 requests before it)", "uid 4242"),
    ]
