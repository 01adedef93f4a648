"""All sources of users as one: the first that knows a name decides, so that a user who was disabled in the database
does not come back through a file."""

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from holdfast.policy.names import lookup_name
from holdfast.policy.ranges import Address
from holdfast.policy.records import AccountState, Credentials, UserRecord
from holdfast.ppp.authentication_types import without_domain


class CredentialsSource(Protocol):
    """A table of users."""

    def find(self, name: str) -> Credentials | None:
        """Return user and secret, or None. The name comes in stored form. StateError when the source is broken."""

    def dedicated(self) -> Mapping[Address, str]:
        """Return the addresses that one user only may have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known about a name: nothing (`credentials` is None), or a user and the state of the account."""

    credentials: Credentials | None = None
    state: AccountState = AccountState.ACTIVE

    @property
    def record(self) -> UserRecord | None:
        """The user, without the secret."""
        return self.credentials.record if self.credentials else None


class Directory:
    """The sources, in the order in which they are asked."""

    def __init__(self, sources: Sequence[CredentialsSource]) -> None:
        self._sources = tuple(sources)

    def look_up(self, name: bytes, now: float) -> Answer:
        r"""Return what is known about the name that a peer gave, at `now` (seconds since 1970).

        A Windows name `DOMAIN\user` is looked up as it is and then without its domain.
        """
        for form in dict.fromkeys((name, without_domain(name))):
            credentials = self._find(form)
            if credentials is not None:
                return Answer(credentials, credentials.record.state(now))
        return Answer()

    def record(self, user: str) -> UserRecord | None:
        """Return the user with the canonical name that a verdict carried, or None."""
        credentials = self._find(user.encode("utf-8", "surrogatepass"))
        return credentials.record if credentials else None

    def dedicated(self) -> Mapping[Address, str]:
        """Return every address that is dedicated, and to whom."""
        return ChainMap(*[dict(source.dedicated()) for source in self._sources])

    def _find(self, name: bytes) -> Credentials | None:
        stored = lookup_name(name)
        if stored is None:
            return None
        found = (source.find(stored) for source in self._sources)
        return next((credentials for credentials in found if credentials is not None), None)
