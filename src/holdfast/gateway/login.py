"""From a claim to an answer: budgets for failures, the verdict, and whether this user may have a session now."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast.dataplane.interface import Keepalive
from holdfast.errors import DisconnectReason, StateError
from holdfast.events import (
    AccountBesieged,
    Event,
    InternalFault,
    LoginsLocked,
    LoginsSprayed,
    RadiusIgnored,
    SessionReplaced,
    SettingUnusable,
)
from holdfast.gateway.known_names import why_unknown, without
from holdfast.policy.authenticate import Authenticator
from holdfast.policy.effective import Effective, Layer
from holdfast.policy.guessing import Guessing, GuessingRules, Spray
from holdfast.policy.hours import Hours
from holdfast.policy.lockout import Lockout, LockoutRules
from holdfast.policy.overrides import SingleSession
from holdfast.policy.records import UserRecord
from holdfast.ppp.authentication_types import EapExchange, EapRequest, Exchange, MsChapError, Verdict
from holdfast.session import SessionState

if TYPE_CHECKING:
    from holdfast.gateway.gateway import Gateway
    from holdfast.gateway.radius import RadiusDesk
    from holdfast.gateway.subscriber import Subscriber

PROBE_PATIENCE = 2.0
"""Seconds in which the old session of a user must answer a probe; the new one waits that long for its verdict."""
PROBE_LOOK = 0.1


@dataclass(frozen=True, slots=True)
class Proven:
    """Who signed in, by which verdict, and what holds for them."""

    record: UserRecord | None
    exchange: Exchange
    verdict: Verdict
    effective: Effective
    claim: int

    @property
    def user(self) -> str:
        """The name under which the session runs."""
        return self.verdict.user or self.exchange.user


class LoginDesk:
    """Answers every `VerifyCredentials` of a gateway, at once or a little later."""

    def __init__(
        self, gateway: "Gateway", authenticator: Authenticator, rules: LockoutRules, guessing: GuessingRules
    ) -> None:
        self._gateway, self._authenticator = gateway, authenticator
        self.lockout = Lockout(rules)
        self.guessing = Guessing(guessing)
        self.remote: RadiusDesk | None = None
        """Who judges claims instead of the local users."""
        self._by_user: defaultdict[str, set[Subscriber]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the claim -----------------------------------------------------------------------------------------

    def take(self, subscriber: "Subscriber", exchange: Exchange) -> None:
        """Judge a claim and give the verdict to the session. A newer claim of the same session takes its place."""
        subscriber.claim += 1
        claim, now = subscriber.claim, self._gateway.now()
        wait = self.lockout.delay(exchange.account, subscriber.connection.client, now)
        if isinstance(exchange, EapExchange) and exchange.server:
            wait = 0.0  # a conversation that is under way waited when it began
        if wait:
            self._gateway.loop.call_later(wait, self._judge_late, subscriber, exchange, claim)
        else:
            self._judge(subscriber, exchange, claim)

    def _judge_late(self, subscriber: "Subscriber", exchange: Exchange, claim: int) -> None:
        with self._gateway.guarded(subscriber):
            self._judge(subscriber, exchange, claim)
        self._gateway.drive(subscriber)

    def _judge(self, subscriber: "Subscriber", exchange: Exchange, claim: int) -> None:
        if not _awaited(subscriber, claim):
            return
        source = subscriber.connection.client
        left = self.lockout.locked(exchange.account, source, self._gateway.now())
        if left:
            # The password is not even looked at: a guess during a lock tells nothing.
            detail = f"logins as {exchange.account!r} from {source} are locked for another {left:.0f} s"
            verdict = Verdict.reject(reason=DisconnectReason.AUTH_REFUSED, detail=detail)
            self._answer(subscriber, verdict, claim)
            return
        if self.remote is not None:
            self.remote.take(subscriber, exchange, claim)
            return
        self.verified(subscriber, exchange, self._authenticator.verify(exchange), claim)

    def go_on(self, subscriber: "Subscriber", request: EapRequest, claim: int) -> None:
        """Ask the client once more before there is a verdict. Drive the session afterwards."""
        if _awaited(subscriber, claim):
            subscriber.session.credentials_verified(request, self._gateway.now())

    def verified(
        self,
        subscriber: "Subscriber",
        exchange: Exchange,
        verdict: Verdict,
        claim: int,
        radius: Layer | None = None,
    ) -> None:
        """Go on with a verdict on the password, wherever it came from. `radius`: settings that came with it.

        Drive the session afterwards, unless this happens while it is driven.
        """
        if not _awaited(subscriber, claim):
            return
        if not verdict.accepted:
            self._answer(subscriber, self.count_failure(subscriber, exchange, verdict), claim)
            return
        source = subscriber.connection.client
        self.lockout.succeeded(exchange.account, source, self._gateway.now())
        try:
            record = self._authenticator.directory.record(verdict.user)
        except StateError as error:
            # Without the record nobody knows what the user may not do: hours, filter, how many sessions.
            self._gateway.report(InternalFault("users", error.text()), subscriber.context())
            detail = f"right password, but what holds for {verdict.user} cannot be read: {error.what}"
            refusal = Verdict.reject(reason=DisconnectReason.INTERNAL_ERROR, detail=detail, user=verdict.user)
            self._answer(subscriber, refusal, claim)
            return
        effective = self._gateway.settings.policies.of(record, source, radius)
        self._admit(subscriber, Proven(record, exchange, verdict, effective, claim))

    def count_failure(self, subscriber: "Subscriber", exchange: Exchange, verdict: Verdict) -> Verdict:
        """Only a wrong password or name counts: a disabled account is no guess."""
        if verdict.reason is not DisconnectReason.AUTH_FAILED:
            return verdict
        source = subscriber.connection.client
        locks = self.lockout.failed(exchange.account, source, self._gateway.now())
        for lock in locks:
            locked = LoginsLocked(lock.account, lock.source, lock.failures, lock.seconds)
            self._gateway.report(locked, subscriber.context())
        self._tell_guessing(subscriber, exchange.account)
        return replace(verdict, retry=False) if locks else verdict

    def _tell_guessing(self, subscriber: "Subscriber", account: str) -> None:
        """Tell an attack that spreads out: many accounts from here, or this account from many places."""
        for told in self.guessing.failed(account, subscriber.connection.client, self._gateway.now()):
            event: Event
            if isinstance(told, Spray):
                event = LoginsSprayed(told.source, told.accounts, told.failures, told.seconds)
            else:
                event = AccountBesieged(told.account, told.sources, told.failures, told.seconds)
            self._gateway.report(event, subscriber.context())

    # --- whether a user may have a session now -------------------------------------------------------------

    def _admit(self, subscriber: "Subscriber", proven: Proven) -> None:
        names = self._gateway.settings.names
        unknown = names.unknown(proven.effective)
        if unknown and names.refuse:
            words = why_unknown(proven.effective, unknown[0])
            self._refuse(subscriber, proven, unknown[0], words, MsChapError.NO_DIALIN_PERMISSION)
            return
        for key in unknown:
            value, origin = getattr(proven.effective.policy, key), proven.effective.origin(key)
            unusable = SettingUnusable(key, value, origin, why_unknown(proven.effective, key))
            self._gateway.report(unusable, subscriber.context())
        proven = replace(proven, effective=without(proven.effective, unknown)) if unknown else proven
        policy = proven.effective.policy
        if not Hours.parse(policy.hours).allows(datetime.now().astimezone()):
            words = f"{proven.user} may be connected only at these hours: {policy.hours}"
            self._refuse(subscriber, proven, "hours", words, MsChapError.RESTRICTED_LOGON_HOURS)
            return
        others = self._others(subscriber, proven.user)
        limit = 1 if policy.single_session is not SingleSession.ALLOW else policy.sessions_per_user
        if not limit or len(others) < limit:
            self._accept(subscriber, proven)
        elif policy.single_session is SingleSession.REPLACE_NOW:
            self._replace(subscriber, proven, others, "replaced at once, as configured")
        elif policy.single_session is SingleSession.REPLACE:
            task = self._gateway.loop.create_task(self._find_out(subscriber, proven, others))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._refuse_another(subscriber, proven, len(others))

    def _refuse_another(self, subscriber: "Subscriber", proven: Proven, others: int) -> None:
        count = "a session" if others == 1 else f"{others} sessions"
        detail = f"{proven.user} has {count} already"
        self._refuse(subscriber, proven, "sessions_per_user", detail, MsChapError.NO_DIALIN_PERMISSION)

    def _others(self, subscriber: "Subscriber", user: str) -> "list[Subscriber]":
        ended = (SessionState.CLOSING, SessionState.ENDED)
        sessions = self._by_user.get(user, ())
        return [one for one in sessions if one is not subscriber and one.session.state not in ended]

    async def _find_out(self, subscriber: "Subscriber", proven: Proven, others: "list[Subscriber]") -> None:
        with self._gateway.guarded(subscriber):
            await self._probe(subscriber, proven, others)
        self._gateway.drive(subscriber)

    async def _probe(self, subscriber: "Subscriber", proven: Proven, others: "list[Subscriber]") -> None:
        """Let the old session prove that it is alive: if it does, it stays and the new one is refused."""
        asked, old = self._gateway.now(), others
        for other in others:
            other.session.probe(asked)
            self._gateway.drive(other)
        while self._gateway.now() < asked + PROBE_PATIENCE:
            await asyncio.sleep(PROBE_LOOK)
            if not _awaited(subscriber, proven.claim):
                return
            others = [other for other in others if other.session.state in (SessionState.SETUP, SessionState.UP)]
            if any(self._gateway.counters(other).last_received > asked for other in others):
                self._refuse_another(subscriber, proven, len(others))
                return
        if any(other not in old for other in self._others(subscriber, proven.user)):
            self._admit(subscriber, proven)  # somebody else signed in as this user meanwhile
            return
        silent = f"the old session did not answer a probe in {PROBE_PATIENCE:g} s"
        self._replace(subscriber, proven, others, silent)

    def _replace(self, subscriber: "Subscriber", proven: Proven, others: "list[Subscriber]", why: str) -> None:
        new = subscriber.session.session_id
        for other in others:
            old = other.session.session_id
            self._gateway.report(SessionReplaced(proven.user, old, new, why), subscriber.context())
            evidence = f"{proven.user} signed in again from {subscriber.connection.client} (session {new}); {why}"
            other.session.abort(DisconnectReason.REPLACED, evidence, self._gateway.now())
            self._gateway.drive(other)
        self._accept(subscriber, proven)

    # --- the answer ----------------------------------------------------------------------------------------

    def _accept(self, subscriber: "Subscriber", proven: Proven) -> None:
        self.forget(subscriber)
        subscriber.account = proven.user
        effective = proven.effective
        if subscriber.renewal.asking:
            effective = self._gateway.renewals.granted(subscriber, effective)
        subscriber.effective = effective
        subscriber.expires = proven.record.expires if proven.record else None
        self._by_user[proven.user].add(subscriber)
        policy = effective.policy
        subscriber.carrier.set_keepalive(Keepalive(policy.lcp_echo_interval, policy.lcp_echo_failures))
        subscriber.carrier.set_rates(policy.rate_up, policy.rate_down)
        subscriber.carrier.limit_mtu(policy.mtu)
        if effective.unusable:
            server = subscriber.grant.server if subscriber.grant else ""
            ignored = RadiusIgnored(server, proven.user, effective.unusable)
            self._gateway.report(ignored, subscriber.context())
        self._answer(subscriber, proven.verdict, proven.claim)
        self._gateway.patrol.look_soon(subscriber)

    def _refuse(self, subscriber: "Subscriber", proven: Proven, limit: str, detail: str, code: int) -> None:
        self._gateway.notices.limit(limit, proven.user, detail, subscriber.context(), self._gateway.now())
        reason = DisconnectReason.AUTH_REFUSED if limit == "hours" else DisconnectReason.LIMIT_REACHED
        verdict = Verdict.reject(code, reason=reason, detail=f"right password, but {detail}", user=proven.verdict.user)
        self._answer(subscriber, verdict, proven.claim)

    def _answer(self, subscriber: "Subscriber", verdict: Verdict, claim: int) -> None:
        if not _awaited(subscriber, claim):
            return
        if verdict.undecided and subscriber.renewal.asking:
            self._gateway.renewals.postponed(subscriber)
        else:
            subscriber.session.credentials_verified(verdict, self._gateway.now())

    # --- ends ----------------------------------------------------------------------------------------------

    def forget(self, subscriber: "Subscriber") -> None:
        """The session is over, or belongs to someone else from now on."""
        sessions = self._by_user.get(subscriber.account)
        if sessions is not None:
            sessions.discard(subscriber)
            if not sessions:
                del self._by_user[subscriber.account]

    def stop(self) -> None:
        """Give up what is still being found out."""
        for task in self._tasks:
            task.cancel()
        if self.remote is not None:
            self.remote.stop()


def _awaited(subscriber: "Subscriber", claim: int) -> bool:
    """Whether the session still waits for the verdict on this claim."""
    return subscriber.claim == claim and subscriber.session.state in (SessionState.SETUP, SessionState.UP)
