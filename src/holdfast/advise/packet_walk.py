"""What the firewall would do with a packet: its rules walked in order, for a packet of which some things are known.

The rules are those of `nft -j list ruleset` (libnftables-json(5)). A match that depends on what is not known of the
packet, or that is not understood here, holds perhaps; a rule that perhaps holds decides nothing, but is remembered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from holdfast.network.nft import Statement

JUMPS = 16
"""Chains inside chains (NFT_JUMP_STACK_SIZE of Linux)."""
FAMILIES = frozenset({"ip", "inet"})
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50}


class Holds(Enum):
    """Whether a match holds."""

    YES = 1
    PERHAPS = 0
    NO = -1

    def negated(self) -> "Holds":
        """Return the opposite."""
        return Holds(-self.value)

    @classmethod
    def of(cls, known: bool | None) -> "Holds":  # the value itself
        """Return YES, NO, or PERHAPS for None."""
        return cls.PERHAPS if known is None else cls.YES if known else cls.NO


@dataclass(frozen=True, slots=True)
class Packet:
    """What is known of a packet; None or empty: anything. `state` is connection tracking's word."""

    protocol: str
    port: int | None = None
    source: IPv4Address | None = None
    destination: IPv4Address | None = None
    iif: str = ""
    oif: str = ""
    state: str = "new"
    local: bool = False
    """Whether it is for this host itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a packet: `verdict` (`accept`, `drop`, `reject`, `masquerade`, `snat`) and the rule that says so.

    `perhaps` are rules before it that would have decided otherwise, if they hold.
    """

    verdict: str
    rule: str = ""
    perhaps: tuple[str, ...] = ()

    @property
    def dropped(self) -> bool:
        """Whether the packet goes no further."""
        return self.verdict in DROPPING

    @property
    def translated(self) -> bool:
        """Whether it gets another source address."""
        return self.verdict in TRANSLATING


DROPPING = frozenset({"drop", "reject"})
TRANSLATING = frozenset({"masquerade", "snat"})
Found = tuple[str, str]
"""A verdict, and the rule as text."""


def walk(ruleset: Sequence[Statement], hooks: Sequence[str], packet: Packet, kind: str = "filter") -> Outcome:
    """Send a packet through every base chain of a type (`filter`, `nat`) at some hooks, in the order of priorities.

    An accept ends its chain and not what the next one says; the first drop or translation is the outcome.
    """
    walker = _Walker(ruleset, packet)
    outcome = ("accept", "")
    for chain in [chain for hook in hooks for chain in _base_chains(ruleset, hook, kind)]:
        outcome = walker.through(chain)
        if outcome[0] in DROPPING | TRANSLATING:
            break
    return Outcome(*outcome, tuple(rule for verdict, rule in walker.perhaps if verdict != outcome[0]))


def rules_with(ruleset: Sequence[Statement], word: str, hook: str = "") -> list[str]:
    """Return the rules that have an expression anywhere (`ct helper`: {"ct": {"key": "helper"}}), as text."""
    places = {(one["family"], one["table"], one["name"]) for one in _chains(ruleset) if hook in ("", one.get("hook"))}
    return [
        _named(rule)
        for rule in _rules(ruleset)
        if _mentions(rule["expr"], word) and (not hook or (rule["family"], rule["table"], rule["chain"]) in places)
    ]


def _mentions(value: Any, word: str) -> bool:
    if isinstance(value, dict):
        return any(key == word or _mentions(inner, word) for key, inner in value.items())
    if isinstance(value, list):
        return any(_mentions(inner, word) for inner in value)
    return bool(value == word)


def _chains(ruleset: Sequence[Statement]) -> list[Statement]:
    return [entry["chain"] for entry in ruleset if "chain" in entry]


def _rules(ruleset: Sequence[Statement]) -> list[Statement]:
    return [entry["rule"] for entry in ruleset if "rule" in entry]


def _base_chains(ruleset: Sequence[Statement], hook: str, kind: str) -> list[Statement]:
    found = [
        chain
        for chain in _chains(ruleset)
        if chain.get("hook") == hook and chain.get("type") == kind and chain["family"] in FAMILIES
    ]
    return sorted(found, key=lambda chain: chain.get("prio", 0))


def _named(rule: Statement) -> str:
    """Write a rule as far as people need it to find the line."""
    handle = f" handle {rule['handle']}" if "handle" in rule else ""
    words = rule.get("text") or " ".join(_words(rule["expr"]))
    return f"{rule['family']} {rule['table']} {rule['chain']}{handle}: {words}"


def _words(expressions: Sequence[Statement]) -> Iterator[str]:
    for expression in expressions:
        for key, body in expression.items():
            if key == "match":
                op = "" if body["op"] in {"==", "in"} else f"{body['op']} "
                yield f"{_left(body['left'])} {op}{_right(body['right'])}"
            elif key in ("jump", "goto"):
                yield f"{key} {body['target']}"
            elif key not in ("counter", "log"):
                yield key


def _left(left: Any) -> str:
    if not isinstance(left, dict):
        return str(left)
    (kind, body), *_ = left.items()
    if kind == "payload":
        return f"{body.get('protocol', '')} {body.get('field', '')}".strip()
    return f"{kind} {body['key']}" if isinstance(body, dict) and "key" in body else kind


def _right(right: Any) -> str:
    if isinstance(right, list):
        return "{ " + ", ".join(map(_right, right)) + " }"
    if isinstance(right, dict):
        if "set" in right:
            return _right(right["set"])
        if "prefix" in right:
            return f"{right['prefix']['addr']}/{right['prefix']['len']}"
        if "range" in right:
            return "-".join(map(str, right["range"]))
    return str(right)


@dataclass
class _Walker:
    ruleset: Sequence[Statement]
    packet: Packet
    perhaps: list[Found] = field(default_factory=list)

    def through(self, base: Statement) -> Found:
        """Return verdict and rule of a base chain, its policy included."""
        found = self._chain((base["family"], base["table"]), base["name"], 0)
        policy = base.get("policy", "accept")
        return found or (policy, f"{base['family']} {base['table']} {base['name']}: policy {policy}")

    def _chain(self, place: Found, name: str, depth: int) -> Found | None:
        if depth > JUMPS:
            return None
        for rule in _rules(self.ruleset):
            if (rule["family"], rule["table"], rule["chain"]) == (*place, name):
                found = self._rule(place, rule, depth)
                if found is not None:
                    return None if found[0] == "return" else found
        return None

    def _rule(self, place: Found, rule: Statement, depth: int) -> Found | None:
        sure = Holds.YES
        for expression in rule["expr"]:
            (kind, body), *_ = expression.items()
            sure = min(sure, self._matches(place, kind, body), key=lambda one: one.value)
            if sure is Holds.NO:
                return None
            found = self._verdict(place, rule, kind, body, depth)
            if found is None:
                continue
            if sure is Holds.YES:
                return found
            if found[0] != "return":
                self.perhaps.append(found)
        return None

    def _verdict(self, place: Found, rule: Statement, kind: str, body: Any, depth: int) -> Found | None:
        if kind == "xt":
            kind = str(body.get("name", "")).lower()
        if kind in {"accept", "return"} | DROPPING | TRANSLATING:
            return kind, _named(rule)
        if kind == "jump":
            return self._chain(place, body["target"], depth + 1)
        if kind == "goto":
            return self._chain(place, body["target"], depth + 1) or ("return", _named(rule))
        return self._mapped(place, rule, body, depth) if kind == "vmap" else None

    def _mapped(self, place: Found, rule: Statement, body: Any, depth: int) -> Found | None:
        members = body["data"].get("set", []) if isinstance(body["data"], dict) else []
        for member in members:
            if isinstance(member, list) and self._equal(place, body["key"], member[0]) is Holds.YES:
                (kind, inner), *_ = member[1].items()
                return self._verdict(place, rule, kind, inner, depth)
        return None

    # --- matches -------------------------------------------------------------------------------------------------

    def _matches(self, place: Found, kind: str, body: Any) -> Holds:
        if kind == "match":
            holds = self._equal(place, body["left"], body["right"], body["op"])
            return holds.negated() if body["op"] == "!=" else holds
        if kind == "xt":
            # An extension of iptables whose settings nft does not show; a comment is none.
            return Holds.of(True if body.get("type") == "target" or body.get("name") == "comment" else None)
        # A limit lets some through.
        return Holds.PERHAPS if kind in {"limit", "ct count", "socket", "quota"} else Holds.YES

    def _equal(self, place: Found, left: Any, right: Any, op: str = "==") -> Holds:
        known = self._known(left)
        if known is None or op not in {"==", "!=", "in"}:
            return Holds.PERHAPS
        if known is False:
            # The packet has no such field: neither equal nor different holds.
            return Holds.NO if op != "!=" else Holds.YES
        return self._among(place, known, right)

    def _known(self, left: Any) -> object:
        """Return the packet's value of an expression; None: not known; False: it has no such field."""
        if not isinstance(left, dict):
            return None
        (kind, body), *_ = left.items()
        if kind == "meta":
            return self._meta(body["key"])
        if kind == "payload":
            return self._field(body.get("protocol", ""), body.get("field", ""))
        if kind == "ct" and body.get("key") == "state":
            return self.packet.state
        if kind == "fib" and body.get("result") == "type" and self.packet.local:
            return "local"
        return None

    def _meta(self, key: str) -> object:
        packet = self.packet
        return {
            "iifname": packet.iif or None,
            "iif": packet.iif or None,
            "oifname": packet.oif or None,
            "oif": packet.oif or None,
            "l4proto": packet.protocol,
            "nfproto": "ipv4",
            "protocol": "ip",
            "iiftype": None,
        }.get(key)

    def _field(self, protocol: str, name: str) -> object:
        packet = self.packet
        if protocol == "ip":
            return {"protocol": packet.protocol, "saddr": packet.source, "daddr": packet.destination}.get(name)
        if protocol in {packet.protocol, "th"} and name == "dport":
            return packet.port if packet.port is not None else None if packet.protocol in {"tcp", "udp"} else False
        return None if protocol in {packet.protocol, "th"} else False

    def _among(self, place: Found, known: object, right: Any) -> Holds:
        if isinstance(right, dict) and "set" in right:
            right = right["set"]
        if isinstance(right, str) and right.startswith("@"):
            right = self._set(place, right[1:])
        members = right if isinstance(right, list) else [right]
        answers = [_one(known, member) for member in members]
        return Holds.of(True if True in answers else None if None in answers else False)

    def _set(self, place: Found, name: str) -> list[Any]:
        """Return the members of a named set; one that is not listed may hold anything."""
        for entry in self.ruleset:
            one = entry.get("set")
            if one and (one["family"], one["table"], one["name"]) == (*place, name):
                members: list[Any] = one.get("elem", [])
                return members
        return [None]


def _one(known: object, member: Any) -> bool | None:
    """Whether one member of a set is the value; None where that cannot be told."""
    if isinstance(member, dict):
        return _structured(known, member)
    if member is None:
        return None
    if isinstance(known, IPv4Address):
        return _inside(known, str(member))
    text = str(known)
    if isinstance(member, str) and "*" in member:
        return fnmatchcase(text, member)
    return str(member) in {text, str(PROTOCOLS.get(text, text))}


def _structured(known: object, member: dict[str, Any]) -> bool | None:
    if "elem" in member:
        return _one(known, member["elem"].get("val"))
    if "prefix" in member:
        prefix = member["prefix"]
        return _inside(known, f"{prefix['addr']}/{prefix['len']}")
    if "range" in member:
        low, high = member["range"]
        if isinstance(known, IPv4Address):
            return _between(known, str(low), str(high))
        return low <= known <= high if isinstance(known, int) and isinstance(low, int) else None
    return None


def _inside(known: object, network: str) -> bool | None:
    try:
        return known in IPv4Network(network, strict=False)
    except ValueError:
        return None


def _between(known: IPv4Address, low: str, high: str) -> bool | None:
    try:
        return IPv4Address(low) <= known <= IPv4Address(high)
    except ValueError:
        return None
