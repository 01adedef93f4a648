import pytest

from holdfast.capture.logs.lines import Side, octets_in, read_line, side_of


@pytest.mark.parametrize(
    ("text", "program", "process", "message"),
    [
        ("Jan 10 10:00:01 host pppd[42]: Exit.", "pppd", "42", "Exit."),
        ("2026-01-10T10:00:01.5+01:00 host pptpd[7]: CTRL: x", "pptpd", "7", "CTRL: x"),
        ("pppd: Exit.", "pppd", "", "Exit."),
        ("pptp,ppp,info <pptp-bob>: authenticated", "mikrotik", "pptp-bob", "<pptp-bob>: authenticated"),
        ("Connect: ppp0 <--> /dev/pts/0", "pppd", "", "Connect: ppp0 <--> /dev/pts/0"),
        ("LCP: timeout sending Config-Requests", "pppd", "", "LCP: timeout sending Config-Requests"),
        ("Jan 10 10:00:01 gw CTRL: Reaping child PPP[2]", "pptpd", "", "CTRL: Reaping child PPP[2]"),
        ("<30>1 2026-01-10T10:00:01Z gw pppd 42 - - Exit.", "pppd", "42", "Exit."),
        ("Sat Jan 10 10:00:01 2026 daemon.info pppd[42]: Exit.", "pppd", "42", "Exit."),
        ("Sat Jan 10 10:00:01 2026 : Auth: (1) Login incorrect: [bob]", "radiusd", "", "(1) Login incorrect: [bob]"),
        ("[2026-01-10 10:00:01]:  info: ppp0:bob: pptp: ppp started", "accel-ppp", "ppp0", "pptp: ppp started"),
        ("Jan 10 10:00:01 vyos accel-pptp[7]: ppp0:bob: ppp started", "accel-ppp", "ppp0", "ppp started"),
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
