"""Exports of Windows' event log: RasClient, RemoteAccess and NPS, as CSV, XML and text.

The words are in the language of the machine, so numbers decide where they can: the event's, and the error's within.
"""

import csv
import re
from collections.abc import Iterator
from typing import cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from holdfast.capture.logs.lines import Line
from holdfast.capture.logs.nps import answer
from holdfast.capture.logs.patterns import ANY
from holdfast.capture.logs.when import Clock

EVENT_WORDS = 160
EVENT_MOST = 200
"""Lines of one event; more is damage."""
FAILED, SUCCEEDED = 20227, 20225
TIMES = ("timecreated", "date and time", "timegenerated", "time generated")
SOURCES = ("rasclient", "remoteaccess", "rasman", "rassstp", "iashlpr", "ias", "nps", "security-auditing", "router")
NPS_DENIED, NPS_GRANTED = 6273, 6272
BY_NUMBER = {20073: ("gre-missing", 0.5), 20209: ("gre-missing", 0.9)}
"""What events of a server say in any language: PPP that failed (KB 888201: GRE is blocked), and GRE that is blocked."""

_DECLARATION = re.compile(r"<\?xml.*?\?>")
_NUMBER = re.compile(r"(?<!\d)(\d{3})(?!\d)")
_COID = re.compile(r"CoId=(\{[^}]{1,64}\})")
_USER = re.compile(r"(?:The user |UserName: |Account Name:\s+)(?!SYSTEM\b)([\w.@\\$-]{1,64})")
_CLIENT = re.compile(r"connected from ([\da-fA-F.:]{3,45})|Calling Station Identifier:\s+([\da-fA-F.:]{3,45})")
_REASON = re.compile(r"Reason Code:\s+(\d+)")
_TEXT_START = re.compile(r"^Event\[\d+\]", re.IGNORECASE)
_TEXT_FIELD = re.compile(r"^\s+(Source|Date|Event ID|Description):\s*(.*)$")


def is_xml(first: str) -> bool:
    """Whether an export begins as XML."""
    return bool(re.match(r"\s*<(?:\?xml|Events?[\s>])", first))


def is_text(first: str) -> bool:
    """Whether an export begins as `wevtutil /f:text` writes it."""
    return bool(_TEXT_START.match(first))


def columns(first: str) -> dict[str, int]:
    """Return where the fields are, if this is the head of a CSV or tab-separated export; empty if it is none."""
    names = [name.strip().lower() for name in next(csv.reader([first.lstrip("\ufeff")], delimiter=_delimiter(first)))]
    places = {name: place for place, name in enumerate(names)}
    time = next((places[name] for name in TIMES if name in places), None)
    number = next((places[name] for name in ("id", "event id", "eventid", "instanceid") if name in places), None)
    source = next((places[name] for name in ("providername", "source", "provider name") if name in places), None)
    if time is None or number is None:
        return {}
    words = places.get("message", len(names))  # the Event Viewer gives the words no name
    return {"time": time, "id": number, "words": words} | ({} if source is None else {"source": source})


def _delimiter(first: str) -> str:
    return "\t" if first.count("\t") > first.count(",") else ","


def read_rows(lines: Iterator[str], clock: Clock) -> Iterator[Line]:
    """Read a CSV export; its words may go over several lines."""
    first = next(lines)
    place = columns(first)
    delimiter = _delimiter(first)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    number = 2
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            continue
        if row is None:
            return
        if len(row) > max(place["time"], place["id"]):
            source = row[place["source"]] if "source" in place and len(row) > place["source"] else ""
            words = row[place["words"]] if len(row) > place["words"] else row[-1]
            yield from _event(number, clock.take(row[place["time"]])[0], source, row[place["id"]], words)
        number = rows.line_num + 2


def read_text(lines: Iterator[str], clock: Clock) -> Iterator[Line]:
    """Read what `wevtutil qe LOG /f:text` wrote."""
    event: dict[str, str] = {}
    begin, words = 1, list[str]()
    for number, line in enumerate(lines, 1):
        found = _TEXT_FIELD.match(line)
        if _TEXT_START.match(line):
            yield from _text_event(begin, event, words, clock)
            event, words, begin = {}, [], number
        elif "Description" in event and len(words) < EVENT_MOST:
            words.append(line)
        elif found:
            event[found[1]] = found[2]
    yield from _text_event(begin, event, words, clock)


def _text_event(number: int, event: dict[str, str], words: list[str], clock: Clock) -> Iterator[Line]:
    if not event:
        return
    text = " ".join([event.get("Description", ""), *words])
    yield from _event(
        number, clock.take(event.get("Date", ""))[0], event.get("Source", ""), event.get("Event ID", ""), text
    )


def read_xml(lines: Iterator[str], clock: Clock) -> Iterator[Line]:
    """Read an XML export of the Event Viewer, or NPS' own log in DTS format: one event after the other.

    A document type, with which XML bombs begin, ends the reading, as does damage.
    """
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    parser.feed("<all>")
    inside: list[Element] = []
    begin = 1
    try:
        for number, line in enumerate(lines, 1):
            if "<!DOCTYPE" in line or "<!ENTITY" in line:
                return
            parser.feed(_DECLARATION.sub("", line) + "\n")
            for kind, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                if kind == "start":
                    inside.append(element)
                    begin = number if _name(element) == "Event" else begin
                    continue
                inside.pop()
                if _name(element) == "Event":
                    yield from _xml_event(begin, element, clock)
                    for outer in inside[-1:]:
                        outer.clear()
    except (ParseError, IndexError):
        return


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _xml_event(number: int, element: Element, clock: Clock) -> Iterator[Line]:
    texts: dict[str, str] = {}
    data: list[str] = []
    for part in element.iter():
        name, text = _name(part), (part.text or "").strip()
        if name == "Provider":
            texts["source"] = part.get("Name", "")
        elif name == "TimeCreated":
            texts["time"] = part.get("SystemTime", "")
        elif name == "Data":
            data.append(f"{part.get('Name', '')} {text}".strip())
        else:
            texts.setdefault(name, text)
    when = clock.take(texts.get("time") or texts.get("Timestamp", ""))[0]
    if "Packet-Type" in texts:
        yield from answer(number, when, texts.get("User-Name", ""), texts["Packet-Type"], texts.get("Reason-Code", ""))
    else:
        words = texts.get("Message") or " ".join(data)
        yield from _event(number, when, texts.get("source", ""), texts.get("EventID", ""), words)


def _event(number: int, when: int | None, source: str, event_id: str, words: str) -> Iterator[Line]:
    """Make a line of an event, if it is one of remote access."""
    source = source.lower().removeprefix("microsoft-windows-")
    if source and not source.startswith(SOURCES):
        return
    event = int(event_id) if event_id.strip().isdecimal() and len(event_id) < 9 else 0
    if not event or (source == "security-auditing" and event not in (NPS_DENIED, NPS_GRANTED)):
        return
    message = " ".join(words.split())
    if event == NPS_DENIED:
        reason = _REASON.search(message)
        yield from answer(number, when, _found(_USER, message), "3", reason[1] if reason else "")
        return
    codes = _NUMBER.findall(message) if event == FAILED else []
    if codes:  # in every language the last number of this event is the error
        message = f"{message} (error code is {codes[-1]})"
    meaning = None if ANY.search(message) else BY_NUMBER.get(event)
    told = ((*meaning, f"event {event}: {message}"[:EVENT_WORDS]),) if meaning else ()
    key = _found(_COID, message)
    up = event in (SUCCEEDED, NPS_GRANTED)
    client = _found(_CLIENT, message)
    user = _found(_USER, message)
    yield Line(number, when, "windows", key, message, user=user, client=client, told=told, up=up, begins=not key)


def _found(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return next((group for group in found.groups() if group), "") if found else ""
