"""pppd's peers files, as tunnels."""

from pathlib import Path

import pytest

from holdfast.dialer.peers_file import Level, PeersFile, load
from holdfast.dialer.settings import DnsMode, RouteMode
from holdfast.errors import ConfigError
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy

PEER = """
# written by pptpsetup
pty "pptp vpn.example --nolaunchpppd --loglevel 0"
lock
noauth
nobsdcomp
nodeflate
name CORP\\\\\\\\alice
remotename office
file /etc/ppp/options.pptp
ipparam office
persist
holdoff 5
maxfail 0
mtu 1400
usepeerdns
defaultroute
"""
OPTIONS = """
refuse-eap refuse-chap
lcp-echo-interval 20   # seconds
lcp-echo-failure 4
require-mppe-128
"""


def read(text: str, **files: str) -> PeersFile:
    known = {"/etc/ppp/peers/office": text, "/etc/ppp/options.pptp": OPTIONS, **{f"/{k}": v for k, v in files.items()}}

    def reader(path: Path) -> str:
        try:
            return known[str(path)]
        except KeyError:
            raise ConfigError("cannot be read", where=str(path)) from None

    return load(Path("/etc/ppp/peers/office"), reader)


def minimal(*lines: str) -> PeersFile:
    return read("\n".join(['pty "pptp vpn.example --nolaunchpppd"', "name alice", *lines]))


def test_a_file_as_pptpsetup_writes_it() -> None:
    settings = read(PEER).settings
    assert (settings.host, settings.user, settings.name) == ("vpn.example", r"CORP\\alice", "office")
    assert settings.reconnect.persist
    assert (settings.reconnect.maximum, settings.reconnect.maximum_tries) == (5.0, 0)
    assert (settings.keepalive.echo_interval, settings.keepalive.echo_failures) == (20, 4)
    assert (settings.link.mppe, settings.link.mppe_bits) == (MppePolicy.REQUIRE, (128,))
    assert settings.link.authentication == (Method.MS_CHAP_V2, Method.MS_CHAP)
    assert settings.routes.mode is RouteMode.FULL
    assert settings.dns.mode is DnsMode.AUTO
    assert settings.link.mtu == 1400


def test_each_line_says_how_it_was_understood() -> None:
    notes = {note.written: note for note in read(PEER).notes}
    assert notes['pty "pptp vpn.example --nolaunchpppd --loglevel 0"'].place == "/etc/ppp/peers/office:3"
    assert "--loglevel" in notes['pty "pptp vpn.example --nolaunchpppd --loglevel 0"'].meaning
    assert notes["lcp-echo-interval 20"].place == "/etc/ppp/options.pptp:3"
    assert notes["lock"].level is Level.IGNORED
    assert notes["holdoff 5"].level is Level.CORRECTED
    assert "fixed" in notes["holdoff 5"].meaning
    assert "everybody in" in notes["noauth"].meaning
    assert all(note.meaning for note in notes.values())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mppe required", "require-mppe-128"),
        ("maxconnect 60", "maxfail"),
        ("logfd 2", "syslog"),
        ("idle 600", "dial again at once"),
        ("require-mschap-v2", "no PPTP server does"),
        ("auth", "no PPTP server does"),
        ("updetach", "foreground"),
    ],
)
def test_common_mistakes_are_corrected(line: str, words: str) -> None:
    note = minimal(line).notes[-1]
    assert words in note.meaning
    assert note.written == line


def test_the_old_words_for_mppe_mean_encryption() -> None:
    assert minimal("mppe required,stateless").settings.link.mppe is MppePolicy.REQUIRE


def test_what_nobody_knows_is_said() -> None:
    (note,) = [note for note in minimal("frobnicate").notes if note.written == "frobnicate"]
    assert note.level is Level.UNKNOWN


def test_without_options_it_is_what_pppd_does() -> None:
    settings = minimal().settings
    assert not settings.reconnect.persist
    assert settings.link.mppe is MppePolicy.PREFER
    assert settings.dns.mode is DnsMode.NONE
    assert settings.routes.mode is RouteMode.SPLIT
    assert settings.keepalive.echo_interval == 0
    assert Method.PAP in settings.link.authentication


@pytest.mark.parametrize(
    ("line", "size", "level"),
    [("mtu 1450", 1450, Level.TAKEN), ("mtu 9000", 1500, Level.CORRECTED), ("mtu 10", 576, Level.CORRECTED)],
)
def test_sizes_stay_in_bounds(line: str, size: int, level: Level) -> None:
    made = minimal(line)
    assert made.settings.link.mtu == size
    assert made.notes[-1].level is level


def test_addresses_strength_and_interface() -> None:
    settings = minimal("10.0.0.9:", "require-mppe-40", "mppe-stateful", "unit 4").settings
    assert settings.link.wish == "10.0.0.9"
    assert settings.link.mppe_bits == (40,)
    assert settings.link.mppe_modes[0] is MppeMode.STATEFUL
    assert settings.interface == "pptp4"
    assert minimal(":10.0.0.1").settings.link.wish == ""
    assert minimal("0.0.0.0:").settings.link.wish == ""


def test_user_wins_over_name() -> None:
    assert minimal("user bob").settings.user == "bob"
    assert read('pty "pptp h"\nuser bob\nname carol').settings.user == "bob"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name alice", "names no PPTP server"),
        ('pty "pptp vpn.example"', "names no user"),
        ('pty "ssh host"\nname a', "names no PPTP server"),
        ('pty "pptp', "quote is not closed"),
        ("name a\nmtu", "needs a value"),
        ("call office", "deep"),
        ("file missing", "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none")
    (tmp_path / "huge").write_bytes(b"#" * 300_000)
    with pytest.raises(ConfigError, match="no options file"):
        load(tmp_path / "huge")


def test_a_call_is_followed_beside_the_file() -> None:
    assert read("call base\nname alice", **{"etc/ppp/peers/base": 'pty "pptp h.example"'}).settings.host == "h.example"
