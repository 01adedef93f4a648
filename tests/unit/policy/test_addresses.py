"""The pool: never the same address twice, the old one again, nothing lost in a crash."""

import signal
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from holdfast.errors import StateError
from holdfast.policy.addresses import AddressPool, PoolRules
from holdfast.policy.ranges import Address, AddressRange
from holdfast.policy.store import Store
from holdfast.policy.users import Users
from holdfast.secret import Secret
from unit.policy.conftest import Clock

RANGE = AddressRange.parse("10.0.0.10-10.0.0.13")


def address(last: int) -> Address:
    return ip_address(f"10.0.0.{last}")


def rules(*, never: tuple[Address, ...] = ()) -> PoolRules:
    return PoolRules((RANGE,), never)


@pytest.fixture
def pool(store: Store, clock: Clock) -> AddressPool:
    return AddressPool(rules(), store, clock=clock)


def test_each_session_gets_its_own(pool: AddressPool) -> None:
    given_out = [pool.allocate(f"s{number}", f"u{number}") for number in range(4)]
    assert given_out == [address(10), address(11), address(12), address(13)]
    assert (len(pool), pool.size) == (4, 4)
    assert pool.allocate("s5", "u5") is None
    assert pool.why_none("u5") == "all 4 addresses of the pool are in use or dedicated to others"


def test_asking_twice_is_getting_once(pool: AddressPool) -> None:
    assert pool.allocate("s", "u") == pool.allocate("s", "u") == address(10)
    assert len(pool) == 1
    assert pool.holder(address(10)) == "s"


def test_one_user_with_two_sessions(pool: AddressPool) -> None:
    assert {pool.allocate("s1", "u"), pool.allocate("s2", "u")} == {address(10), address(11)}


def test_released_on_every_end(pool: AddressPool) -> None:
    pool.allocate("s", "u")
    assert pool.release("s") == address(10)
    assert pool.release("s") is None
    assert pool.release("never was") is None
    assert (len(pool), pool.holder(address(10))) == (0, None)


def test_a_user_who_comes_back_gets_the_old_address(pool: AddressPool) -> None:
    pool.allocate("s1", "alice")
    pool.allocate("s2", "bob")
    pool.release("s1")
    pool.release("s2")
    assert pool.allocate("s3", "bob") == address(11)
    assert pool.allocate("s4", "carol") == address(12)
    assert pool.allocate("s5", "alice") == address(10)


def test_the_longest_unused_goes_first(pool: AddressPool) -> None:
    for number in range(4):
        pool.allocate(f"s{number}", f"u{number}")
    for number in (2, 0, 3, 1):
        pool.release(f"s{number}")
    assert [pool.allocate(f"t{number}", f"v{number}") for number in range(4)] == [
        address(12),
        address(10),
        address(13),
        address(11),
    ]


def test_an_address_that_went_to_another_user_is_not_the_old_one_any_more(pool: AddressPool) -> None:
    for number in range(4):
        pool.allocate(f"s{number}", f"u{number}")
    pool.release("s0")
    assert pool.allocate("t", "other") == address(10)
    pool.release("s1")
    assert pool.allocate("s0", "u0") == address(11)


def test_a_dedicated_address_goes_to_its_user_only(store: Store, users: Users, clock: Clock) -> None:
    users.add("alice", Secret(b"x"), address=address(10))
    pool = AddressPool(rules(), store, dedications=users.dedicated, clock=clock)
    assert [pool.allocate(f"s{number}", f"u{number}") for number in range(4)] == [
        address(11),
        address(12),
        address(13),
        None,
    ]
    own = users.get("alice").addresses
    assert pool.allocate("a", "alice", own) == address(10)
    assert pool.allocate("b", "alice", own) is None
    assert pool.why_none("alice", own) == "10.0.0.10 is dedicated to alice and in use by another session"


def test_an_address_is_free_again_when_it_is_dedicated_no_more(store: Store, users: Users) -> None:
    users.add("alice", Secret(b"x"), address=address(10))
    pool = AddressPool(rules(), store, dedications=users.dedicated)
    for number in range(3):
        pool.allocate(f"s{number}", f"u{number}")
    assert pool.allocate("t", "bob") is None
    users.set_address("alice", None)
    assert pool.allocate("t", "bob") == address(10)


def test_an_address_dedicated_while_the_gateway_runs(store: Store, users: Users) -> None:
    pool = AddressPool(rules(), store, dedications=users.dedicated)
    pool.allocate("s", "bob")
    users.add("alice", Secret(b"x"), address=address(10))
    assert pool.allocate("a", "alice", users.get("alice").addresses) is None
    pool.release("s")
    assert pool.allocate("s", "bob") == address(11)
    assert pool.allocate("a", "alice", users.get("alice").addresses) == address(10)


def test_a_dedicated_address_outside_the_pool_stays_outside(pool: AddressPool, store: Store, clock: Clock) -> None:
    outside = (AddressRange.parse("192.168.7.7"),)
    assert pool.allocate("s", "alice", outside) == ip_address("192.168.7.7")
    pool.release("s")
    assert [pool.allocate(f"s{number}", f"u{number}") for number in range(5)][-1] is None
    assert AddressPool(rules(), store, clock=clock).allocate("t", "alice") == address(10)


def test_a_dedicated_range(pool: AddressPool) -> None:
    own = (AddressRange.parse("10.9.0.1-10.9.0.2"),)
    assert [pool.allocate(f"s{number}", "alice", own) for number in range(3)] == [
        ip_address("10.9.0.1"),
        ip_address("10.9.0.2"),
        None,
    ]


def test_a_wish_is_granted_only_where_allowed(store: Store) -> None:
    assert AddressPool(rules(), store).allocate("s", "u", wish=address(13)) == address(10)
    pool = AddressPool(rules(), store)
    assert pool.allocate("s", "u", wish=address(13), may_choose=True) == address(13)
    assert pool.allocate("t", "v", wish=address(13), may_choose=True) != address(13)
    assert pool.allocate("w", "w", wish=ip_address("10.0.0.99"), may_choose=True) in RANGE


def test_a_wish_for_what_is_dedicated_to_another(store: Store, users: Users) -> None:
    users.add("alice", Secret(b"x"), address=address(13))
    pool = AddressPool(rules(), store, dedications=users.dedicated)
    assert pool.allocate("s", "mallory", wish=address(13), may_choose=True) == address(10)


@pytest.mark.parametrize("wish", [True, False])
def test_nobody_gets_the_address_of_the_gateway(store: Store, wish: bool) -> None:
    pool = AddressPool(rules(never=(address(10),)), store)
    assert pool.allocate("s", "u", wish=address(10), may_choose=wish) == address(11)
    assert pool.allocate("t", "v", (AddressRange.single(address(10)),)) is None


def test_after_a_crash_nothing_is_in_use_and_users_keep_their_addresses(store: Store, clock: Clock) -> None:
    before = AddressPool(rules(), store, clock=clock)
    for number in range(4):
        clock.now += 1
        before.allocate(f"s{number}", f"u{number}")
    after = AddressPool(rules(), store, clock=clock)
    assert len(after) == 0
    assert after.allocate("t3", "u3") == address(13)
    assert after.allocate("t0", "u0") == address(10)
    assert after.allocate("new", "new") == address(11)
    assert after.allocate("t2", "u2") == address(12)
    assert after.allocate("t1", "u1") is None


BUSY_GATEWAY = """
import itertools, sys
from pathlib import Path
from holdfast.policy.addresses import AddressPool, PoolRules
from holdfast.policy.ranges import AddressRange
from holdfast.policy.store import Store

pool = AddressPool(PoolRules((AddressRange.parse("10.0.0.10-10.0.0.13"),)), Store.open(Path(sys.argv[1])))
pool.allocate("kept", "alice")
for number in itertools.count():
    pool.allocate(f"s{number}", f"u{number}")
    pool.release(f"s{number}")
    if number == 20:
        print("busy", flush=True)
"""


def test_a_gateway_killed_in_the_middle_of_writing(state: Path) -> None:
    command = [sys.executable, "-c", BUSY_GATEWAY, str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gateway:
        assert gateway.stdout is not None
        assert gateway.stdout.readline() == "busy\n"
        gateway.kill()
    assert gateway.returncode == -signal.SIGKILL
    with Store.open(state) as store:
        store.check()
        pool = AddressPool(rules(), store)
        assert len(pool) == 0
        assert pool.allocate("back", "alice") == address(10)
        assert {pool.allocate(f"n{number}", f"n{number}") for number in range(3)} == set(RANGE) - {address(10)}
        assert pool.allocate("one more", "one more") is None


def test_a_changed_pool_gives_no_address_of_the_old_one(store: Store) -> None:
    AddressPool(rules(), store).allocate("s", "u")
    moved = AddressPool(PoolRules((AddressRange.parse("10.5.0.1"),)), store)
    assert moved.allocate("t", "u") == ip_address("10.5.0.1")
    assert moved.allocate("w", "w") is None


def test_a_database_that_cannot_be_written_gives_nothing_and_keeps_nothing(
    pool: AddressPool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.allocate("s", "u")
    with store.write() as connection:
        connection.exec_driver_sql("DROP TABLE leases")
    with pytest.raises(StateError):
        pool.allocate("t", "v")
    assert len(pool) == 1
    with pytest.raises(StateError):
        pool.release("s")
    assert len(pool) == 0
    assert pool.holder(address(10)) is None


def test_a_large_pool_is_as_quick_as_a_small_one(store: Store) -> None:
    pool = AddressPool(PoolRules((AddressRange.parse("10.0.0.0/8"),)), store)
    before = time.process_time()
    for number in range(200):
        assert pool.allocate(f"s{number}", f"u{number}") is not None
    for number in range(200):
        pool.release(f"s{number}")
    # 400 writes; a walk over the pool for each would take minutes.
    assert time.process_time() - before < 2.0


def test_sixty_five_thousand_that_are_all_known(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 65535) INSERT INTO leases "
            "SELECT '10.1.' || (i / 256) || '.' || (i % 256), 'u' || i, 's' || i, i FROM n"
        )
    pool = AddressPool(PoolRules((AddressRange.parse("10.1.0.0-10.1.255.255"),)), store)
    before = time.process_time()
    for number in range(300):
        assert pool.allocate(f"t{number}", f"new{number}") is not None
    assert pool.allocate("t", "u60000") == ip_address("10.1.234.96")
    assert time.process_time() - before < 2.0


@settings(max_examples=25, deadline=None, stateful_step_count=25)
class PoolMachine(RuleBasedStateMachine):
    """Sessions come and go, gateways crash, addresses are dedicated; a plain model watches."""

    USERS = st.sampled_from(["alice", "bob", "carol", "dave", "eve"])
    SESSIONS = st.integers(0, 7).map("s{}".format)

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = Store.open(Path(self.folder.name) / "state")
        self.rules = rules(never=(address(12),))
        self.dedicated: dict[Address, str] = {}
        self.held: dict[str, Address] = {}
        self.restart()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()

    @rule()
    def restart(self) -> None:
        self.pool = AddressPool(self.rules, self.store, dedications=lambda: self.dedicated)
        self.held = {}

    @rule(session=SESSIONS, user=USERS, wish=st.none() | st.integers(8, 15), may_choose=st.booleans())
    def connect(self, session: str, user: str, wish: int | None, may_choose: bool) -> None:
        own = tuple(AddressRange.single(key) for key, value in self.dedicated.items() if value == user)
        asked = None if wish is None else address(wish)
        got = self.pool.allocate(session, user, own, asked, may_choose=may_choose)
        if session in self.held:
            assert got == self.held[session]
            return
        free = {
            key
            for key in (own and [part.first for part in own]) or RANGE
            if key not in self.held.values() and key != address(12) and self.dedicated.get(key, user) == user
        }
        assert (got in free) if free else got is None
        if got is not None:
            self.held[session] = got

    @rule(session=SESSIONS)
    def leave(self, session: str) -> None:
        assert self.pool.release(session) == self.held.pop(session, None)

    @rule(user=USERS, last=st.integers(9, 13))
    def dedicate(self, user: str, last: int) -> None:
        self.dedicated[address(last)] = user

    @rule(last=st.integers(9, 13))
    def dedicate_no_more(self, last: int) -> None:
        self.dedicated.pop(address(last), None)

    @invariant()
    def both_know_the_same(self) -> None:
        if hasattr(self, "pool"):
            assert len(self.pool) == len(self.held) == len(set(self.held.values()))
            assert all(self.pool.holder(value) == key for key, value in self.held.items())


TestPoolMachine = PoolMachine.TestCase


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_what_the_database_says_in_use_is_what_is(steps: list[tuple[int, bool]]) -> None:
    with TemporaryDirectory() as folder, Store.open(Path(folder) / "state") as store:
        pool = AddressPool(rules(), store)
        held: dict[str, str] = {}
        for number, comes in steps:
            session = f"s{number}"
            if comes and (got := pool.allocate(session, f"u{number}")) is not None:
                held[session] = str(got)
            elif not comes:
                pool.release(session)
                held.pop(session, None)
        with store.read() as connection:
            rows = connection.exec_driver_sql("SELECT session, address FROM leases WHERE session IS NOT NULL").all()
        assert {row.session: row.address for row in rows} == held
