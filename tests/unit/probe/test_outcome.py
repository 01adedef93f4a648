"""How probes turn out, in words and in plain data."""

import json

import pytest

from holdfast.probe.outcome import EchoSeries, Outcome, Stage, Way, told

SERIES = EchoSeries(Way.TUNNEL, "10.0.0.1", 4, (0.010, 0.014, 0.011))
SILENT = EchoSeries(Way.DIRECT, "192.0.2.1", 4)


def test_loss_mean_and_jitter() -> None:
    assert SERIES.loss == 0.25
    assert SERIES.mean == pytest.approx(0.035 / 3)
    assert SERIES.jitter == pytest.approx((0.004 + 0.003) / 2)
    assert (SILENT.loss, SILENT.mean, SILENT.jitter) == (1.0, None, None)
    assert EchoSeries(Way.TUNNEL, "10.0.0.1", 1, (0.01,)).jitter is None


def test_it_is_plain_data() -> None:
    plain = Outcome("fine", 0.5, ways=(SERIES, SILENT), steps={"name": 0.1}).plain()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["ok"], plain["result"], plain["stage"]) == (True, "ok", None)
    assert [way["received"] for way in plain["ways"]] == [3, 0]
    assert plain["ways"][0]["slowest"] == 0.014


def test_one_word_says_what_failed() -> None:
    assert Outcome("", 1, Stage.TLS).result == "tls"
    late = Outcome("", 1, Stage.TLS, timed_out=True)
    assert (late.result, late.plain()["stage"], late.ok) == ("timeout", "tls", False)


def test_both_ways_are_told() -> None:
    text = told([SERIES, SILENT])
    assert "round trip 11.7 ms, jitter 3.5 ms, loss 25% to 10.0.0.1 through the tunnel" in text
    assert "none of 4 echoes to the server 192.0.2.1 beside it were answered" in text
