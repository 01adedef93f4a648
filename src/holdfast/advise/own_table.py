"""Whether the firewall table of a gateway that runs here stands: a reload of the firewall takes it along. Pure."""

from collections.abc import Iterator

from holdfast.advise.check import Check, fault, ok, unknown
from holdfast.advise.facts import HostFacts

TABLE = ("inet", "holdfast")
NAME = "firewall-own"


def own_table(facts: HostFacts) -> Iterator[Check]:
    """Holdfast's own nftables table, where its configuration wants one and it runs."""
    runs = any(listener.program == "holdfast" for listener in facts.listeners)
    if not runs or "table" not in facts.daemon.sees_to:
        return
    tables = [entry["table"] for entry in facts.firewall.ruleset if "table" in entry]
    named = " ".join(TABLE)
    if any((table.get("family"), table.get("name")) == TABLE for table in tables):
        yield ok(NAME, "The nftables table of the running gateway stands.", f"table {named}")
    elif facts.firewall.trouble:
        yield unknown(NAME, "Whether the running gateway's nftables table stands is not known.", facts.firewall.trouble)
    else:
        yield fault(
            NAME,
            "The nftables table of the running gateway is gone: no NAT, and no filters of clients.",
            f"there is no table {named}; a gateway that can puts it back within moments and tells FIREWALL_LOST",
            "holdfast events --event FIREWALL_LOST",
            "systemctl restart holdfast",
        )
