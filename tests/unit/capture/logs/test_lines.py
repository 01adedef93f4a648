import pytest

from holdfast.capture.logs.lines import Side, octets_in, read_line, side_of


@pytest.mark.parametrize(
    ("text", "program", "process", "message"),
    [
        ("Jan 10 10:00:01 host pppd[42]: Exit.", "pppd", "42", "Exit."),
        ("2026-01-10T10:00:01.5+01:00 host pptpd[7]: CTRL: x", "pptpd", "7", "CTRL: x"),
        ("pppd: Exit.", "pppd", "", "Exit."),
        ("pptp,ppp,info <pptp-bob>: authenticated", "mikrotik", "pptp-bob", "<pptp-bob>: authenticated"),
        ("ppp0:bob: send [CCP ConfReq]", "accel-ppp", "ppp0", "send [CCP ConfReq]"),
    ],
)
def test_every_program_has_its_way_of_writing(text: str, program: str, process: str, message: str) -> None:
    line = read_line(1, text)
    assert line is not None
    assert (line.program, line.process, line.message) == (program, process, message)


def test_remarks_and_nothing_are_left_out() -> None:
    assert read_line(1, "# remark") is None
    assert read_line(1, "  \n") is None


def test_sides() -> None:
    assert [side_of(name) for name in ("pptpd", "pptp", "pppd")] == [Side.SERVER, Side.CLIENT, Side.UNKNOWN]


@pytest.mark.parametrize(
    "message",
    [
        "rcvd [LCP TermReq id=0x4 7f f0 4c bc 00 3c cd 74 00 00 02 b3]",
        r'rcvd [LCP TermReq id=0x3 "b@j\37777777777\000<\37777777715t\000\000\002\37777777663"]',
        "LCP terminated by peer (&^WCS^@<M-Mt^@^@^BM-3)",
    ],
)
def test_three_ways_to_print_the_same_octets(message: str) -> None:
    assert any(octets.endswith(b"\x00\x3c\xcd\x74\x00\x00\x02\xb3") for octets in octets_in(message))
