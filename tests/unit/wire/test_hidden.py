from ipaddress import ip_address

import pytest

from holdfast.wire.hidden import is_hidden


@pytest.mark.parametrize("text", ["10.0.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1"])
def test_behind_a_nat(text: str) -> None:
    assert is_hidden(ip_address(text))


@pytest.mark.parametrize("text", ["198.51.100.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "127.0.0.1"])
def test_on_the_internet(text: str) -> None:
    assert not is_hidden(ip_address(text))
