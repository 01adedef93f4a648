"""Rules between keys."""

import pytest

from holdfast.config import InvalidConfigError, parse


def problems(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidConfigError) as caught:
        parse(text)
    return [(problem.key, problem.what) for problem in caught.value.problems]


def warnings(text: str) -> list[str]:
    return [warning.key for warning in parse(text).warnings]


@pytest.mark.parametrize("method", ["pap", "chap-md5"])
def test_encryption_cannot_be_required_of_methods_without_keys(method: str) -> None:
    [(key, what)] = problems(f'[ppp]\nauthentication = ["ms-chap-v2", "{method}"]')
    assert key == "ppp.authentication"
    assert f"mppe is required, but {method} gives no encryption keys" in what


def test_encryption_may_be_preferred_of_them() -> None:
    loaded = parse('[ppp]\nauthentication = ["ms-chap-v2", "pap"]\nmppe = "prefer"')
    assert loaded.config.ppp.authentication == ("ms-chap-v2", "pap")


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("ppp", 'authentication = ["ms-chap-v2", "ms-chap-v2"]'),
        ("ppp", "mppe_bits = [128, 128]"),
        ("addresses", 'dns = ["192.0.2.1", "192.0.2.1"]'),
        ("addresses", 'wins = ["192.0.2.1", "192.0.2.1"]'),
    ],
)
def test_nothing_stands_twice_in_a_list(section: str, line: str) -> None:
    [(key, what)] = problems(f"[{section}]\n{line}")
    assert key == f"{section}.{line.partition(' ')[0]}"
    assert "more than once" in what


def test_listening_everywhere_and_somewhere() -> None:
    [(key, what)] = problems('[gateway]\nlisten = ["0.0.0.0:1723", "192.0.2.1:1723"]')
    assert key == "gateway.listen"
    assert "0.0.0.0:1723 and 192.0.2.1:1723" in what


def test_overlapping_ranges() -> None:
    [(key, what)] = problems('[addresses]\npool = ["10.77.0.10-10.77.0.50", "10.9.0.1", "10.77.0.50-10.77.0.60"]')
    assert key == "addresses.pool"
    assert "10.77.0.10-10.77.0.50 and 10.77.0.50-10.77.0.60 overlap" in what


@pytest.mark.parametrize(
    ("pool", "beside"),
    [
        ("10.77.0.1-10.77.0.9", "10.77.0.2-10.77.0.9"),
        ("10.76.0.250-10.77.0.1", "10.76.0.250-10.77.0.0"),
        ("10.77.0.0-10.77.0.2", "10.77.0.0 and 10.77.0.2"),
        ("10.77.0.1", "choose another one"),
    ],
)
def test_the_gateway_in_its_own_pool(pool: str, beside: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(f'[addresses]\ngateway = "10.77.0.1"\npool = ["{pool}"]')
    [problem] = caught.value.problems
    assert problem.line == 3
    assert f"10.77.0.1 lies in the pool range {pool}" in problem.what
    assert f"leave it out: {beside}." in problem.meant


def test_a_pool_with_the_address_that_clients_dial() -> None:
    found = problems('[gateway]\nlisten = ["10.77.0.99"]')
    assert found == [("addresses.pool", "the pool holds 10.77.0.99, on which the gateway listens")]


def test_one_address_inside_and_outside() -> None:
    [(key, what)] = problems('[gateway]\nlisten = ["10.77.0.1"]')
    assert key == "addresses.gateway"
    assert "both the address inside the tunnel and the one that clients dial" in what


def test_an_interface_without_nat() -> None:
    [(key, _)] = problems('[addresses]\nnat = false\nnat_interface = "eth0"')
    assert key == "addresses.nat_interface"


def test_no_warning_without_a_reason() -> None:
    assert warnings("") == []
    assert warnings("[ppp]\nmtu = 1450\nmru = 1450") == []


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        ("mtu = 1451", ["ppp.mtu"]),
        ("mru = 1500", ["ppp.mru"]),
        ("lcp_echo_interval = 0", ["ppp.lcp_echo_interval"]),
        ("lcp_echo_interval = 180", ["ppp.lcp_echo_interval"]),
        ("lcp_echo_interval = 179", []),
        ("lcp_echo_failures = 1", ["ppp.lcp_echo_failures"]),
        ('mppe = "prefer"', ["ppp.mppe"]),
        ('mppe = "off"', ["ppp.mppe"]),
        ("mppe_bits = [128, 40]", ["ppp.mppe_bits"]),
        ('authentication = ["ms-chap-v2", "ms-chap"]', ["ppp.authentication"]),
        (
            'mppe = "off"\nauthentication = ["pap", "chap-md5"]',
            ["ppp.mppe", "ppp.authentication", "ppp.authentication"],
        ),
    ],
)
def test_what_is_unwise(lines: str, keys: list[str]) -> None:
    assert warnings(f"[ppp]\n{lines}") == keys


def test_accounting_more_often_than_its_rfc_allows():
    assert warnings("[timeouts]\naccounting_interval = 59") == ["timeouts.accounting_interval"]
    assert warnings("[timeouts]\naccounting_interval = 60") == []
    assert warnings("[timeouts]\naccounting_interval = 0") == []


def test_metrics_that_anybody_may_read_deserve_a_warning():
    assert [one.key for one in parse('[metrics]\nlisten = "0.0.0.0"\n').warnings] == ["metrics.listen"]
    assert not parse('[metrics]\nlisten = "0.0.0.0"\ntoken_file = "/etc/token"\n').warnings
    assert not parse('[metrics]\nlisten = "127.0.0.1:9100"\n').warnings


def test_metrics_and_clients_need_sockets_of_their_own():
    with pytest.raises(InvalidConfigError, match=r"metrics\.listen"):
        parse('[metrics]\nlisten = "127.0.0.1:1723"\n')


SERVER = '[radius]\nservers = ["192.0.2.10"]\n'


def test_radius_needs_secrets_and_people_to_ask():
    assert problems(SERVER)[0][0] == "radius.servers"
    listening = '[radius]\ndynamic_listen = "0.0.0.0"\nsecrets_file = "/etc/secrets"\n'
    assert problems(listening)[0][0] == "radius.dynamic_listen"
    assert parse(listening + 'dynamic_clients = ["192.0.2.10"]\n').config.radius.dynamic_clients


def test_eap_needs_somebody_who_judges_it():
    eap = '[ppp]\nauthentication = ["eap", "ms-chap-v2"]\n'
    assert problems(eap)[0][0] == "ppp.authentication"
    assert parse(eap + SERVER + 'secrets_file = "/etc/secrets"\n').config.ppp.authentication[0] == "eap"


def test_radius_may_not_take_longer_than_a_login():
    text = SERVER + 'secrets_file = "/etc/secrets"\npatience = 60.0\n'
    assert warnings(text) == ["radius.patience"]
    assert warnings(text + "[ppp]\nauthentication_timeout = 70.0\n") == []


def test_a_cache_that_can_keep_nothing_is_said():
    text = SERVER + 'secrets_file = "/etc/secrets"\nwhen_down = "cached"\n'
    assert warnings(text) == ["radius.when_down"]
    with_pap = '[ppp]\nauthentication = ["pap"]\nmppe = "off"\n'
    assert "radius.when_down" not in warnings(text + with_pap)


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('[limits]\nfilter = "guests"', "limits.filter", "no section [filters.guests]"),
        ('[groups.x]\npool = "staff"', "groups.x.pool", "no section [pools.staff]"),
        ('[pools.staff]\nranges = ["10.77.0.20-10.77.0.30"]', "pools.staff.ranges", "overlap"),
        ('[pools.staff]\nranges = ["10.77.0.1"]', "pools.staff.ranges", "the gateway's own address"),
        ("[pools.staff]\nranges = []", "pools.staff.ranges", "empty"),
        ('[filters.x]\nrules = ["allow gre"]', "filters.x.rules", "neither"),
        ('[groups.x]\nroutes = ["0.0.0.0/0"]', "groups.x.routes", "everything"),
        ('[groups.x]\nroutes = ["10.0.0.1/8"]', "groups.x.routes", "write 10.0.0.0/8"),
    ],
)
def test_pools_filters_and_networks(text: str, key: str, says: str) -> None:
    [(found, what)] = problems(text)
    assert found == key
    assert says in what
