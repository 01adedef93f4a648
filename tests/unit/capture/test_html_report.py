from html.parser import HTMLParser
from pathlib import Path

import pytest

from holdfast.capture.html_report import render, write
from holdfast.errors import HoldfastError
from support.scene import CLIENT, SERVER, Scene

VOID = {"meta", "link", "br", "img", "path", "line", "rect"}


class Checker(HTMLParser):
    """Collects what a page refers to, and complains when its elements are not nested."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.arrows = 0
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids |= {value or "" for name, value in attrs if name == "id"}
        self.arrows += tag == "a" and ("class", "row") in [(name, (value or "")[:3]) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def check(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def test_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    page = render(Scene().call().lcp().refuse().goodbye(False).diagnosis(tmp_path))
    checker = check(page)
    assert all(target.startswith("#") for target in checker.outside)
    assert {target[1:] for target in checker.outside} <= checker.ids
    assert checker.arrows > 10
    assert "Wrong user name or password" in page
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_names_from_the_wire_cannot_write_the_page(tmp_path: Path) -> None:
    page = render(Scene().up(b"<script>alert(1)</script>").goodbye().diagnosis(tmp_path))
    check(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_losses_are_in_the_plot(tmp_path: Path) -> None:
    scene = Scene().up().talk(10).lose(True, 5).talk(20)
    assert "bar lost" in render(scene.diagnosis(tmp_path))


def test_nothing_is_a_page_too(tmp_path: Path) -> None:
    page = render(Scene().udp((CLIENT, 1), (SERVER, 2), b"").diagnosis(tmp_path))
    check(page)
    assert "No PPTP in this capture" in page


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(HoldfastError, match="cannot be written"):
        write(Scene().up().diagnosis(tmp_path), tmp_path / "no" / "such" / "page.html")


def test_a_long_command_has_a_line_of_its_own(tmp_path: Path) -> None:
    scene = Scene().call()
    for _ in range(5):
        scene.configure(True, 0xC021, 1, (5, b"abcd")).wait(2)
    page = render(scene.hang_up(True).diagnosis(tmp_path))
    assert '<code class="line">iptables -t raw -A PREROUTING' in page
    assert "<code>nft list ruleset</code>" in page
