"""Debian's chromium without a window, driven over a pipe by its DevTools protocol: no driver, no port, no network."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-headless-shell")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--remote-debugging-pipe",
    "about:blank",
)
PATIENCE = 90.0
"""Seconds that an answer of the browser may take on a machine with other things to do."""


class BrowserError(AssertionError):
    """The browser did not do what it was asked for."""


class Browser:
    """A running browser. Messages are JSON, each ended by a NUL (the DevTools protocol over descriptors 3 and 4)."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._numbers = itertools.count(1)
        self._buffer = b""
        self.heard: list[dict[str, Any]] = []

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; raises `BrowserError` when the browser refuses or is silent."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda each: each.get("id") == number, method)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, event: str) -> None:
        """Wait until the browser has told of an event since the last command that was sent."""
        if not any(each.get("method") == event for each in self.heard):
            self._wait(lambda each: each.get("method") == event, event)

    def _wait(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" in self._buffer:
                octets, _, self._buffer = self._buffer.partition(b"\0")
                message: dict[str, Any] = json.loads(octets)
                self.heard.append(message)
                if wanted(message):
                    return message
            ready, _, _ = select.select([self._from], [], [], max(end - time.monotonic(), 0))
            octets = os.read(self._from, 1 << 20) if ready else b""
            if not octets:
                raise BrowserError(f"no answer to {what}")
            self._buffer += octets


class Page:
    """One page of a browser, and everything that went wrong on it."""

    def __init__(self, browser: Browser, width: int, height: int, *, dark: bool, touch: bool) -> None:
        self._browser = browser
        target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command about this page."""
        return self._browser.ask(method, self._session, **parameters)

    def open(self, path: Path) -> None:
        """Load a file and wait until it is there."""
        self._browser.heard.clear()
        self.ask("Page.navigate", url=path.absolute().as_uri())
        self._browser.wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and let go of a key."""
        for kind in ("keyDown", "keyUp"):
            text = "\r" if key == "Enter" and kind == "keyDown" else ""
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def picture(self, *, whole: bool = True) -> bytes:
        """Return the page as a PNG, all of it or what a screen shows."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole))
        return base64.b64decode(answer["data"])

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def printed(self) -> bytes:
        """Return the page as it is printed, as PDF on A4."""
        answer = self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=False)
        return base64.b64decode(answer["data"])

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for since it was opened."""
        return [each["params"]["request"]["url"] for each in self._told("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """Script errors and what the browser's console says."""
        methods = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(each["params"]) for method in methods for each in self._told(method)]

    def _told(self, method: str) -> Iterator[dict[str, Any]]:
        heard = self._browser.heard
        return (each for each in heard if each.get("method") == method and each.get("sessionId") == self._session)


def _pipe() -> tuple[int, int]:
    """Return both ends of a pipe, with numbers above those that the browser wants."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run a browser with its profile in `folder`; skips the test where there is none."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no chromium (Debian package chromium)")
    to_browser, ours_out = _pipe()
    ours_in, from_browser = _pipe()
    redirect = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", redirect, "bash", program, f"--user-data-dir={folder / 'profile'}", *FLAGS],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(to_browser, from_browser),
        )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Browser(ours_out, ours_in)
    finally:
        os.close(ours_out)
        os.close(ours_in)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
