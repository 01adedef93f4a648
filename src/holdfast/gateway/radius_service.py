"""All of RADIUS in a gateway, from its start to its end: logins, accounting, requests of an administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.config import Config
from holdfast.gateway.accounting import start_accounting
from holdfast.gateway.radius import use_radius
from holdfast.gateway.radius_dynamic import start_dynamic
from holdfast.observe.event_log import EventLog
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.store import Store

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway


@asynccontextmanager
async def radius(
    gateway: "Gateway", config: Config, state: Path, local: Authenticator, log: EventLog, *, store: Store | None = None
) -> AsyncIterator[None]:
    """Do what `[radius]` asks for, which is nothing by default. ConfigError when a secret is missing."""
    use_radius(gateway, config, local, store)
    accounting = start_accounting(gateway, config, state, log)
    dynamic = None
    try:
        dynamic = start_dynamic(gateway, config)
        yield
    finally:
        if dynamic is not None:
            dynamic.close()
        if accounting is not None:
            await accounting.end()
