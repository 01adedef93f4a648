"""The control socket: one JSON object a line over a unix socket in the state directory, mode 0600 unless it is shared.

A request is `{"do": VERB, ...arguments}`; the answer is `{"ok": true, "result": ...}` or
`{"ok": false, "error": ..., "fix": ...}`. Gateway and dialer serve it; the commands talk to it.
"""

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.errors import HoldfastError, HostError, NotRunningError, where_raised

SOCKET_NAME = "control.sock"
"""What the socket is called in its directory. It stands here so that a command that asks need not load a gateway."""
MAX_REQUEST = 64 * 1024
ANSWER_TIMEOUT = 15.0

NO_LOGIN = 2**32 - 1
"""What the kernel says of a process that belongs to no login, such as a daemon."""

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel says (SO_PEERCRED, unix(7)); `login` is its login's user, if any."""

    uid: int
    gid: int
    login: int = NO_LOGIN

    def __str__(self) -> str:
        same = self.login in (self.uid, NO_LOGIN)
        return f"uid {self.uid}" if same else f"uid {self.uid} (logged in as uid {self.login})"


Permit = Callable[[str, Peer], Awaitable[None]]
"""Returns when the peer may ask for the verb, and raises HoldfastError when not."""

_caller: ContextVar[str] = ContextVar("caller", default="")


def caller() -> str:
    """Return who made the request that is being answered: `uid 0 (logged in as uid 1000)`; "" outside of one.

    The kernel says it (SO_PEERCRED, unix(7)), not the caller; the second number outlives su and sudo
    (/proc/PID/loginuid, where login keeps it). Numbers, since a directory of names may be slow to ask.
    """
    return _caller.get()


class ApiServer:
    """Serves the verbs of one daemon. Who may open the socket file may ask: its owner, as long as nobody shares it.

    `permit` judges each request before it is answered.
    """

    def __init__(self, path: Path, verbs: Mapping[str, Handler], permit: Permit | None = None) -> None:
        self._path = path
        self._verbs = verbs
        self._permit = permit
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket that a killed predecessor left behind is replaced."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        previous = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._converse, self._path, limit=MAX_REQUEST)
        except OSError as error:
            raise HostError(
                f"cannot listen on the control socket: {error.strerror or error}",
                where=str(self._path),
                fix="Choose a state directory with a shorter path, on a file system that carries sockets (--state).",
            ) from error
        finally:
            os.umask(previous)

    async def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            peer = _peer(writer.get_extra_info("socket"))
            _caller.set(str(peer))
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line, peer)).encode() + b"\n")
                await writer.drain()
        except (ValueError, ConnectionError):
            pass  # a line beyond the limit, or a caller that went away: nobody is left to answer
        finally:
            writer.close()

    async def _answer(self, line: bytes, peer: Peer) -> dict[str, Any]:
        try:
            request = json.loads(line)
            verb = request.pop("do")
            handler = self._verbs[verb]
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            return {"ok": False, "error": f"not a request; the verbs are: {', '.join(sorted(self._verbs))}"}
        try:
            if self._permit is not None:
                await self._permit(verb, peer)
            return {"ok": True, "result": await handler(request)}
        except HoldfastError as error:
            return {"ok": False, "error": error.what, "where": error.where, "fix": error.fix}
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it, and the next one be answered
            return {"ok": False, "error": f"a fault of the daemon's own: {where_raised(error)}"}


def own_account() -> Peer:
    """Return this very process, as the other end of a control socket would see it."""
    return Peer(os.geteuid(), os.getegid(), _login("self"))


def _peer(connection: socket.socket) -> Peer:
    pid, uid, gid = struct.unpack("3I", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return Peer(uid, gid, _login(pid))


def _login(pid: int | str) -> int:
    try:
        return int(Path(f"/proc/{pid}/loginuid").read_text())
    except (OSError, ValueError):
        return NO_LOGIN


def request(path: Path, verb: str, *, patience: float = ANSWER_TIMEOUT, **arguments: Any) -> Any:
    """Ask the daemon whose socket is `path`; return its result. It has `patience` seconds to answer.

    Raises NotRunningError when nobody listens, HoldfastError with the daemon's words when it refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps({"do": verb, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline()
        except PermissionError as error:
            raise HoldfastError(
                "not allowed to open the control socket",
                where=str(path),
                fix="Run this as the user the daemon runs as, or be listed in [control] of its configuration.",
            ) from error
        except OSError as error:
            raise NotRunningError(
                "nothing is running with this state directory",
                where=str(path.parent),
                fix="Start it, or name the directory it was started with: --state DIR.",
            ) from error
    if not line:
        raise NotRunningError("the daemon went away before it answered", where=str(path))
    answer = json.loads(line)
    if not answer["ok"]:
        raise HoldfastError(answer["error"], where=answer.get("where", ""), fix=answer.get("fix", ""))
    return answer["result"]
