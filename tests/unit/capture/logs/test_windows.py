from collections.abc import Iterator
from datetime import UTC

import pytest

from holdfast.capture.logs import windows
from holdfast.capture.logs.judge import read_log
from holdfast.capture.logs.lines import Line
from holdfast.capture.logs.when import Clock

COID = "{11111111-2222-3333-4444-555555555555}"
FAILED = (
    f"CoId={COID}: The user HOST\\bob dialed a connection named Office which has failed. "
    "The error code returned on failure is 809."
)
GERMAN = f"CoID={COID}: Der Benutzer bob hat eine Verbindung gewählt. Der Fehlercode lautet: 691."
XML = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<Events><Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="RasClient"/>
<EventID Qualifiers="0">20227</EventID><TimeCreated SystemTime="2026-01-02T03:04:05.123456700Z"/></System>
<EventData><Data>{11111111-2222-3333-4444-555555555555}</Data><Data>bob</Data><Data>Office</Data><Data>806</Data></EventData></Event>
<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="Other"/>
<EventID>20227</EventID></System><EventData><Data>691</Data></EventData></Event></Events>"""
DTS = """<Event><Timestamp data_type="4">01/02/2026 03:04:05.500</Timestamp><User-Name data_type="1">bob</User-Name>
<Packet-Type data_type="0">3</Packet-Type><Reason-Code data_type="0">34</Reason-Code></Event>"""
TEXT = """Event[0]:
  Log Name: System
  Source: RemoteAccess
  Date: 2026-01-02T03:04:05.000
  Event ID: 20209
  Level: Warning
  Description:
A connection between the VPN server and the VPN client 203.0.113.5 has been established, but the VPN connection
cannot be completed. ... not configured to allow Generic Routing Encapsulation (GRE) packets (protocol 47).

Event[1]:
  Source: RemoteAccess
  Date: 2026-01-02T03:05:05.000
  Event ID: 20271
  Description: The user bob connected from 203.0.113.6 but failed an authentication attempt for the following reason:
the user name and/or password is wrong.
"""


def rows(text: str) -> list[Line]:
    return list(windows.read_rows(iter(text.splitlines()), Clock(0.0, UTC)))


def test_powershell_csv() -> None:
    head = '"TimeCreated","Id","ProviderName","Message"'
    (line,) = rows(f'{head}\n"1/2/2026 3:04:05 AM","20227","RasClient","{FAILED}"')
    assert (line.program, line.process, line.user) == ("windows", COID, "HOST\\bob")
    assert line.when == 1767323045 * 10**9
    assert line.message.endswith("error code is 809)")


def test_event_viewer_csv_over_several_lines_and_in_german() -> None:
    head = "Level,Date and Time,Source,Event ID,Task Category"
    found = rows(
        f'{head}\nError,02.01.2026 03:04:05,RasClient,20227,None,"{GERMAN[:40]}\n{GERMAN[40:]}"\nx,y,Other,1,z,w'
    )
    assert [line.message.rpartition("(")[2] for line in found] == ["error code is 691)"]


def test_xml() -> None:
    (line,) = windows.read_xml(iter(XML.splitlines()), Clock(0.0, UTC))
    assert line.message.endswith("error code is 806)")
    assert line.when == 1767323045123456700
    assert line.number == 2


def test_nps_in_xml() -> None:
    (line,) = windows.read_xml(iter(DTS.splitlines()), Clock(0.0, UTC))
    assert [meaning for meaning, _, _ in line.told] == ["auth-disabled"]
    assert line.user == "bob"


def test_text_of_wevtutil() -> None:
    first, second = windows.read_text(iter(TEXT.splitlines()), Clock(0.0, UTC))
    assert "Generic Routing Encapsulation" in first.message
    assert (second.user, second.client) == ("bob", "203.0.113.6")


@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [("a.xml", XML, "gre-missing"), ("b.xml", DTS, "auth-disabled"), ("c.txt", TEXT, "gre-missing")],
)
def test_the_same_findings(tmp_path, name, text, cause) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-16")
    log = read_log(str(path))
    assert log.sessions[0].findings()[0][0].id == cause


def test_an_event_of_nps() -> None:
    words = "Network Policy Server denied access to a user. User: Account Name: bob Reason Code: 65"
    head = "TimeCreated,Id,ProviderName,Message"
    (line,) = rows(f"{head}\n2026-01-02 03:04:05,6273,Microsoft-Windows-Security-Auditing,{words}")
    assert [meaning for meaning, _, _ in line.told] == ["auth-no-permission"]


def test_bombs_and_damage_end_the_reading() -> None:
    bomb = ['<?xml version="1.0"?>', '<!DOCTYPE x [<!ENTITY a "aaaa">]>', "<Event>&a;</Event>"]
    assert list(windows.read_xml(iter(bomb), Clock(0.0))) == []
    broken = XML.replace("</Events>", "<<<").splitlines()
    assert len(list(windows.read_xml(iter(broken), Clock(0.0)))) == 1
    assert list(windows.read_xml(iter(["<Events></all></x>"]), Clock(0.0))) == []
    assert rows('TimeCreated,Id,Message\n,,\n\x00\x00,x\n"unclosed') == []


def test_what_is_no_export() -> None:
    assert windows.columns("Jan  2 03:04:05 host pppd[1]: a, b, c") == {}
    assert not windows.is_xml("pppd[1]: <Event>")
    assert not windows.is_text("Event: x")


def _endless() -> Iterator[str]:
    yield "<Events>"
    for _ in range(20_000):
        yield "<Event><System><Provider Name='RasClient'/><EventID>20227</EventID></System></Event>"


def test_a_long_export_keeps_nothing() -> None:
    assert sum(1 for _ in windows.read_xml(_endless(), Clock(0.0))) == 20_000


def test_events_of_a_server_are_known_by_their_number_in_any_language() -> None:
    head = '"TimeCreated","Id","ProviderName","Message"\n"1/2/2026 3:04:05 AM"'
    (ppp,) = rows(f'{head},"20073","Router","Fehler im PPP-Modul an Anschluss VPN3-4, Benutzer: bob."')
    (gre,) = rows(f'{head},"20209","RemoteAccess","Eine Verbindung wurde hergestellt, kann aber nicht beendet werden."')
    assert [line.told[0][:2] for line in (ppp, gre)] == [("gre-missing", 0.5), ("gre-missing", 0.9)]
    (other,) = rows(f'{head},"20050","Router","Etwas anderes"')
    assert other.told == ()


def test_the_words_of_an_event_count_more_than_its_number() -> None:
    head = '"TimeCreated","Id","ProviderName","Message"\n"1/2/2026 3:04:05 AM"'
    (line,) = rows(f'{head},"20073","Router","error on port VPN3-4: the user name and/or password is wrong"')
    assert line.told == ()
