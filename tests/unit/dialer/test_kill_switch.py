"""The table that lets nothing out beside the tunnel."""

from ipaddress import IPv4Address, IPv4Network

from holdfast.dialer.kill_switch import allow_servers, plan, table_name

SERVER = IPv4Address("198.51.100.5")


def test_everything_is_dropped_by_policy() -> None:
    change = plan("office", "pptp0", [SERVER], 1723)
    assert str(change) == "table inet holdfast-office"
    chains = [entry["add"]["chain"] for entry in change.statements if "chain" in entry.get("add", {})]
    assert {(chain["hook"], chain["policy"]) for chain in chains} == {("output", "drop"), ("forward", "drop")}


def test_networks_beside_it_only_when_named() -> None:
    def rules(*networks: IPv4Network) -> int:
        made = plan("office", "pptp0", [SERVER], 1723, networks)
        return sum("rule" in entry.get("add", {}) for entry in made.statements)

    assert rules(IPv4Network("192.168.0.0/16")) == rules() + 2


def test_servers_are_added_to_the_set() -> None:
    (command,) = allow_servers("office", [SERVER])
    element = command["add"]["element"]
    assert (element["table"], element["name"], element["elem"]) == (table_name("office"), "servers", ["198.51.100.5"])
    assert allow_servers("office", []) == []
