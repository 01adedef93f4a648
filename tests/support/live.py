"""Scenes as a packet socket gives them to `holdfast watch`, and a desk with what it reports."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.events import Event
from holdfast.watch.desk import Desk
from holdfast.watch.ring import Captured
from holdfast.watch.shelf import Shelf, ShelfLimits
from support.scene import Scene

ETHERNET = 14


def captured(scene: Scene) -> list[Captured]:
    """Return the frames of a scene without their link headers."""
    return [
        Captured(round(time * 1e6) * 1000, int.from_bytes(frame[12:14]), frame[ETHERNET:], len(frame) - ETHERNET)
        for time, frame in scene.frames
    ]


@dataclass
class LiveDesk:
    """A desk, and what it told."""

    desk: Desk = field(init=False)
    told: list[tuple[Event, dict[str, Any]]] = field(default_factory=list)
    now: int = 0

    @classmethod
    def make(cls, folder: Path | None = None, limits: ShelfLimits | None = None, port: int = 1723) -> "LiveDesk":
        """Return one; with a folder it keeps captures there. `port` is the servers'."""
        made = cls()
        shelf = Shelf(folder, limits or ShelfLimits(), lambda _why: None) if folder else None
        made.desk = Desk("test0", lambda event, context: made.told.append((event, context)), shelf, port=port)
        return made

    def play(self, scene: Scene, *, step: float = 0.5) -> "LiveDesk":
        """Let a scene happen, looking at the clock as the service does."""
        for packet in captured(scene):
            while self.now and packet.nanoseconds - self.now > step * 1e9:
                self.wait(step)
            self.now = max(packet.nanoseconds, self.now)
            self.desk.take(packet)
        return self

    def wait(self, seconds: float, *, lost: int = 0) -> "LiveDesk":
        """Let time pass."""
        self.now += int(seconds * 1e9)
        self.desk.tick(self.now, lost)
        return self

    def silence(self, seconds: float) -> "LiveDesk":
        """Let time pass in small steps."""
        for _ in range(int(seconds)):
            self.wait(1.0)
        return self

    def names(self) -> list[str]:
        """Return the words of all events."""
        return [event.name for event, _ in self.told]

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one word, with their envelopes."""
        return [{**context, **event.fields()} for event, context in self.told if event.name == name]
