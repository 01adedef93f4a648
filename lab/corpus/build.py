"""Plays the scenarios, several at a time, and writes the captures and their labels."""

import json
import queue
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from lab import image
from lab.corpus.gateway_stage import gateway_guest, staged
from lab.corpus.scenario import NOTHING, Scenario, View
from lab.guest import Guest, GuestError
from lab.network import namespace, remove_abandoned

GUESTS, LANES = 2, 4
"""Guests at the same time, and scenarios at the same time in each: they mostly wait."""
LABELS = "labels.json"
"""File name -> the findings of which any is right at the top. File names tell scenario, place and part."""
ATTEMPTS = 2
KNOCK = (1723).to_bytes(2)
"""What every capture holds in which somebody dialled: the port."""


def file_name(scenario: Scenario, view: View) -> str:
    """Return the name of a capture's file."""
    return f"{scenario.name}.{view.where}{view.tag}.pcap"


def build(folder: Path, scenarios: Sequence[Scenario], say: Callable[[str], None] = print) -> None:
    """Make the captures of these scenarios and the labels; needs root.

    Raises `GuestError` when a scenario could not be played.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_abandoned()
    waiting, outside_too = queue.SimpleQueue[Scenario](), queue.SimpleQueue[Scenario]()
    for scenario in scenarios:
        (waiting if scenario.gateway is None else outside_too).put(scenario)
    failed: list[str] = []
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        outside = stack.enter_context(namespace("corpus"))
        built = image.ensure()
        count = min(GUESTS, waiting.qsize())
        guests = [stack.enter_context(Guest(built, outside, place / f"guest{index}")) for index in range(count)]
        lanes = [
            threading.Thread(target=_lane, args=(guest, f"lane{lane}", waiting, folder, failed, say))
            for lane in range(LANES)
            for guest in guests
        ]
        if not outside_too.empty():
            gate = stack.enter_context(gateway_guest(built, outside, place))
            lanes.append(threading.Thread(target=_lane, args=(gate, "gate", outside_too, folder, failed, say)))
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
    labels = read_labels(folder)
    wanted = {file_name(each, view): list(view.expected) for each in scenarios for view in each.views}
    labels |= {name: expected for name, expected in wanted.items() if (folder / name).exists()}
    (folder / LABELS).write_text(json.dumps(labels, indent=1), encoding="utf-8")
    if failed:
        raise GuestError("not played: " + "; ".join(failed))


def read_labels(folder: Path) -> dict[str, list[str]]:
    """Return the labels of a corpus; none where there is no corpus."""
    path = folder / LABELS
    labels: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return labels


def _lane(
    guest: Guest,
    name: str,
    waiting: "queue.SimpleQueue[Scenario]",
    folder: Path,
    failed: list[str],
    say: Callable[[str], None],
) -> None:
    """Play scenarios until none waits."""
    while True:
        try:
            scenario = waiting.get_nowait()
        except queue.Empty:
            return
        begin = time.monotonic()
        trouble = _played(guest, name, scenario, folder)
        say(f"{scenario.name}: {time.monotonic() - begin:.0f} s{trouble and ', failed'}")
        if trouble:
            failed.append(f"{scenario.name} ({trouble})")


def _played(guest: Guest, lane: str, scenario: Scenario, folder: Path) -> str:
    """Play a scenario and keep its captures; return what went wrong twice."""
    trouble = ""
    for _ in range(ATTEMPTS):
        try:
            with staged(guest, lane, scenario) as stage:
                scenario.play(stage)
            made = stage.files()
        except GuestError as error:
            trouble = str(error)
            continue
        if len(made) < len(scenario.views):
            trouble = f"only {len(made)} of {len(scenario.views)} captures: no tunnel came up"
            continue
        whole = [(view, octets) for view, octets in made if not (view.only or view.late) and view.expected != NOTHING]
        silent = [view for view, octets in whole if KNOCK not in octets]
        if silent:
            trouble = f"nobody dialled, as seen at {', '.join(view.where for view in silent)}"
            continue
        for view, octets in made:
            (folder / file_name(scenario, view)).write_bytes(octets)
        return ""
    return trouble
