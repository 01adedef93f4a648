"""What each option of pppd means for a dialer. Corrections say where common advice is wrong."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from holdfast.control.codes import CONTROL_PORT
from holdfast.dialer.machines import RESTART
from holdfast.dialer.reconnect import ReconnectPolicy
from holdfast.dialer.settings import (
    DnsMode,
    DnsSettings,
    KeepaliveSettings,
    LinkSettings,
    RouteMode,
    RouteSettings,
    TunnelSettings,
)
from holdfast.ppp.authentication_types import Method
from holdfast.ppp.config import MppeMode, MppePolicy

SMALLEST, LARGEST = 576, 1500
PPPD_MAXFAIL = 10
PPPD_HOLDOFF = 30


@dataclass(frozen=True, slots=True)
class Understood:
    """What an option was taken to mean: a sentence, and `taken`, `corrected`, `ignored` or `unknown`."""

    meaning: str
    level: str = "taken"


@dataclass(slots=True)
class Draft:
    """What is known so far; the defaults are pppd's where a pppd user relies on them."""

    host: str = ""
    port: int = CONTROL_PORT
    user: str = ""
    name: str = ""
    mppe: MppePolicy = MppePolicy.PREFER
    bits: tuple[int, ...] = (128, 40)
    stateful: bool = False
    refused: frozenset[Method] = frozenset()
    mtu: int = 1400
    mru: int = 1400
    wish: str = ""
    echo_interval: float = 0.0
    echo_failures: int = 3
    adaptive: bool = False
    persist: bool = False
    holdoff: float = PPPD_HOLDOFF
    maxfail: int = PPPD_MAXFAIL
    default_route: bool = False
    use_dns: bool = False
    interface: str = "pptp0"

    def settings(self) -> TunnelSettings:
        """Return the tunnel that the options describe."""
        modes = (MppeMode.STATEFUL, MppeMode.STATELESS) if self.stateful else (MppeMode.STATELESS,)
        keyless = () if self.mppe is MppePolicy.REQUIRE else (Method.CHAP_MD5, Method.PAP)
        methods = (Method.MS_CHAP_V2, Method.MS_CHAP, *keyless)
        return TunnelSettings(
            self.host,
            self.user or self.name,
            port=self.port,
            interface=self.interface,
            link=LinkSettings(
                tuple(method for method in methods if method not in self.refused),
                self.mppe,
                self.bits,
                modes,
                self.mtu,
                self.mru,
                self.wish,
            ),
            keepalive=KeepaliveSettings(self.echo_interval, self.echo_failures, self.adaptive),
            reconnect=ReconnectPolicy(persist=self.persist, maximum=max(1.0, self.holdoff), maximum_tries=self.maxfail),
            routes=RouteSettings(RouteMode.FULL if self.default_route else RouteMode.SPLIT),
            dns=DnsSettings(DnsMode.AUTO if self.use_dns else DnsMode.NONE),
        )


def pptp_command(command: str, draft: Draft) -> Understood:
    """Read `pptp HOST [--nolaunchpppd] [options]` (pptp(8))."""
    try:
        words = shlex.split(command)
    except ValueError:
        return Understood("the command cannot be read: a quote is not closed", "unknown")
    if not words or words[0].rsplit("/", 1)[-1] != "pptp":
        return Understood("this runs another program than pptp: such a tunnel is not PPTP, and is left out", "unknown")
    plain = [word for word in words[1:] if not word.startswith("-")]
    if not plain:
        return Understood("pptp is called without a server", "unknown")
    draft.host = plain[0]
    flags = [word for word in words[1:] if word.startswith("-") and word not in {"--nolaunchpppd", "--nobuffer"}]
    rest = f"; {' '.join(flags)} is left out: the engine of Holdfast needs no such help" if flags else ""
    return Understood(f"the server is {draft.host}{rest}")


def _number(name: str, meaning: str, least: float, most: float) -> Callable[[str, Draft], Understood]:
    def take(text: str, draft: Draft) -> Understood:
        try:
            value = int(text, 0)
        except ValueError:
            return Understood(f"{text!r} is no number; it is left out", "unknown")
        fitting = int(min(max(value, least), most))
        setattr(draft, name, type(getattr(draft, name))(fitting))
        if fitting != value:
            return Understood(f"{meaning.format(fitting)} ({value} is outside {least:g} to {most:g})", "corrected")
        return Understood(meaning.format(value))

    return take


def _holdoff(text: str, draft: Draft) -> Understood:
    taken = _number("holdoff", "", 1, 86400)(text, draft)
    if taken.level == "unknown":
        return taken
    meaning = f"at most {draft.holdoff:g} s between tries; the first is immediate and the pause grows (pppd's is fixed)"
    return Understood(meaning, "corrected")


def _maxfail(text: str, draft: Draft) -> Understood:
    taken = _number("maxfail", "", 0, 1_000_000)(text, draft)
    if taken.level == "unknown":
        return taken
    return Understood(f"gives up after {draft.maxfail} failures in a row" if draft.maxfail else "never gives up")


def _maxconnect(text: str, _draft: Draft) -> Understood:
    meaning = f"{text}: this is how long a session may last in seconds, no limit of retries (that is maxfail); left out"
    return Understood(meaning, "corrected")


def _user(text: str, draft: Draft) -> Understood:
    draft.user = text
    return Understood(f"the user is {text}")


def _name(text: str, draft: Draft) -> Understood:
    draft.name = text
    return Understood(f"the user is {text}, unless a line user says another")


def addresses(text: str, draft: Draft) -> Understood:
    """Take `LOCAL:REMOTE`, either of which may be missing."""
    own = text.partition(":")[0]
    try:
        draft.wish = str(IPv4Address(own)) if own and own != "0.0.0.0" else ""  # noqa: S104 - no binding: "any"
    except ValueError:
        return Understood(f"{own!r} is no IPv4 address; it is left out", "unknown")
    return Understood(f"asks for the address {draft.wish}" if draft.wish else "takes the address that the server gives")


def _ifname(text: str, draft: Draft) -> Understood:
    draft.interface = text[:15]
    return Understood(f"the interface is {draft.interface}")


def _unit(text: str, draft: Draft) -> Understood:
    draft.interface = f"pptp{text}"[:15]
    return Understood(f"the interface is {draft.interface} (pppd would call it ppp{text})", "corrected")


def _left_out(why: str) -> Callable[[str, Draft], Understood]:
    return lambda _text, _draft: Understood(why, "ignored")


def _idle(text: str, _draft: Draft) -> Understood:
    why = "a tunnel that stays up does not end for want of traffic, and with persist pppd would dial again at once"
    return Understood(f"{text}: left out: {why}", "corrected")


_NO_MATTER = "compression and serial options do not matter in a PPTP tunnel"
_NO_IPV6 = "IPv6 is not carried"
_PROTOCOLS = ("lcp", "ipcp", "ccp", "ipv6cp")
_TIMERS = tuple(f"{name}-restart" for name in (*_PROTOCOLS, "pap", "chap"))
_COUNTS = (
    *(f"{name}-max-{what}" for name in _PROTOCOLS for what in ("configure", "terminate", "failure")),
    *("pap-max-authreq", "chap-max-challenge"),
)
_SCRIPTS = ("ip-up-script", "ip-down-script", "ip-pre-up-script", "ipv6-up-script", "ipv6-down-script")
_FILTERS = ("active-filter", "pass-filter")

VALUES: dict[str, Callable[[str, Draft], Understood]] = {
    "user": _user,
    "name": _name,
    "mtu": _number("mtu", "sends packets of at most {} octets", SMALLEST, LARGEST),
    "mru": _number("mru", "takes packets of at most {} octets", SMALLEST, LARGEST),
    "lcp-echo-interval": _number("echo_interval", "LCP echo every {} s", 0, 86400),
    "lcp-echo-failure": _number("echo_failures", "dead after {} unanswered echoes", 1, 100),
    "holdoff": _holdoff,
    "maxfail": _maxfail,
    "maxconnect": _maxconnect,
    "idle": _idle,
    "ipparam": _left_out("hooks of Holdfast get the tunnel's name instead"),
    "linkname": _left_out("the tunnel is called like this file"),
    "remotename": _left_out("names the line of chap-secrets; the password comes from --password-file or the prompt"),
    "plugin": _left_out("plugins of pppd are not loaded"),
    "logfile": _left_out("events go to the tunnel's event log"),
    "logfd": _left_out("events go to the tunnel's event log; messages to descriptor 2 would not replace syslog anyway"),
    "unit": _unit,
    "ifname": _ifname,
    "ms-dns": _left_out("this is for servers: a client takes the name servers that it is given (usepeerdns)"),
    **dict.fromkeys(_TIMERS, _left_out(f"here requests are repeated after {RESTART.restart_timer:g} s")),
    **dict.fromkeys(_COUNTS, _left_out(f"here requests are repeated up to {RESTART.max_configure} times")),
    **dict.fromkeys(_SCRIPTS, _left_out("executables that are told of up, down and change are the key hooks")),
    **dict.fromkeys(_FILTERS, _left_out("packets are filtered by this host's firewall")),
    "defaultroute-metric": _left_out("the default route stays as it is: the tunnel's two halves win over it"),
    "connect-delay": _left_out(_NO_MATTER),
    "domain": _left_out("the user is called as user or name says; DOMAIN\\USER where the server wants it so"),
    "ipv6": _left_out(_NO_IPV6),
    "password": _left_out("a password does not belong into a file that others read: use --password-file"),
    "asyncmap": _left_out(_NO_MATTER),
    "bsdcomp": _left_out(_NO_MATTER),
    "deflate": _left_out(_NO_MATTER),
    "connect": _left_out("there is no modem to dial"),
    "disconnect": _left_out("there is no modem to hang up"),
}


def _set(meaning: str, level: str = "taken", **values: object) -> Callable[[Draft], Understood]:
    def take(draft: Draft) -> Understood:
        for name, value in values.items():
            setattr(draft, name, value)
        return Understood(meaning, level)

    return take


def _refuse(method: Method) -> Callable[[Draft], Understood]:
    def take(draft: Draft) -> Understood:
        draft.refused |= {method}
        return Understood(f"never proves itself by {method.value}")

    return take


def _require_method(method: Method) -> Callable[[Draft], Understood]:
    why = f"asks the server to prove itself by {method.value}; no PPTP server does, so this is left out"
    return lambda _draft: Understood(why, "corrected")


def _strength(*bits: int) -> Callable[[Draft], Understood]:
    return _set(f"encryption (MPPE, {' or '.join(map(str, bits))} bit) is required", mppe=MppePolicy.REQUIRE, bits=bits)


_OLD_MPPE = "the words of an old patched pppd, unknown to today's: taken as require-mppe-128"
_IRRELEVANT = (
    *("nobsdcomp", "nodeflate", "novj", "novjccomp", "noaccomp", "nopcomp", "noccp", "nopredictor1", "xonxoff"),
    *("crtscts", "nocrtscts", "local", "modem", "default-asyncmap", "passive", "silent", "receive-all", "sync"),
    *("proxyarp", "noproxyarp", "ktune", "nodefaultroute6", "nolog", "nologfd", "multilink", "nomultilink", "nomp"),
)

SWITCHES: dict[str, Callable[[Draft], Understood]] = {
    "persist": _set("dials again whenever the tunnel is lost", persist=True),
    "nopersist": _set("dials once", persist=False),
    "demand": _set("dials at once and stays up like persist; it waits for no traffic", "corrected", persist=True),
    "defaultroute": _set("everything goes through the tunnel", default_route=True),
    "replacedefaultroute": _set("everything goes through the tunnel; the default route stays", default_route=True),
    "nodefaultroute": _set("not everything goes through the tunnel", default_route=False),
    "usepeerdns": _set("uses the name servers that the server gives", use_dns=True),
    "require-mppe": _set("encryption (MPPE) is required", mppe=MppePolicy.REQUIRE, bits=(128, 40)),
    "require-mppe-128": _strength(128),
    "require-mppe-40": _strength(40),
    "require-mppe-56": _strength(56),
    "mppe-stateful": _set("keys may change every 256 packets only", stateful=True),
    "nomppe-stateful": _set("a new key for each packet", stateful=False),
    "nomppe": _set("no encryption: everything in the tunnel can be read on the way", mppe=MppePolicy.OFF),
    "mppe required": _set(_OLD_MPPE, "corrected", mppe=MppePolicy.REQUIRE, bits=(128,)),
    "refuse-pap": _refuse(Method.PAP),
    "refuse-chap": _refuse(Method.CHAP_MD5),
    "refuse-mschap": _refuse(Method.MS_CHAP),
    "refuse-mschap-v2": _refuse(Method.MS_CHAP_V2),
    "refuse-eap": _set("EAP is refused in any case"),
    "require-mschap-v2": _require_method(Method.MS_CHAP_V2),
    "require-mschap": _require_method(Method.MS_CHAP),
    "require-chap": _require_method(Method.CHAP_MD5),
    "require-pap": _require_method(Method.PAP),
    "lcp-echo-adaptive": _set("no LCP echo while packets arrive", adaptive=True),
    "noauth": _set("the server need not prove itself (normal for a client; on a server it lets everybody in)"),
    "auth": _set("the server would have to prove itself; no PPTP server does, so this is left out", "corrected"),
    "noipdefault": _set("takes the address that the server gives", wish=""),
    "ipcp-accept-local": _set("takes the address that the server gives"),
    "ipcp-accept-remote": _set("takes the server's own inner address"),
    "lock": _set("there is no serial line to lock", "ignored"),
    "nodetach": _set("runs in the foreground in any case"),
    "updetach": _set("runs in the foreground: let systemd put it behind (holdfast-dial@.service)", "corrected"),
    "detach": _set("runs in the foreground: let systemd put it behind (holdfast-dial@.service)", "corrected"),
    "debug": _set("the event log has the phases of every try", "ignored"),
    "dump": _set("this list is the dump", "ignored"),
    "logfd": _set("events go to the tunnel's event log", "ignored"),
    "hide-password": _set("passwords are never written anywhere"),
    "noipv6": _set("IPv6 is not carried in any case"),
    "+ipv6": _set(_NO_IPV6, "corrected"),
    "defaultroute6": _set(_NO_IPV6, "corrected"),
    **dict.fromkeys(_IRRELEVANT, _set(_NO_MATTER, "ignored")),
}
