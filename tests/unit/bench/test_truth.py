from pathlib import Path

import pytest

from bench.truth import Score, score, wrong
from holdfast.capture.diagnosis import Diagnosis
from support.scene import Scene


def healthy(folder: Path) -> Diagnosis:
    return Scene().up().goodbye().diagnosis(folder)


def refused(folder: Path) -> Diagnosis:
    return Scene().call().lcp().refuse().goodbye(False).diagnosis(folder)


@pytest.mark.parametrize("label", [["healthy"], ["client-ended"], ["gre-loss", "healthy"]])
def test_right_about_a_good_session(tmp_path: Path, label: list[str]) -> None:
    assert wrong(healthy(tmp_path), label) == ""


@pytest.mark.parametrize("label", [["gre-loss"], ["server-ended"], ["nothing"]])
def test_wrong_about_a_good_session(tmp_path: Path, label: list[str]) -> None:
    assert wrong(healthy(tmp_path), label).startswith(label[0])


def test_a_bad_session(tmp_path: Path) -> None:
    assert wrong(refused(tmp_path), ["auth-rejected"]) == ""
    assert "but found auth-rejected" in wrong(refused(tmp_path), ["healthy"])
    assert "but found auth-rejected" in wrong(refused(tmp_path), ["gre-loss", "healthy"])


def test_facts_stand_beside_the_cause(tmp_path: Path) -> None:
    clear = Scene().call().lcp().authenticate().address().data(True, clear=True).data(False, clear=True)
    diagnosis = clear.goodbye(True, b"User request").diagnosis(tmp_path)
    assert wrong(diagnosis, ["user-disconnect"]) == ""
    assert wrong(diagnosis, ["cleartext-data"]) == ""
    assert wrong(diagnosis, ["healthy"]) != ""


def test_nothing_is_nothing(tmp_path: Path) -> None:
    assert wrong(Scene().udp(("192.0.2.1", 9), ("192.0.2.2", 9), b"x").diagnosis(tmp_path), ["nothing"]) == ""


def test_misses_are_named(tmp_path: Path) -> None:
    Scene().up().goodbye().write(tmp_path, "good.pcap")
    said: list[str] = []
    found = score(tmp_path, {"good.pcap": ["gre-loss"], "absent.pcap": ["healthy"]}, said.append)
    assert (found.judged, found.misses, found.share) == (1, ("good.pcap",), 0.0)
    assert said[0].startswith("miss: good.pcap is gre-loss, but found")
    assert Score(4, ("one",)).share == 0.75
