"""The rules of iptables as those of nftables: what `iptables-save` prints, in the JSON of libnftables.

Only what a packet's way depends on is translated; every other match becomes `xt`, which holds perhaps. The line itself
stays in the rule (`text`), so that people find it again.
"""

import shlex
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from holdfast.network import nft
from holdfast.network.nft import Statement

HOOKS = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
PRIORITIES = {"raw": -300, "mangle": -150, "nat": 0, "filter": 0, "security": 50}
VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return", "MASQUERADE": "masquerade"}
VERDICTS |= {"SNAT": "snat", "DNAT": "dnat"}
SILENT = frozenset(
    {
        "-m",
        "--match",
        "--comment",
        "-c",
        "--reject-with",
        "--to-source",
        "--to-destination",
        "--random",
        "--random-fully",
    }
)
"""Options that decide nothing."""


def statements(text: str) -> list[Statement]:
    """Return the chains and rules that `iptables-save` printed. What is no line of it is left out."""
    found: list[Statement] = []
    table, chains = "", set[str]()
    for line in text.splitlines():
        if line.startswith("*"):
            table, chains = line[1:].strip(), set()
        elif line[:1] == ":" and line[1:].strip() and table:
            chain = _chain(table, line[1:].split())
            chains.add(chain["name"])
            found.append({"chain": chain})
        elif line.startswith("-A ") and table:
            found.append({"rule": _rule(table, line, chains)})
    return found


def _chain(table: str, words: list[str]) -> Statement:
    name, policy = words[0], words[1] if len(words) > 1 else "-"
    chain: Statement = {"family": "ip", "table": table, "name": name}
    if name in HOOKS and policy != "-":
        kind = "nat" if table == "nat" else "filter"
        chain |= {"type": kind, "hook": HOOKS[name], "prio": PRIORITIES.get(table, 0), "policy": policy.lower()}
    return chain


def _rule(table: str, line: str, chains: set[str]) -> Statement:
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    own = words[1] if len(words) > 1 else ""
    return {
        "family": "ip",
        "table": table,
        "chain": own,
        "expr": list(_expressions(words[2:], chains)),
        "text": line.removeprefix(f"-A {own} "),
    }


def _options(words: list[str]) -> Iterator[tuple[str, str, bool]]:
    """Yield each option with what follows it, and whether it is negated."""
    starts = [at for at, word in enumerate(words) if word.startswith("-")]
    for at, after in pairwise([*starts, len(words)]):
        values = [word for word in words[at + 1 : after] if word != "!"]
        yield words[at], " ".join(values), words[at - 1] == "!" if at else False


def _expressions(words: list[str], chains: set[str]) -> Iterator[Statement]:
    target = ""
    for option, value, negate in _options(words):
        if option in ("-j", "--jump", "-g", "--goto"):
            target = value
        elif option == "--helper":
            yield {"ct helper": value}
        elif option not in SILENT:
            yield _match(option, value, negate=negate)
    if target in VERDICTS:
        yield nft.verdict(VERDICTS[target])
    elif target:
        # TCPMSS, CT, LOG, MARK say nothing about the packet's way; their name is what is looked for.
        yield {"jump": {"target": target}} if target in chains else {target: None}


def _match(word: str, value: str, *, negate: bool) -> Statement:
    make = _MATCHES.get(word)
    if make is None:
        return {"xt": {"type": "match", "name": f"{word} {value}".strip()}}
    left, right = make(value)
    return nft.match(left, right, negate=negate)


def _interface(key: str) -> Callable[[str], tuple[Any, Any]]:
    return lambda value: (nft.meta(key), value.replace("+", "*"))


def _address(name: str) -> Callable[[str], tuple[Any, Any]]:
    def make(value: str) -> tuple[Any, Any]:
        address, _, width = value.partition("/")
        prefix = {"prefix": {"addr": address, "len": int(width)}} if width.isdigit() else value
        return nft.payload("ip", name), prefix

    return make


def _ports(value: str) -> tuple[Any, Any]:
    members: list[Any] = []
    for part in value.split(","):
        low, colon, high = part.partition(":")
        members.append({"range": [int(low or 0), int(high or 65535)]} if colon and (low + high).isdigit() else low)
    return nft.payload("th", "dport"), members


_MATCHES: dict[str, Callable[[str], tuple[Any, Any]]] = {
    "-i": _interface("iifname"),
    "-o": _interface("oifname"),
    "-s": _address("saddr"),
    "-d": _address("daddr"),
    "-p": lambda value: (nft.meta("l4proto"), value),
    "--dport": _ports,
    "--dports": _ports,
    "--ctstate": lambda value: ({"ct": {"key": "state"}}, [word.lower() for word in value.split(",")]),
    "--state": lambda value: ({"ct": {"key": "state"}}, [word.lower() for word in value.split(",")]),
}
