"""What pptpd cannot say or do: Holdfast's own gateway with Debian's clients."""

from lab.corpus.plays import BUSY, attempt, broken, replaced
from lab.corpus.scenario import MPPE, Scenario, View, Where

LOSS = "tc qdisc add dev vec0 root netem loss 20%"
"""Towards the gateway."""


def near(*expected: str) -> tuple[View, ...]:
    """Return views from the client and from the router next to the gateway."""
    return View(Where.CLIENT, expected), View(Where.ROUTER, expected)


SCENARIOS = (
    Scenario("disabled", near("auth-disabled"), attempt, gateway="", administer=(("user", "disable", "alice"),)),
    Scenario("expired", near("auth-expired"), attempt, gateway="", radius="expired"),
    Scenario(
        "forged-proof",
        near("auth-mutual-failed"),
        attempt,
        client=("nomppe",),
        gateway='[ppp]\nmppe = "off"\n',
        radius="forged",
    ),
    Scenario("wrong-hours", near("auth-hours"), attempt, gateway='[admission]\nhours = "mon 03:00-03:01"\n'),
    Scenario(
        "replaced-by-gateway", near("session-replaced"), replaced, gateway='[limits]\nsingle_session = "replace-now"\n'
    ),
    Scenario(
        "stateful-loss",
        near("mppe-desync", "gre-loss"),
        broken(LOSS, 1, meanwhile=BUSY),
        client=(*MPPE, "mppe-stateful"),
        gateway='[ppp]\nmppe_mode = "stateful"\n',
    ),
)
