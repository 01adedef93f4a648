"""What somebody took out of our firewall tables is seen, and stands again in one step."""

from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from holdfast.errors import HostError
from holdfast.network import nft
from holdfast.network.changes import AddTable
from holdfast.network.filters import FilterRule
from holdfast.network.gateway import GatewayNetwork
from holdfast.network.kernel import Kernel
from holdfast.network.tables import Tables
from support.fake_firewall import FakeFirewall

POOL = ((IPv4Address("10.77.0.1"), IPv4Address("10.77.0.9")),)
PLAN = GatewayNetwork("tun0", (), POOL, filters={"pings": [FilterRule.parse("allow any icmp")], "none": []})
TABLE = next(change for change in PLAN.changes() if isinstance(change, AddTable))
KEY = ("inet", "holdfast")


@pytest.fixture
def firewall() -> FakeFirewall:
    return FakeFirewall()


@pytest.fixture
def tables(firewall: FakeFirewall) -> Tables:
    """Two sessions are under filters, one has a network behind it."""
    made = Tables(Kernel(nft=firewall, nf_tables=firewall))
    firewall.run(TABLE.statements)
    made.made(TABLE)
    made.run(PLAN.refilter(["10.77.0.2", "192.168.5.0/24"], "", "pings"))
    made.run(PLAN.refilter(["10.77.0.3"], "", "none"))
    assert made.look() == []
    return made


def members(firewall: FakeFirewall, name: str) -> set[str]:
    return {str(IPv4Address(first)) for first in firewall.tables[KEY].members[name]}


def test_after_a_flush_all_of_it_stands_again_in_one_step(firewall: FakeFirewall, tables: Tables) -> None:
    firewall.flush()
    before = firewall.transactions
    (lost,) = tables.look()
    assert (lost.table, lost.what, lost.refusal) == (TABLE, "the whole table", "")
    assert lost.open_seconds >= 0
    assert lost.generations == (before, before + 1)
    assert firewall.transactions == before + 1
    assert members(firewall, "filter1") == {"10.77.0.2", "192.168.5.0"}
    assert members(firewall, "filter0") == {"10.77.0.3"}
    assert len(firewall.tables[KEY].rules) == sum("rule" in body for one in TABLE.statements for body in one.values())
    assert tables.look() == []


def emptied(firewall: FakeFirewall) -> None:
    firewall.tables[KEY].members["filter1"].clear()


def without_a_rule(firewall: FakeFirewall) -> None:
    del firewall.tables[KEY].rules[0]


def replaced(firewall: FakeFirewall) -> None:
    rules = firewall.tables[KEY].rules
    rules[0] = (rules[0][0], 999)


def renamed(firewall: FakeFirewall) -> None:
    chains = firewall.tables[KEY].chains
    chains["x"] = chains.pop("postrouting")


def with_another_policy(firewall: FakeFirewall) -> None:
    chains = firewall.tables[KEY].chains
    chains["forward"] = (chains["forward"][0], "drop")


def switched_off(firewall: FakeFirewall) -> None:
    firewall.tables[KEY].dormant = True


def without_a_set(firewall: FakeFirewall) -> None:
    del firewall.tables[KEY].sets["filter0"]


def made_by_somebody_else(firewall: FakeFirewall) -> None:
    firewall.tables.clear()
    firewall.others(TABLE.statements)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (emptied, "2 members of set filter1"),
        (without_a_rule, "1 rule of chain forward"),
        (replaced, "1 rule of chain forward"),
        (renamed, "chain postrouting"),
        (with_another_policy, "the policy of chain forward"),
        (switched_off, "the table is there and switched off (dormant)"),
        (without_a_set, "set filter0"),
        (made_by_somebody_else, "the whole table: another one of its name stands there"),
    ],
)
def test_a_part_that_is_gone_is_seen_and_put_back(
    firewall: FakeFirewall, tables: Tables, change: Callable[[FakeFirewall], None], words: str
) -> None:
    change(firewall)
    firewall.transactions += 1
    (lost,) = tables.look()
    assert lost.what == words
    assert members(firewall, "filter1") == {"10.77.0.2", "192.168.5.0"}
    assert "x" not in firewall.tables[KEY].chains
    assert not firewall.tables[KEY].dormant
    firewall.transactions += 1
    assert tables.look() == []


def test_what_others_do_to_their_own_and_add_to_ours_is_no_loss(firewall: FakeFirewall, tables: Tables) -> None:
    ran = len(firewall.ran)
    firewall.others([nft.table("inet", "theirs")])
    firewall.others([nft.rule("inet", "holdfast", "forward", [nft.verdict("accept")])])
    firewall.others([nft.element("add", "inet", "holdfast", "filter0", "10.77.0.8")])
    assert tables.look() == []
    assert len(firewall.ran) == ran


def test_our_own_changes_and_quiet_cost_no_reading(firewall: FakeFirewall, tables: Tables) -> None:
    reads = firewall.reads
    for number in range(4, 9):
        tables.run(PLAN.refilter([f"10.77.0.{number}"], "", "pings"))
        assert tables.look() == []
    assert firewall.reads == reads


def test_who_interferes_with_our_own_change_is_seen(firewall: FakeFirewall, tables: Tables) -> None:
    without_a_rule(firewall)
    firewall.transactions += 1
    tables.run(PLAN.refilter(["10.77.0.4"], "", "pings"))
    assert [lost.what for lost in tables.look()] == ["1 rule of chain forward"]
    assert "10.77.0.4" in members(firewall, "filter1")


def test_a_member_that_comes_while_the_table_is_away_comes_with_the_table(
    firewall: FakeFirewall, tables: Tables
) -> None:
    firewall.flush()
    tables.run(PLAN.refilter(["10.77.0.4"], "", "pings"))
    assert members(firewall, "filter1") == {"10.77.0.2", "10.77.0.4", "192.168.5.0"}
    assert [lost.what for lost in tables.look()] == ["the whole table"], "it is told all the same"
    assert tables.look() == []


def test_a_session_may_end_while_its_member_is_away(firewall: FakeFirewall, tables: Tables) -> None:
    emptied(firewall)
    tables.run(PLAN.refilter(["10.77.0.2"], "pings", ""))
    assert members(firewall, "filter1") == {"192.168.5.0"}


def test_what_nft_refuses_for_its_own_reasons_is_refused_and_forgotten(firewall: FakeFirewall, tables: Tables) -> None:
    wrong = nft.element("delete", "inet", "holdfast", "filter0", "10.77.0.99")
    with pytest.raises(HostError):
        tables.run([nft.element("add", "inet", "holdfast", "filter0", "10.77.0.5"), wrong])
    firewall.flush()
    assert len(tables.look()) == 1
    assert members(firewall, "filter0") == {"10.77.0.3"}


def test_what_cannot_be_put_back_is_tried_again_and_counts_from_the_beginning(
    firewall: FakeFirewall, tables: Tables
) -> None:
    firewall.flush()
    firewall.refuses = "nft refuses: out of memory"
    first, second = tables.look()[0], tables.look()[0]
    assert "out of memory" in first.refusal
    assert second.open_seconds >= first.open_seconds
    with pytest.raises(HostError, match="out of memory"):
        tables.run(PLAN.refilter(["10.77.0.4"], "", "pings"))
    firewall.refuses = ""
    third = tables.look()[0]
    assert not third.refusal
    assert third.open_seconds >= second.open_seconds
    assert members(firewall, "filter1") == {"10.77.0.2", "192.168.5.0"}


def test_two_tables_stand_again_together(firewall: FakeFirewall, tables: Tables) -> None:
    other = AddTable("ip6", "wall", (nft.table("ip6", "wall"), nft.chain("ip6", "wall", "output")))
    firewall.run(other.statements)
    tables.made(other)
    tables.look()
    firewall.flush()
    ran = len(firewall.ran)
    assert {str(lost.table) for lost in tables.look()} == {"table inet holdfast", "table ip6 wall"}
    assert len(firewall.ran) == ran + 1
    tables.forget(other)
    firewall.flush()
    assert [str(lost.table) for lost in tables.look()] == ["table inet holdfast"]


def test_a_look_in_the_midst_of_a_change_is_repeated(firewall: FakeFirewall, tables: Tables) -> None:
    """Half of a transaction of somebody else may be seen: what is missing at first and then stands was not lost."""
    whole, looks = firewall.tables, []

    def midst() -> None:
        looks.append(len(looks))
        firewall.tables = {} if len(looks) == 1 else whole
        firewall.transactions += len(looks) == 1

    firewall.transactions += 1
    firewall.before_read = midst
    assert tables.look() == []
    assert len(looks) == 2


def test_a_kernel_that_tells_otherwise_is_not_fought(firewall: FakeFirewall, tables: Tables) -> None:
    """Were a set listed otherwise than it was filled, putting it back would never end."""
    firewall.before_read = lambda: KEY in firewall.tables and emptied(firewall)
    firewall.transactions += 1
    assert len(tables.look()) == 1
    for _ in range(3):
        firewall.transactions += 1
        assert tables.look() == []
    firewall.flush()
    assert [lost.what for lost in tables.look()] == ["the whole table"]


def test_a_host_that_does_not_tell_of_its_firewall_still_serves(firewall: FakeFirewall) -> None:
    firewall.unseen = True
    tables = Tables(Kernel(nft=firewall, nf_tables=firewall))
    assert tables.look() == [], "nothing is held"
    firewall.run(TABLE.statements)
    tables.made(TABLE)
    tables.run(PLAN.refilter(["10.77.0.4"], "", "pings"))
    with pytest.raises(HostError, match="does not tell"):
        tables.look()
