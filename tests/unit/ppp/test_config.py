"""The defaults that operators get without asking."""

from holdfast.ppp.config import LinkConfig, MppeMode, MppePolicy


def test_defaults_are_safe() -> None:
    config = LinkConfig()
    assert config.ccp.policy is MppePolicy.REQUIRE
    assert config.ccp.bits == (128,)
    assert config.ccp.modes == (MppeMode.STATELESS,)
    assert config.demand == config.accept == ()
    assert (config.lcp.mru, config.lcp.mtu) == (1400, 1400)
    assert not config.trace
