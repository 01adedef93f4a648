"""The end of a gateway: every client is told goodbye, and none is waited for longer than there is time.

All of it counts against one deadline, from the first word on: also what it costs to say goodbye to thousands on a busy
machine. In between the loop turns, so that those who answer are heard meanwhile. Everybody is told before anybody's
session is taken apart: what each one held and what the log says of it may take its time then.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from holdfast.errors import DisconnectReason

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway

HELPING = 50
"""Sessions or connections dealt with before the loop turns."""
FOR_SESSIONS = 0.5
"""Part of the time in which sessions may answer; the rest is for their control connections."""
LEAST = 0.2
"""Seconds for answers, however long the saying took."""
One = TypeVar("One")


async def say_goodbye(gateway: "Gateway", reason: DisconnectReason, why: str, patience: float) -> None:
    """End every session, then every control connection; after `patience` seconds those that are silent are dropped."""
    began = gateway.now()
    await _each(gateway.subscribers.values(), lambda one: gateway.close_session(one, reason, why))
    await gateway.wait_until(lambda: not gateway.subscribers, _deadline(gateway, began + patience * FOR_SESSIONS))
    # Without a turn of the loop: of thousands whose answers wait, each would have its session taken apart before the
    # next is told.
    for connection in list(gateway.connections):
        connection.say_goodbye(DisconnectReason.GATEWAY_SHUTDOWN)
    gateway.let_go_of_calls()
    await _each(gateway.connections, lambda one: one.settle())
    # What is left has no control connection any more.
    await _each(gateway.subscribers.values(), lambda one: gateway.abort_session(one, reason, why))
    await gateway.wait_until(lambda: not gateway.connections, _deadline(gateway, began + patience))
    await _each(gateway.connections, lambda one: one.abort())


def _deadline(gateway: "Gateway", planned: float) -> float:
    return max(planned, gateway.now() + LEAST)


async def _each(those: Iterable[One], action: Callable[[One], None]) -> None:
    """Do it with each that is there now, and let the loop turn in between and at the end."""
    for number, one in enumerate(list(those), start=1):
        action(one)
        if number % HELPING == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
