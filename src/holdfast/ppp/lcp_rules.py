"""The options of LCP: what we ask of the peer, what we grant it (RFC 1661 section 6)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from holdfast.errors import DisconnectReason
from holdfast.machine import Entropy
from holdfast.ppp.authentication_types import Method, lcp_option_value, method_from_option
from holdfast.ppp.config import DEFAULT_MRU, LcpConfig
from holdfast.ppp.control_protocol_types import Failure, Judgement
from holdfast.ppp.options import LcpOption, Option

MINIMUM_MRU = 128
"""Below this a peer cannot be served: its own control packets would not fit."""

MAX_LOOPS = 5
"""Configure-Requests with our own Magic-Number until the link is called looped back."""


@dataclass(slots=True)
class LcpValues:
    """What holds for one direction: the options of the side that asked for them, or RFC 1661's defaults."""

    mru: int = DEFAULT_MRU
    accm: int = 0xFFFFFFFF
    authentication: Method | None = None
    magic: int = 0
    protocol_field_compression: bool = False
    address_and_control_field_compression: bool = False


class LcpRules:
    """Both directions of LCP's options.

    `demand`: methods the peer may prove itself by, in order. `accept`: methods by which we can prove ourselves.
    `local` is what the peer granted us, `peer` what we granted it; both count once LCP is Opened.
    """

    __slots__ = (
        "_accept",
        "_config",
        "_demand",
        "_entropy",
        "_left",
        "_loops",
        "_mru",
        "_rejected",
        "failure",
        "local",
        "peer",
        "unmet",
    )

    def __init__(
        self, config: LcpConfig, demand: tuple[Method, ...], accept: tuple[Method, ...], entropy: Entropy
    ) -> None:
        self._config, self._demand, self._accept, self._entropy = config, demand, accept, entropy
        self._loops = 0
        self._clear()

    def reset(self) -> None:
        """Begin a negotiation anew, with a new Magic-Number."""
        self._clear()
        if self._config.magic_number:
            self._new_magic()

    def _clear(self) -> None:
        self.failure: Failure | None = None
        self.local = LcpValues()
        self.peer = LcpValues()
        self._mru = self._config.mru
        self._left = list(self._demand)
        """Methods still to be tried; the first is the one in our Configure-Request."""
        self._rejected: set[int] = set()
        self.unmet = ""
        """How the peer wants us to prove ourselves, in words, where we do not allow that."""

    # --- our options ---------------------------------------------------------------------------------------

    def request(self) -> list[Option]:
        """Return the options of our next Configure-Request, in the order in which pppd writes them."""
        config, options = self._config, []
        if self._mru != DEFAULT_MRU:
            options.append(Option(LcpOption.MRU, self._mru.to_bytes(2)))
        if config.accm is not None:
            options.append(Option(LcpOption.ACCM, config.accm.to_bytes(4)))
        if self._left:
            options.append(Option(LcpOption.AUTHENTICATION_PROTOCOL, lcp_option_value(self._left[0])))
        if config.magic_number:
            options.append(Option(LcpOption.MAGIC_NUMBER, self.local.magic.to_bytes(4)))
        if config.protocol_field_compression:
            options.append(Option(LcpOption.PROTOCOL_FIELD_COMPRESSION))
        if config.address_and_control_field_compression:
            options.append(Option(LcpOption.ADDRESS_AND_CONTROL_FIELD_COMPRESSION))
        return [option for option in options if option.type not in self._rejected]

    def confirmed(self, options: Sequence[Option]) -> None:
        """Our last request was acknowledged: its values hold."""
        for option in options:
            _READERS[option.type](self.local, option.data)

    def suggested(self, options: Sequence[Option]) -> None:
        """Follow a Configure-Nak where it names what we allow; otherwise stay with what we asked."""
        for option in options:
            if option.type == LcpOption.MRU and len(option.data) == 2:
                self._mru_suggested(int.from_bytes(option.data))
            elif option.type == LcpOption.AUTHENTICATION_PROTOCOL:
                self._method_suggested(method_from_option(option.data))
            elif option.type == LcpOption.MAGIC_NUMBER and self._config.magic_number:
                self._new_magic()

    def refused(self, options: Sequence[Option]) -> None:
        """Never ask again for what was rejected; a peer that will not prove itself is refused."""
        for option in options:
            self._rejected.add(option.type)
            if option.type == LcpOption.AUTHENTICATION_PROTOCOL:
                self._refuse_authentication("the peer rejects every authentication")
            elif option.type == LcpOption.MAGIC_NUMBER:
                self.local.magic = 0

    def _mru_suggested(self, mru: int) -> None:
        """Follow up to the default, which every implementation must be able to receive (RFC 1661 section 6.1)."""
        if MINIMUM_MRU <= mru <= max(DEFAULT_MRU, self._config.mru):
            self._mru = mru

    def _method_suggested(self, method: Method | None) -> None:
        if method is not None and method in self._left:
            self._left.remove(method)
            self._left.insert(0, method)
            return
        if self._left:
            self._left.pop(0)
        if self._demand and not self._left:
            self._refuse_authentication(
                f"no common authentication method; the peer's last wish was {method or 'unknown'}"
            )

    def _refuse_authentication(self, detail: str) -> None:
        self.failure = Failure(DisconnectReason.AUTH_REFUSED, detail)

    def _new_magic(self) -> None:
        self.local.magic = int.from_bytes(self._entropy(4)) or 1

    # --- the peer's options --------------------------------------------------------------------------------

    def judge(self, options: Sequence[Option]) -> Judgement:
        """Reject what is not ours to negotiate, all at once; refuse values that cannot be."""
        judgement = Judgement()
        if self._is_ours(options):
            self._judge_loop(options, judgement)
            return judgement
        seen: set[int] = set()
        for option in options:
            judge = self._JUDGES.get(option.type)
            suggestion = None if judge is None or option.type in seen else judge(self, option)
            seen.add(option.type)
            if suggestion is None:
                judgement.rejected.append(option)
            elif suggestion != option:
                judgement.refused.append((option, suggestion))
        return judgement

    def granted(self, options: Sequence[Option]) -> None:
        """Remember what the peer may count on."""
        self.peer = LcpValues()
        self._loops = 0
        for option in options:
            _READERS[option.type](self.peer, option.data)

    def _is_ours(self, options: Sequence[Option]) -> bool:
        """Whether this Configure-Request may be our own come back: same Magic-Number (RFC 1661 section 6.4)."""
        ours = Option(LcpOption.MAGIC_NUMBER, self.local.magic.to_bytes(4))
        return self.local.magic != 0 and ours in options

    def _judge_loop(self, options: Sequence[Option], judgement: Judgement) -> None:
        self._loops += 1
        if self._loops >= MAX_LOOPS:
            detail = f"{self._loops} Configure-Requests carried our own Magic-Number: the link is looped back"
            self.failure = Failure(DisconnectReason.NETWORK_ERROR, detail)
        magic = next(option for option in options if option.type == LcpOption.MAGIC_NUMBER)
        judgement.refused.append((magic, Option(LcpOption.MAGIC_NUMBER, self._other_magic())))

    def _other_magic(self) -> bytes:
        magic = self._entropy(4)
        return magic if any(magic) else b"\0\0\0\1"

    def _judge_mru(self, option: Option) -> Option:
        if len(option.data) != 2:
            return Option(option.type, DEFAULT_MRU.to_bytes(2))
        return Option(option.type, max(int.from_bytes(option.data), MINIMUM_MRU).to_bytes(2))

    def _judge_accm(self, option: Option) -> Option:
        """Grant any map: GRE escapes nothing."""
        return option if len(option.data) == 4 else Option(option.type, bytes(4))

    def _judge_authentication(self, option: Option) -> Option | None:
        """Prove ourselves by a method we have; suggest ours for another; without any, reject."""
        if not self._accept:
            return None
        method = method_from_option(option.data)
        if method not in self._accept:
            self.unmet = f"it asks for {method or 'an unknown method'}, and we allow {', '.join(self._accept)}"
        return Option(option.type, lcp_option_value(method if method in self._accept else self._accept[0]))

    def _judge_magic(self, option: Option) -> Option:
        """Grant any number but zero, which is illegal (RFC 1661 section 6.4)."""
        legal = len(option.data) == 4 and any(option.data)
        return option if legal else Option(option.type, self._other_magic())

    def _judge_flag(self, option: Option) -> Option | None:
        """An option without value cannot be refused by a Configure-Nak (RFC 1661 section 5.3)."""
        return None if option.data else option

    # --- state as data -------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {
            "local": _values_as_data(self.local),
            "peer": _values_as_data(self.peer),
            "mru": self._mru,
            "left": [method.value for method in self._left],
            "rejected": sorted(self._rejected),
            "unmet": self.unmet,
            "loops": self._loops,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what `snapshot` returned."""
        self.local = _values_from_data(state["local"])
        self.peer = _values_from_data(state["peer"])
        self._mru = state["mru"]
        self._left = [Method(method) for method in state["left"]]
        self._rejected = set(state["rejected"])
        self.unmet = state.get("unmet", "")
        self._loops = state["loops"]

    _JUDGES: ClassVar[dict[int, Callable[[Any, Option], Option | None]]] = {
        LcpOption.MRU: _judge_mru,
        LcpOption.ACCM: _judge_accm,
        LcpOption.AUTHENTICATION_PROTOCOL: _judge_authentication,
        LcpOption.MAGIC_NUMBER: _judge_magic,
        LcpOption.PROTOCOL_FIELD_COMPRESSION: _judge_flag,
        LcpOption.ADDRESS_AND_CONTROL_FIELD_COMPRESSION: _judge_flag,
    }
    """What we would acknowledge in place of an option: the option itself, another value, or None for a reject.

    Everything else is rejected: quality reports, callback, MRRU, endpoint discriminator, what is not known.
    """


def _values_as_data(values: LcpValues) -> dict[str, Any]:
    data = asdict(values)
    data["authentication"] = None if values.authentication is None else values.authentication.value
    return data


def _values_from_data(data: Mapping[str, Any]) -> LcpValues:
    method = data["authentication"]
    return LcpValues(**{**data, "authentication": None if method is None else Method(method)})


def _read_number(name: str) -> Callable[[LcpValues, bytes], None]:
    return lambda values, data: setattr(values, name, int.from_bytes(data))


def _read_flag(name: str) -> Callable[[LcpValues, bytes], None]:
    return lambda values, _data: setattr(values, name, True)


_READERS: dict[int, Callable[[LcpValues, bytes], None]] = {
    LcpOption.MRU: _read_number("mru"),
    LcpOption.ACCM: _read_number("accm"),
    LcpOption.AUTHENTICATION_PROTOCOL: lambda values, data: setattr(values, "authentication", method_from_option(data)),
    LcpOption.MAGIC_NUMBER: _read_number("magic"),
    LcpOption.PROTOCOL_FIELD_COMPRESSION: _read_flag("protocol_field_compression"),
    LcpOption.ADDRESS_AND_CONTROL_FIELD_COMPRESSION: _read_flag("address_and_control_field_compression"),
}
