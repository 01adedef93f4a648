"""What is known of a user, whichever source it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Any

from holdfast.policy.ranges import AddressRange
from holdfast.secret import Secret


class SecretKind(StrEnum):
    """What is stored: the password, or only its NT hash (enough for MS-CHAP and PAP, not for CHAP-MD5)."""

    PASSWORD = auto()
    NT_HASH = "nt-hash"


class AccountState(StrEnum):
    """Whether the account may be used."""

    ACTIVE = "active"
    DISABLED = "disabled"
    EXPIRED = "expired"
    NO_ADDRESS = "no-address"
    """Its source forbids every address (a chap-secrets line without one)."""


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One user. `addresses` are those that only this user may have; none means the pool. Times: seconds since 1970.

    `settings` are the user's own (`holdfast.policy.overrides`, plain data), `group` the name of the group or nothing.
    """

    name: str
    kind: SecretKind
    source: str
    disabled: bool = False
    addresses: tuple[AddressRange, ...] = ()
    expires: float | None = None
    created: float | None = None
    changed: float | None = None
    no_address: bool = False
    group: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def state(self, now: float) -> AccountState:
        """Say whether the account may be used at `now` (seconds since 1970)."""
        if self.disabled:
            return AccountState.DISABLED
        if self.expires is not None and self.expires <= now:
            return AccountState.EXPIRED
        return AccountState.NO_ADDRESS if self.no_address else AccountState.ACTIVE


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and the secret to check a claim against."""

    record: UserRecord
    secret: Secret
