"""What the numbers mean that Windows shows when a connection fails."""

from holdfast.ppp.termination import RAS_ERRORS

OUTSIDE_PPP = {
    636: "a device of another kind than the connection wants",
    651: "the modem, or what stands for it, reported an error",
    676: "the line is busy",
    678: "there was no answer",
    800: "the VPN server could not be reached",
    806: "the connection was made, but GRE does not pass",
    807: "the connection to the VPN server was interrupted",
    808: "the VPN server refused the connection",
    809: "the VPN server did not answer",
    825: "PPTP does not work over IPv6: the server's name led to an IPv6 address",
    868: "the name of the VPN server could not be resolved",
    919: "no way to prove who one is suits both sides",
}
"""Errors that are about the way to the server rather than about PPP."""


def meaning(code: int) -> str:
    """Return in a few words what an error says; empty for one that is not known."""
    known = OUTSIDE_PPP.get(code)
    return known if known is not None else RAS_ERRORS.get(code, ("", None))[0]


def named(code: int) -> str:
    """Return the number with its meaning: `691 (access denied: wrong user name or password)`."""
    words = meaning(code)
    return f"{code} ({words})" if words else str(code)
