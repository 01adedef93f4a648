"""How the kernel's network configuration is asked: by a socket for each question, or one for a whole piece of work.

Opening pyroute2's socket and reading the whole routing table cost more than most questions do. Within `session` the
calls of one thread share the socket, and what a dump told is believed until something is changed by the same thread.
"""

import asyncio
import errno
import os
import threading
from collections.abc import Callable, Hashable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyroute2 import IPRoute, NetlinkError

from holdfast.errors import HostError
from holdfast.network.refusal import rights_fix

T = TypeVar("T")


@dataclass(slots=True)
class _Session:
    netlink: Any
    dumps: dict[Hashable, Any] = field(default_factory=dict)


class _Threads(threading.local):
    session: _Session | None = None


_of_this_thread = _Threads()


@contextmanager
def session() -> Iterator[None]:
    """Let the questions of this thread share a socket until the block ends; within an event loop nothing is shared."""
    if _of_this_thread.session is not None or _in_loop():
        yield
        return
    with IPRoute() as netlink:
        _of_this_thread.session = _Session(netlink)
        try:
            yield
        finally:
            _of_this_thread.session = None


def ask(what: str, work: Callable[[Any], T], forgiven: AbstractSet[int] = frozenset()) -> T | None:
    """Do `work` with an open netlink; None for a refusal that is forgiven, `HostError` for every other one."""

    def attempt() -> T | None:
        try:
            if _of_this_thread.session is not None:
                return work(_of_this_thread.session.netlink)
            with IPRoute() as netlink:
                return work(netlink)
        except NetlinkError as error:
            if error.code in forgiven:
                return None
            raise _refusal(what, error.code) from error

    return _outside_loop(attempt)


def dump(what: str, key: Hashable, work: Callable[[Any], T]) -> T | None:
    """Ask for all of something, once in a session while nothing is changed."""
    held = _of_this_thread.session
    if held is None:
        return ask(what, work)
    if key not in held.dumps:
        held.dumps[key] = ask(what, work)
    found: T | None = held.dumps[key]
    return found


def alter(what: str, work: Callable[[Any], T], forgiven: AbstractSet[int] = frozenset()) -> T | None:
    """Do `work` that changes something: what was told before is not believed any more."""
    if _of_this_thread.session is not None:
        _of_this_thread.session.dumps.clear()
    return ask(what, work, forgiven)


def _refusal(what: str, code: int) -> HostError:
    fix = rights_fix(code)
    if code == errno.EEXIST:
        fix = "another one is in its way: look at `ip route` and `ip addr`, and remove one of the two"
    return HostError(f"the kernel refuses: {os.strerror(code)}", where=what, fix=fix)


def _outside_loop(work: Callable[[], T]) -> T:
    """Call `work`; from inside an event loop in a thread of its own, as pyroute2 runs a loop itself."""
    if not _in_loop():
        return work()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
