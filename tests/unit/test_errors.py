"""Errors for people: in parts on a terminal, in one line in a log."""

from holdfast.errors import HoldfastError


def test_an_error_in_parts_and_in_one_line() -> None:
    error = HoldfastError("no TUN device", where="pptp0", fix="modprobe tun")
    assert error.text() == "pptp0: no TUN device\n  modprobe tun"
    assert error.sentence() == "pptp0: no TUN device; modprobe tun"
    assert HoldfastError("a\n  b\nc").sentence() == "a; b; c"
