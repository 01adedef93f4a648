"""Users whom RADIUS let in lately."""

import pytest
from sqlalchemy import text

from holdfast.errors import StateError
from holdfast.policy.effective import Layer
from holdfast.policy.radius_cache import RadiusCache
from holdfast.policy.radius_login import Grant
from holdfast.ppp.authentication_types import ChapMd5Exchange, PapExchange
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.secret import Secret

PAP = PapExchange(b"alice", 1, Secret(b"secret"))
CHAP = ChapMd5Exchange(b"bob", 1, Secret(bytes(16)), Secret(bytes(16)))
LAYER = Layer.of(
    {"filter": "guests", "routes": ("10.1.0.0/16",), "session_timeout": 60.0, "address": ("10.77.0.9",), "mtu": 1200},
    "RADIUS r: X",
)
GRANT = Grant("r", class_=(b"\x01",))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_radius_gave_holds_again_and_the_password_is_proved(store):
    clock = Clock()
    RadiusCache(store, 100, clock).remember(PAP, LAYER, GRANT)
    known = RadiusCache(store, 100, clock).recall("alice")
    assert known is not None
    assert verify(PAP, StoredSecret.from_nt_hash(known.nt_hash)).accepted
    assert dict(known.layer.values) == dict(LAYER.values)
    assert known.layer.origins["filter"] == "RADIUS r: X (remembered)"
    assert known.grant.class_ == (b"\x01",)
    assert RadiusCache(store, 100, clock).recall("bob") is None


def test_from_an_answer_to_a_challenge_nothing_is_kept_that_proves(store):
    cache = RadiusCache(store, 100, Clock())
    cache.remember(CHAP, None, Grant())
    assert cache.recall("bob").nt_hash is None


def test_it_ends_by_time_and_by_a_no(store):
    clock = Clock()
    cache = RadiusCache(store, 100, clock)
    cache.remember(PAP, LAYER, GRANT)
    clock.now += 101
    assert cache.recall("alice") is None
    cache.remember(PAP, LAYER, GRANT)
    assert cache.recall("alice") is not None
    cache.forget("alice")
    assert cache.recall("alice") is None
    cache.remember(PAP, LAYER, GRANT)
    assert cache.recall("alice") is not None


def test_the_same_again_is_not_written_each_time_and_yet_lasts(store):
    clock = Clock()
    cache = RadiusCache(store, 100, clock)
    for _ in range(30):
        cache.remember(PAP, LAYER, GRANT)
        clock.now += 5
    assert cache.recall("alice") is not None
    with store.read() as connection:
        assert connection.execute(text("SELECT at FROM radius_cache")).scalar() > 1100


def test_the_database_shows_nothing_and_a_change_is_seen(store):
    cache = RadiusCache(store, 100, Clock())
    cache.remember(PAP, LAYER, GRANT)
    octets = store.path.read_bytes()
    assert b"guests" not in octets
    assert b"10.77.0.9" not in octets
    with store.write() as connection:
        connection.execute(text("UPDATE radius_cache SET sealed = x'00'"))
    with pytest.raises(StateError):
        cache.recall("alice")
