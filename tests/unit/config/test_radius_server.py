"""A RADIUS server as text and as a table."""

import pytest

from holdfast.config import InvalidConfigError, parse
from holdfast.config.radius_server import Transport, server_schema

TLS = (
    '[[radius.servers]]\naddress = "192.0.2.10"\ntransport = "tls"\ncertificate = "/etc/g.pem"\nkey = "/etc/g.key"\n'
    'name = "radius.example.net"\n'
)


def test_a_server_over_tls() -> None:
    config = parse(TLS).config
    (server,) = config.radius.servers
    assert (str(server), server.tls, server.name) == ("192.0.2.10:2083", True, "radius.example.net")
    (written,) = config.model_dump(mode="json")["radius"]["servers"]
    assert written == {
        "address": "192.0.2.10",
        "port": 2083,
        "transport": "tls",
        "weight": 1,
        "certificate": "/etc/g.pem",
        "key": "/etc/g.key",
        "name": "radius.example.net",
    }


def test_texts_and_tables_in_one_list() -> None:
    text = (
        '[radius]\nservers = ["192.0.2.10", {address = "192.0.2.11", weight = 3, priority = 1}]\n'
        'secrets_file = "/etc/secrets"'
    )
    one, other = parse(text).config.radius.servers
    assert (str(one), str(other), other.weight) == ("192.0.2.10:1812", "192.0.2.11:1812", 3)
    assert parse(text).config.model_dump(mode="json")["radius"]["servers"][0] == "192.0.2.10:1812"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[radius.servers]]\ntransport = "tls"', "a server needs an address"),
        ('[[radius.servers]]\naddress = "192.0.2.1"\ntransport = "tcp"', "'tcp' is not one of udp, tls"),
        ('[[radius.servers]]\naddress = "192.0.2.1"\ntransport = "tls"', "name its certificate and key"),
        ('[[radius.servers]]\naddress = "192.0.2.1"\nca = "/x"', 'ca means something with transport = "tls" only'),
        (TLS + 'caa = "/x"', "there is no key 'caa' in such a table"),
        (TLS + 'ca = "x"', "write the whole path"),
        ('[[radius.servers]]\naddress = "192.0.2.1"', "no file with shared secrets"),
        (TLS + "own_secret = true", "no file with shared secrets"),
        ('[[radius.servers]]\naddress = "192.0.2.1"\nown_secret = true', "own_secret means something with transport"),
    ],
)
def test_tables_that_cannot_be(text: str, said: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse(text)
    assert said in caught.value.text()


def test_its_schema_takes_both() -> None:
    assert [one["type"] for one in server_schema(1812)["anyOf"]] == ["string", "object"]
    assert [str(one) for one in Transport] == ["udp", "tls"]
