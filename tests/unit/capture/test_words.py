import pytest

from holdfast.capture.words import counted, folded, lasted


@pytest.mark.parametrize(("number", "text"), [(0, "0 packets"), (1, "1 packet"), (2, "2 packets")])
def test_one_is_one(number: int, text: str) -> None:
    assert counted(number, "packet") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (599.9, "599.9 s"),
        (1800, "30 minutes"),
        (7300, "2.0 hours"),
        (3e5, "3.5 days"),
        (4.5e8, "14.3 years"),
    ],
)
def test_times_are_told_in_the_unit_that_people_take(seconds: float, text: str) -> None:
    assert lasted(seconds) == text


def test_lines_are_as_long_as_allowed_and_hold_every_word() -> None:
    text = "a few words of which none is long, again and again " * 5
    lines = list(folded(text, 30, "  ", "    "))
    assert all(len(line) <= 30 for line in lines)
    assert " ".join(" ".join(lines).split()) == text.strip()
    assert lines[0].startswith("  a")
    assert all(line.startswith("    ") for line in lines[1:])


def test_a_command_is_never_broken() -> None:
    command = "`nft 'add table ip pptp; add chain ip pptp pre { type filter hook prerouting priority 0; }'`"
    lines = list(folded(f"Do this: {command}, and then that.", 40))
    assert sum(command in line for line in lines) == 1


def test_nothing_is_no_line() -> None:
    assert not list(folded("", 20))
