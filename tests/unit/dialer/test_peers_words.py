"""What single options of pppd mean."""

import pytest

from holdfast.dialer.machines import RESTART
from holdfast.dialer.peers_words import SWITCHES, VALUES, Draft, addresses, pptp_command
from holdfast.ppp.config import MppePolicy


@pytest.mark.parametrize("word", sorted(SWITCHES))
def test_every_switch_says_what_it_means(word: str) -> None:
    understood = SWITCHES[word](Draft())
    assert understood.meaning
    assert understood.level in {"taken", "corrected", "ignored"}


@pytest.mark.parametrize("word", sorted(VALUES))
@pytest.mark.parametrize("text", ["5", "", "x" * 300, "-1", "0x10", "\x1b[2J"])
def test_no_value_makes_it_fail(word: str, text: str) -> None:
    assert VALUES[word](text, Draft()).meaning


@pytest.mark.parametrize("command", ["", "pptp", "ssh host", 'pptp "', "pptp --nolaunchpppd", "/bin/sh -c pptp"])
def test_other_commands_name_no_server(command: str) -> None:
    draft = Draft()
    assert pptp_command(command, draft).level == "unknown"
    assert draft.host == ""


def test_the_last_word_counts() -> None:
    draft = Draft()
    SWITCHES["require-mppe-128"](draft)
    SWITCHES["nomppe"](draft)
    assert draft.settings().link.mppe is MppePolicy.OFF


def test_an_address_that_is_none() -> None:
    assert addresses("10.0.0.999:", Draft()).level == "unknown"


def test_demand_keeps_the_tunnel_up_and_that_is_said() -> None:
    draft = Draft()
    assert SWITCHES["demand"](draft).level == "corrected"
    assert draft.settings().reconnect.persist


def test_what_is_said_of_repetitions_is_what_is_done() -> None:
    assert f"after {RESTART.restart_timer:g} s" in VALUES["lcp-restart"]("3", Draft()).meaning
    assert f"up to {RESTART.max_configure} times" in VALUES["ipcp-max-configure"]("10", Draft()).meaning
