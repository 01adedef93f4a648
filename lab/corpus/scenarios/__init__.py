"""All scenarios, grouped by what they break."""

from lab.corpus.scenario import Scenario
from lab.corpus.scenarios import control, ends, gre, healthy, negotiation, own_gateway, quality, variants

ALL: tuple[Scenario, ...] = (
    *ends.SCENARIOS,
    *variants.SCENARIOS,
    *gre.SCENARIOS,
    *quality.SCENARIOS,
    *negotiation.SCENARIOS,
    *control.SCENARIOS,
    *healthy.SCENARIOS,
    *own_gateway.SCENARIOS,
)
"""The slowest groups come first, so that the lanes end together."""
