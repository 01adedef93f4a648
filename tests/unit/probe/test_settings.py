"""What a probe asks."""

import pytest

from holdfast.probe.settings import Fetch, Kind, Lookup, Ping, Probe


@pytest.mark.parametrize(
    ("what", "kind", "target"),
    [
        (Lookup("intranet.example"), Kind.DNS, "intranet.example"),
        (Fetch("http://10.0.0.1/"), Kind.HTTP, "http://10.0.0.1/"),
        (Ping("10.0.0.1"), Kind.PING, "10.0.0.1"),
    ],
)
def test_each_has_its_kind_and_its_target(what: Lookup | Fetch | Ping, kind: Kind, target: str) -> None:
    probe = Probe("one", what)
    assert (probe.kind, probe.target) == (kind, target)
