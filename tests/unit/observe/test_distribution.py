"""Distributions as Prometheus reads them."""

from holdfast.observe.distribution import Distribution, Spread


def test_each_bound_counts_all_that_lies_below() -> None:
    distribution = Distribution((0.1, 1.0))
    assert distribution.read() == Spread((("0.1", 0), ("1.0", 0), ("+Inf", 0)), 0.0)
    for value in (0.05, 0.1, 0.5, 7.0):
        distribution.observe(value)
    assert distribution.read() == Spread((("0.1", 2), ("1.0", 3), ("+Inf", 4)), 7.65)
