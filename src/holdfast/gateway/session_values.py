"""Every value that holds for one session, with where it came from: what `holdfast why` shows."""

from typing import Any

from holdfast.gateway.subscriber import Subscriber
from holdfast.wire.text import printable


def values_of(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Return plain data: key, value and origin of each setting, then of what RADIUS gave besides."""
    found = {"address": _address(subscriber), "mtu": _mtu(subscriber)}
    rows = [{**one, **found.get(one["key"], {})} for one in subscriber.effective.settings()]
    return [*rows, *_given(subscriber)]


def _address(subscriber: Subscriber) -> dict[str, str]:
    """What the client has, whatever it might have got."""
    policy, effective = subscriber.policy, subscriber.effective
    origin = "addresses.pool"
    if policy.address:
        origin = effective.origin("address")
    elif policy.pool:
        origin = f"pools.{policy.pool}, named by {effective.origin('pool')}"
    if policy.client_wish and not policy.address:
        origin += f"; the client may choose ({effective.origin('client_wish')})"
    return {"value": subscriber.address, "origin": origin}


def _mtu(subscriber: Subscriber) -> dict[str, Any]:
    """What is sent at most, after LCP."""
    most, origin = subscriber.policy.mtu, subscriber.effective.origin("mtu")
    agreed = subscriber.carrier.mtu
    if 0 < agreed < most:
        origin = f"LCP agreed on less than {most} ({origin})"
    return {"value": agreed, "origin": origin}


def _given(subscriber: Subscriber) -> list[dict[str, Any]]:
    """Return what is no setting: the name, what the person was told, and what accounting gives back."""
    grant = subscriber.grant
    if grant is None:
        return []
    named = {
        "user": (grant.user, "User-Name"),
        "reply_message": (grant.reply_message, "Reply-Message"),
        "class": ([_octets(one) for one in grant.class_], "Class"),
    }
    return [
        {"key": key, "value": value, "origin": f"RADIUS {grant.server}: {attribute}"}
        for key, (value, attribute) in named.items()
        if value
    ]


def _octets(data: bytes) -> str:
    """Class is opaque (RFC 2865 section 5.25): as text where it is some, else in hexadecimal."""
    text = printable(data)
    return text if text.encode() == data else f"0x{data.hex()}"
