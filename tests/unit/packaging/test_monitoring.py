"""Alert rules and dashboard: they are valid, they fire, and every name in them is one that the gateway has."""

import asyncio
import json
import re
import shutil
import subprocess

import pytest

from architecture.source_tree import ROOT
from holdfast.dialer.metrics import DialMetrics
from holdfast.dialer.metrics_probes import probe_families
from holdfast.errors import DisconnectReason
from holdfast.events import Event
from holdfast.observe.metrics import Metrics
from holdfast.observe.metrics_reading import CallReading, Reading, UserReading

PROMETHEUS = ROOT / "packaging" / "prometheus"
RULES = PROMETHEUS / "holdfast.rules.yml"
DASHBOARD = ROOT / "packaging" / "grafana" / "holdfast.json"
SUFFIXES = ("_bucket", "_sum", "_count")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], check=False, cwd=PROMETHEUS, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def exposed() -> set[str]:
    """Every name that a scrape can show."""
    reading = Reading(users=(UserReading("alice", 1.0, 0, 0),), calls=(CallReading(1, "alice", 0, 0),))
    metrics = Metrics(lambda: reading, per_user=True)
    metrics.take_reading()
    return names_in(metrics.expose())


def exposed_by_tunnels() -> set[str]:
    """The same of a dialer."""
    probe = {"name": "inside", "kind": "ping", "failed": False, "runs": {}, "last": None}
    of_probes = {family.name: family.type for family in probe_families({"office": {"probes": [probe]}})}
    suffixed = {f"{name}_total" if kind == "counter" else name for name, kind in of_probes.items()}
    return names_in(asyncio.run(DialMetrics(["office"]).page())) | suffixed


def names_in(page: bytes) -> set[str]:
    return {line.split()[2] for line in page.decode().splitlines() if line.startswith("# TYPE ")}


def expressions() -> list[str]:
    """Every query of the dashboard, then the rules as a whole."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())] + [RULES.read_text()]


def used() -> set[str]:
    return {name for text in expressions() for name in named(text)}


def named(text: str) -> set[str]:
    """The metrics that a text names, be it by one of their series."""
    names = set(re.findall(r"\bholdfast_\w+", text)) - {"holdfast_"}
    return {next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in names}


@needs_promtool
def test_the_rules_are_valid():
    promtool("check", "rules", RULES.name)


@needs_promtool
def test_the_alerts_fire_when_they_should_and_only_then():
    promtool("test", "rules", "holdfast.rules.test.yml")


def test_every_alert_is_seen_to_fire_and_stands_in_the_documentation():
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:\n", (PROMETHEUS / "holdfast.rules.test.yml").read_text())
    page = (ROOT / "docs" / "tasks" / "metrics.md").read_text(encoding="utf-8")
    assert len(alerts) > 40
    assert alerts == set(fired) == set(re.findall(r"`(Holdfast[A-Z]\w+)`", page))


def test_every_name_in_rules_and_dashboard_exists():
    assert len(used()) > 15
    assert used() <= exposed() | exposed_by_tunnels()


def test_every_word_in_them_exists():
    text = "\n".join(expressions())
    words = {word for group in re.findall(r'\bevent=~?"([A-Z_|]+)"', text) for word in group.split("|")}
    assert words <= {kind.name for kind in Event.__subclasses__()}
    reasons = {word for group in re.findall(r'\breason(?:!?~|!?=)"([a-z_|]+)"', text) for word in group.split("|")}
    assert reasons <= set(DisconnectReason)


def test_the_panels_of_the_dashboard_do_not_overlap():
    taken: set[tuple[int, int]] = set()
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        squares = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not squares & taken
        assert place["x"] + place["w"] <= 24
        taken |= squares


@needs_promtool
def test_prometheus_understands_every_query_of_the_dashboard(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$instance", ".*")}
        for number, expression in enumerate(expressions()[:-1])
    ]
    path = tmp_path / "panels.yml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", str(path))


def test_every_metric_has_its_line_in_the_documentation():
    page = (ROOT / "docs" / "tasks" / "metrics.md").read_text(encoding="utf-8")
    ours = {name for name in exposed() | exposed_by_tunnels() if name.startswith("holdfast_")}
    assert ours == named(page)
