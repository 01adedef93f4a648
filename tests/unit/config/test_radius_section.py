"""The section about RADIUS."""

import pytest

from holdfast.config import InvalidConfigError, parse


def test_servers_have_their_usual_ports() -> None:
    text = (
        '[radius]\nservers = ["192.0.2.10", "192.0.2.11:1645"]\naccounting_servers = ["192.0.2.12"]\n'
        'dynamic_listen = "0.0.0.0"\ndynamic_clients = ["192.0.2.10"]\nsecrets_file = "/etc/secrets"'
    )
    radius = parse(text).config.radius
    assert [str(server) for server in radius.servers] == ["192.0.2.10:1812", "192.0.2.11:1645"]
    assert [str(server) for server in radius.accounting_servers or ()] == ["192.0.2.12:1813"]
    assert str(radius.dynamic_listen) == "0.0.0.0:3799"


@pytest.mark.parametrize(
    "line", ['servers = ["radius.example"]', "patience = 91.0", 'when_down = "accept"', "tries = 0"]
)
def test_what_cannot_be(line: str) -> None:
    with pytest.raises(InvalidConfigError):
        parse(f"[radius]\n{line}")
