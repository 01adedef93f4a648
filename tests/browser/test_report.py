"""The page of `holdfast diagnose --html` in Debian's chromium: what it does, and that it can be read everywhere."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.capture.diagnosis import compare_ends
from holdfast.capture.html_report import render
from support.browser import Browser, Page, browser
from support.scene import Scene

pytestmark = pytest.mark.browser

PHONE, DESK = (390, 844), (1100, 800)
PNG = b"\x89PNG"
BRIGHTNESS = (
    "getComputedStyle(document.body).{}.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)"
)


def refused() -> Scene:
    return Scene().call().lcp().refuse().goodbye(False)


def one_sided() -> Scene:
    scene = Scene().up().talk(10)
    for _ in range(20):
        scene.data(True).wait(1)
    return scene


def many() -> Scene:
    scenes = [
        Scene(port=30000 + number, client=f"192.0.2.{number + 1}", client_call=number, now=1000.0 + 40 * number)
        for number in range(12)
    ]
    for number, scene in enumerate(scenes):
        _ = scene.up().goodbye() if number % 3 else scene.call().lcp().refuse().goodbye(False)
    return scenes[0].together(*scenes[1:])


def two_ends(folder: Path) -> str:
    scene = Scene().up().talk(20)
    far = Scene()
    far.frames = [(time + 9, frame) for number, (time, frame) in enumerate(scene.frames) if number not in (60, 62, 64)]
    return render(compare_ends([str(scene.write(folder, "client.pcap"))], [str(far.write(folder, "server.pcap"))]))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of different cases, by name."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {
        name: render(scene.diagnosis(folder))
        for name, scene in {
            "healthy": Scene().up().talk(30).goodbye(),
            "refused": refused(),
            "one-sided": one_sided(),
            "many": many(),
        }.items()
    }
    texts["two-ends"] = two_ends(folder)
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests."""
    with browser(tmp_path_factory.mktemp("chromium")) as started:
        yield started


def opened(chromium: Browser, path: Path, size: tuple[int, int] = DESK, *, dark: bool = False) -> Page:
    page = Page(chromium, *size, dark=dark, touch=size == PHONE)
    page.open(path)
    return page


CASES = ["healthy", "refused", "one-sided", "many", "two-ends"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dark", [False, True])
def test_a_phone_shows_all_of_it_and_asks_for_nothing(
    chromium: Browser, pages: dict[str, Path], case: str, dark: bool
) -> None:
    page = opened(chromium, pages[case], PHONE, dark=dark)
    assert page.complaints == []
    assert page.requests == [pages[case].as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    assert page.picture().startswith(PNG)
    back, ink = (page.evaluate(BRIGHTNESS.format(name)) for name in ("backgroundColor", "color"))
    assert (back < 200 < 550 < ink) if dark else (ink < 200 < 550 < back)


def test_nothing_in_a_ladder_runs_into_something_else(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, pages["refused"], PHONE)
    outside = """[...document.querySelectorAll('svg.strip text')]
        .filter(text => getComputedStyle(text).display != 'none')
        .map(text => [text.getBoundingClientRect(), text.closest('svg').getBoundingClientRect(), text.textContent])
        .filter(([own, all]) => own.left < all.left - 1 || own.right > all.right + 1).map(each => each[2])"""
    assert page.evaluate(outside) == []


def test_an_arrow_tells_its_fields_and_the_fault_is_marked(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, pages["refused"])
    tips = page.evaluate("[...document.querySelectorAll('svg a.row title')].map(each => each.textContent)")
    assert any("CHAP Challenge" in tip and "frame" in tip and "name=server" in tip for tip in tips)
    marked = page.evaluate("[...document.querySelectorAll('svg a.row.bad title')].map(each => each.textContent)")
    assert any("CHAP Failure" in tip and "proof of auth-rejected" in tip for tip in marked)
    assert not any("SYN" in tip for tip in marked)
    page.evaluate("document.querySelector('a.row').scrollIntoView({block: 'center'})")
    place = page.evaluate(
        "(box => [box.x + box.width / 2, box.y + box.height / 2])"
        "(document.querySelector('a.row').getBoundingClientRect())"
    )
    before = page.evaluate("getComputedStyle(document.querySelector('a.row .hit')).fill")
    page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    assert page.evaluate("document.querySelector('a.row').matches(':hover')")
    assert page.evaluate("getComputedStyle(document.querySelector('a.row .hit')).fill") != before


def test_everything_can_be_reached_by_keyboard(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, pages["refused"])
    seen = []
    for _ in range(4):
        page.press("Tab", 9)
        seen.append(page.evaluate("document.activeElement.localName"))
    assert seen[:2] == ["summary", "a"]
    page.press("Enter", 13)
    target = page.evaluate("document.querySelector(':target').closest('details').open")
    assert target, "the list of messages opens at the one that was followed"
    assert "protocol_version" in page.evaluate("document.querySelector(':target').textContent")


def test_the_list_of_sessions_leads_to_each(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, pages["many"])
    targets = page.evaluate("[...document.querySelectorAll('td.id a')].map(each => each.getAttribute('href'))")
    assert len(targets) == 12
    assert all(page.evaluate(f"document.querySelector('{target}') !== null") for target in targets)


def test_a_frame_that_vanished_ends_half_way(chromium: Browser, pages: dict[str, Path]) -> None:
    page = opened(chromium, pages["two-ends"])
    assert "vanish between client and server" in page.evaluate("document.querySelector('h1').textContent")
    ends = page.evaluate("[...document.querySelectorAll('a.row line')].map(each => each.getAttribute('x2'))")
    assert "52%" in ends


@pytest.mark.parametrize("dark", [False, True])
def test_print_has_everything_and_cuts_no_line(
    chromium: Browser, pages: dict[str, Path], tmp_path: Path, dark: bool
) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext (Debian package poppler-utils)")
    page = opened(chromium, pages["refused"], dark=dark)
    pdf = tmp_path / "page.pdf"
    pdf.write_bytes(page.printed())
    sheets = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for words in ("Wrong user name or password", "On the server", "Start-Control-Connection-Request", "CHAP Failure"):
        assert words in sheets
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    sizes = [tuple(map(float, found)) for found in re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', boxes)]
    assert len(sizes) >= 2
    for sheet, (width, height) in zip(boxes.split("<page ")[1:], sizes, strict=True):
        for place in re.findall(r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)"', sheet):
            left, top, right, bottom = map(float, place)
            assert 0 < left < right < width
            assert 20 < top < bottom < height - 20
