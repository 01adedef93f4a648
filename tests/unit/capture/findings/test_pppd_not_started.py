import pytest

from holdfast.capture.logs.judge import sessions_of

WORDS = (
    "pppd[7]: In file /etc/ppp/peers/office: unrecognized option 'mppe'",
    "pppd[7]: This system lacks kernel support for PPP.",
    "pppd[7]: Couldn't set tty to PPP discipline: Invalid argument",
)


@pytest.mark.parametrize("words", WORDS)
def test_a_client_is_not_told_that_the_server_is_to_blame(words: str) -> None:
    (session,) = sessions_of([f"Nov  1 10:00:00 laptop {words}"])
    (finding,) = (each for each, _ in session.findings())
    assert finding.id == "pppd-not-started"
    assert finding.entry.fixes.client


@pytest.mark.parametrize("words", WORDS)
def test_at_a_server_it_is_the_server(words: str) -> None:
    call = "pptpd[6]: CTRL: Starting call (launching pppd, opening GRE)"
    (session,) = sessions_of([f"Nov  1 10:00:00 gate {call}", f"Nov  1 10:00:00 gate {words}"])
    assert [each.id for each, _ in session.findings()] == ["server-link-died"]
