"""The unit files: systemd understands every line of them, and the commands in them are ours."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from architecture.source_tree import ROOT

UNITS = sorted((ROOT / "packaging").glob("*.service"))
NAMES = [unit.name for unit in UNITS]

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian package systemd) is not installed"
)


def complaints(text: str, name: str, folder: Path) -> list[str]:
    """What systemd says of a unit. Its program need not be installed here, so another one stands for it."""
    unit = folder / name.replace("@", "@test")
    unit.write_text(re.sub(r"^(ExecStart|ExecReload)=\S+", r"\1=/bin/true", text, flags=re.MULTILINE))
    command = ("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    # The units of whatever else is installed here are no concern of ours.
    return [line for line in (done.stdout + done.stderr).splitlines() if "holdfast" in line]


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_systemd_has_nothing_to_complain_about(unit: Path, tmp_path: Path) -> None:
    assert complaints(unit.read_text(), unit.name, tmp_path) == []


@pytest.mark.parametrize("wrong", ["ProtectSytem=strict", "WatchdogSec=soon"])
def test_a_line_that_is_wrong_is_found(wrong: str, tmp_path: Path) -> None:
    text = (ROOT / "packaging" / "holdfast.service").read_text()
    assert complaints(text.replace("[Service]", f"[Service]\n{wrong}"), "holdfast.service", tmp_path)


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_the_service_manager_is_told_and_asks(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert {"Type=notify", "WatchdogSec=30"} <= set(lines)
    capabilities = {"AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW"}
    assert capabilities <= set(lines)


@pytest.mark.parametrize("unit", UNITS, ids=NAMES)
def test_the_options_of_the_command_exist(unit: Path) -> None:
    (started,) = re.findall(r"^ExecStart=\S+ (\w+) (.*)$", unit.read_text(), re.MULTILINE)
    command, arguments = started
    page = (ROOT / "docs" / "commands" / f"{command}.md").read_text()
    assert all(option in page for option in re.findall(r"--[a-z-]+", arguments))
