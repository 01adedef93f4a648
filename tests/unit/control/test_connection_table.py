"""The connection table against the diagrams of RFC 2637 sections 3.1.1 and 3.1.2, pair by pair."""

import pytest

from holdfast.control.connection_table import TABLE, ConnectionAction, ConnectionInput, ConnectionState

A, X, S = ConnectionAction, ConnectionInput, ConnectionState

ARROWS = [
    # 3.1.1 originator
    (S.IDLE, X.OPEN, [A.SEND_START_REQUEST], S.WAIT_CTL_REPLY),
    (S.WAIT_CTL_REPLY, X.CUT, [A.CLOSE], S.CLOSED),
    (S.WAIT_CTL_REPLY, X.START_REPLY, [A.TELL_ESTABLISHED], S.ESTABLISHED),
    (S.WAIT_CTL_REPLY, X.START_REPLY_BAD_VERSION, [A.SEND_STOP_REQUEST_BAD_VERSION], S.WAIT_STOP_REPLY),
    # 3.1.2 receiver
    (S.IDLE, X.START_REQUEST, [A.SEND_START_REPLY, A.TELL_ESTABLISHED], S.ESTABLISHED),
    (S.IDLE, X.START_REQUEST_BAD_VERSION, [A.SEND_START_REPLY_BAD_VERSION, A.CLOSE], S.CLOSED),
    # both
    (S.ESTABLISHED, X.STOP_REQUEST, [A.SEND_STOP_REPLY, A.CALLS_CLEARED, A.CLOSE], S.CLOSED),
    (S.ESTABLISHED, X.TERMINATE, [A.END_CALLS, A.SEND_STOP_REQUEST], S.WAIT_STOP_REPLY),
    (S.WAIT_STOP_REPLY, X.STOP_REPLY, [A.CLOSE], S.CLOSED),
]


@pytest.mark.parametrize(("state", "what", "actions", "leads_to"), ARROWS)
def test_the_arrows_of_the_diagrams(
    state: ConnectionState, what: ConnectionInput, actions: list[ConnectionAction], leads_to: ConnectionState
) -> None:
    assert TABLE[state, what] == (leads_to, tuple(actions))


@pytest.mark.parametrize(("pair", "row"), TABLE.items())
def test_every_row(
    pair: tuple[ConnectionState, ConnectionInput], row: tuple[ConnectionState, tuple[ConnectionAction, ...]]
) -> None:
    """The end is told exactly once, and no call outlives the connection."""
    (before, _), (after, actions) = pair, row
    ends = [action for action in actions if action in (A.CLOSE, A.TELL_CLOSED)]
    assert len(ends) == (after is S.CLOSED)
    if before is S.ESTABLISHED and after is not S.ESTABLISHED:
        assert len({A.END_CALLS, A.DROP_CALLS, A.CALLS_CLEARED} & set(actions)) == 1


@pytest.mark.parametrize("state", [state for state in S if state is not S.CLOSED])
def test_every_state_can_be_left(state: ConnectionState) -> None:
    for what in (X.TERMINATE, X.TIMEOUT, X.LOST):
        assert (state, what) in TABLE
    if state is not S.YIELDED:
        assert TABLE[state, X.STOP_REQUEST][0] is S.CLOSED
        assert TABLE[state, X.ABORT][0] is S.CLOSED
        assert TABLE[state, X.CUT][0] is S.CLOSED


def test_nothing_happens_after_the_end() -> None:
    assert [pair for pair in TABLE if pair[0] is S.CLOSED] == []


def test_a_cut_says_nothing() -> None:
    """RFC 2637 sections 1.4 and 3.1.3."""
    for (_, what), (_, actions) in TABLE.items():
        if what in (X.CUT, X.LOST):
            assert set(actions) <= {A.CLOSE, A.TELL_CLOSED, A.DROP_CALLS}
