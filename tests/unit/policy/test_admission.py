"""Who is let in by address, count and rate."""

from ipaddress import IPv4Network

import pytest

from holdfast.policy.admission import Admission, AdmissionRules, Barrier, Refused

ONE, TWO = "192.0.2.1", "198.51.100.2"


def barrier(refused: Refused | None) -> Barrier | None:
    return None if refused is None else refused.barrier


def test_networks() -> None:
    rules = AdmissionRules(allow=(IPv4Network("192.0.2.0/24"),), deny=(IPv4Network("192.0.2.128/25"),))
    admission = Admission(rules)
    assert admission.connection(ONE, 0) is None
    assert barrier(admission.connection("192.0.2.200", 0)) is Barrier.DENIED_NETWORK
    assert barrier(admission.connection(TWO, 0)) is Barrier.NOT_ALLOWED_NETWORK
    assert admission.state()["connections"] == 1


def test_connections_in_all_and_per_address() -> None:
    admission = Admission(AdmissionRules(connections=3, connections_per_address=2))
    assert [barrier(admission.connection(ONE, 0)) for _ in range(3)] == [None, None, Barrier.CONNECTIONS_PER_ADDRESS]
    assert admission.connection(TWO, 0) is None
    assert barrier(admission.connection(TWO, 0)) is Barrier.CONNECTIONS
    admission.connection_closed(ONE)
    assert admission.connection(TWO, 0) is None


def test_a_burst_passes_and_a_flood_does_not() -> None:
    admission = Admission(AdmissionRules(new_connections_per_second=10))
    assert [barrier(admission.connection(ONE, 100.0)) for _ in range(11)].count(None) == 10
    assert barrier(admission.connection(ONE, 100.05)) is Barrier.NEW_CONNECTIONS_PER_SECOND
    assert admission.connection(ONE, 100.2) is None
    later = [barrier(admission.connection(ONE, 100.2 + number / 100)) for number in range(100)].count(None)
    assert 9 <= later <= 11


def test_calls_half_open_in_all_and_per_address() -> None:
    admission = Admission(AdmissionRules(half_open=2, sessions=4, sessions_per_address=3))
    assert [barrier(admission.call(ONE, 0)) for _ in range(3)] == [None, None, Barrier.HALF_OPEN]
    admission.session_up()
    admission.session_up()
    assert [barrier(admission.call(ONE, 0)) for _ in range(2)] == [None, Barrier.SESSIONS_PER_ADDRESS]
    assert admission.call(TWO, 0) is None
    assert barrier(admission.call(TWO, 0)) is Barrier.HALF_OPEN
    admission.session_up()
    assert barrier(admission.call(TWO, 0)) is Barrier.SESSIONS
    admission.session_ended(ONE, 100.0, 0, flap=False)
    admission.session_ended(TWO, None, 0, flap=False)
    assert admission.state() == {"connections": 0, "sessions": 2, "half_open": 0}


def live(admission: Admission, address: str, start: float, lasted: float, *, flap: bool = True) -> None:
    assert admission.call(address, start) is None
    admission.session_up()
    admission.session_ended(address, lasted, start + lasted, flap=flap)


def test_a_flapping_client_waits_longer_each_time() -> None:
    admission = Admission(AdmissionRules(flaps=2, flap_time=30, flap_wait=5, longest_flap_wait=15))
    live(admission, ONE, 0, 1)
    live(admission, ONE, 1, 1)
    refused = admission.call(ONE, 3)
    assert barrier(refused) is Barrier.RECONNECTS
    assert refused is not None
    assert "may come again in 4.0 s" in refused.detail
    assert admission.call(TWO, 3) is None
    live(admission, ONE, 7, 1)
    assert barrier(admission.call(ONE, 17.9)) is Barrier.RECONNECTS
    live(admission, ONE, 18, 1)
    assert barrier(admission.call(ONE, 33.9)) is Barrier.RECONNECTS
    live(admission, ONE, 34, 60)
    live(admission, ONE, 95, 1)
    assert admission.call(ONE, 97) is None


@pytest.mark.parametrize(("rules", "flap"), [(AdmissionRules(flaps=0), True), (AdmissionRules(flaps=1), False)])
def test_what_is_no_flap(rules: AdmissionRules, flap: bool) -> None:
    admission = Admission(rules)
    for start in range(10):
        live(admission, ONE, start, 0.5, flap=flap)


def test_neighbours_of_a_flapping_client_get_in_while_one_is_on() -> None:
    admission = Admission(AdmissionRules(flaps=1))
    assert admission.call(ONE, 0) is None
    live(admission, ONE, 0, 1)
    assert admission.call(ONE, 2) is None
