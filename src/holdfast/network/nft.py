"""nftables through `nft -j`: one table of our own, made whole and removed whole.

Statements are plain data in the JSON schema of libnftables (libnftables-json(5)); the helpers below build the
few that Holdfast needs, so that no plan writes JSON by hand.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from holdfast.errors import HostError
from holdfast.network.refusal import RIGHTS_FIX

Statement = dict[str, Any]
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
SEARCH_PATH = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"
TIMEOUT = 10.0


class Nft:
    """The `nft` command."""

    @staticmethod
    def installed() -> bool:
        """Whether this host has it."""
        return shutil.which("nft", path=SEARCH_PATH) is not None

    def run(self, commands: Iterable[Statement]) -> None:
        """Execute commands as one transaction: all or nothing. HostError when nft refuses."""
        self._call(["-j", "-f", "-"], json.dumps({"nftables": list(commands)}))

    def ruleset(self) -> list[Statement]:
        """Return the whole ruleset as nft lists it."""
        listed: list[Statement] = json.loads(self._call(["-j", "list", "ruleset"]))["nftables"]
        return listed

    def set_elements(self, family: str, table: str, name: str) -> list[str]:
        """Return the plain elements of a named set, as text."""
        listed = json.loads(self._call(["-j", "list", "set", family, table, name]))["nftables"]
        sets = [entry["set"] for entry in listed if "set" in entry]
        return [element for found in sets for element in found.get("elem", []) if isinstance(element, str)]

    def _call(self, arguments: list[str], text: str = "") -> str:
        command = shutil.which("nft", path=SEARCH_PATH)
        if command is None:
            fix = "install it (Debian: apt install nftables) or switch off what needs it (nat = false)"
            raise HostError("the nft command is missing", where="firewall", fix=fix)
        try:
            done = subprocess.run(  # noqa: S603  # fixed command, data on stdin
                [command, *arguments], input=text, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise HostError(f"nft gave no answer in {TIMEOUT:.0f} s", where="firewall") from error
        if done.returncode:
            raise _refusal(done.stderr)
        return done.stdout


def _refusal(stderr: str) -> HostError:
    first = next((line for line in stderr.splitlines() if line.strip()), "nft failed without a word")
    refused = "not permitted" in stderr or "must be root" in stderr
    return HostError(f"nft refuses: {first}", where="firewall", fix=RIGHTS_FIX if refused else "")


def table(family: str, name: str) -> Statement:
    """Return the command that makes a table; it fails where the table exists."""
    return {"create": {"table": {"family": family, "name": name}}}


def base_chain(family: str, name: str, chain: str, *, kind: str, hook: str, priority: int, policy: str) -> Statement:
    """Return the command that makes a chain at a hook."""
    body = {"family": family, "table": name, "name": chain, "type": kind, "hook": hook, "prio": priority}
    return {"add": {"chain": {**body, "policy": policy}}}


def chain(family: str, name: str, chain: str) -> Statement:
    """Return the command that makes a chain that others jump to."""
    return {"add": {"chain": {"family": family, "table": name, "name": chain}}}


def address_elements(family: str, name: str, elements: str) -> Statement:
    """Return the command that makes a named set of IPv4 networks, empty."""
    kind = {"family": family, "table": name, "name": elements, "type": "ipv4_addr", "flags": ["interval"]}
    return {"add": {"set": kind}}


def element(word: str, family: str, name: str, elements: str, network: str) -> Statement:
    """Return the command that does `word` (add, delete) with a member of a named set: an address or a network."""
    address, _, length = network.partition("/")
    member = {"prefix": {"addr": address, "len": int(length)}} if length else address
    return {word: {"element": {"family": family, "table": name, "name": elements, "elem": [member]}}}


def rule(family: str, name: str, chain: str, expressions: Sequence[Statement]) -> Statement:
    """Return the command that appends a rule."""
    return {"add": {"rule": {"family": family, "table": name, "chain": chain, "expr": list(expressions)}}}


def match(left: Statement, right: object, *, negate: bool = False) -> Statement:
    """Return a comparison."""
    return {"match": {"op": "!=" if negate else "==", "left": left, "right": right}}


def meta(key: str) -> Statement:
    """Return a property of the packet, such as `oifname`."""
    return {"meta": {"key": key}}


def payload(protocol: str, field: str) -> Statement:
    """Return a header field."""
    return {"payload": {"protocol": protocol, "field": field}}


def counter() -> Statement:
    """Return a count of packets and octets."""
    return {"counter": None}


def verdict(word: str) -> Statement:
    """Return a bare statement such as `accept`, `drop` or `masquerade`."""
    return {word: None}


def address_set(networks: Iterable[Network]) -> Statement:
    """Return an anonymous set of networks."""
    return {"set": [{"prefix": {"addr": str(n.network_address), "len": n.prefixlen}} for n in networks]}
