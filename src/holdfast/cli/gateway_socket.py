"""Asking the running gateway."""

from pathlib import Path
from typing import Any

from holdfast.local_api import SOCKET_NAME, request


def ask(state: Path, verb: str, **arguments: Any) -> Any:
    """Send a request to the gateway with this state directory. NotRunningError when none runs."""
    return request(state / SOCKET_NAME, verb, **arguments)
