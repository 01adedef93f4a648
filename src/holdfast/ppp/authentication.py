"""The face of authentication: one door to all methods, for the link and for everyone above it."""

from holdfast.ppp.authentication_types import (
    PROTOCOLS,
    AuthenticatorConfig,
    AuthOutcome,
    AuthTiming,
    ChapMd5Exchange,
    Exchange,
    Method,
    MsChapError,
    MsChapExchange,
    MsChapV2Exchange,
    PapExchange,
    PeerCredentials,
    Verdict,
    VerifyCredentials,
    lcp_option_value,
    method_from_option,
)

__all__ = [
    "PROTOCOLS",
    "AuthOutcome",
    "AuthTiming",
    "AuthenticatorConfig",
    "ChapMd5Exchange",
    "Exchange",
    "Method",
    "MsChapError",
    "MsChapExchange",
    "MsChapV2Exchange",
    "PapExchange",
    "PeerCredentials",
    "Verdict",
    "VerifyCredentials",
    "lcp_option_value",
    "method_from_option",
]
