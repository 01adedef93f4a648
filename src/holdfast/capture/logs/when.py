"""When a line of a log was written: many ways to say it, most of which leave something out.

Syslog leaves out the year and the zone, RouterOS the day. What is missing is taken from the file's own time and from
this machine's zone, and is remembered as guessed, so that a report can say so.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

DAY = 86_400
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}

_CLOCK = r"(?P<clock>\d\d?:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
_ZONE = r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+)?"
_FORMS = tuple(
    re.compile(rf"^\[?{_WEEKDAY}{form}\]?(?=[\s:,\"]|$)", re.IGNORECASE)
    for form in (
        rf"(?P<year>\d{{4}})[-/](?P<number>\d\d)[-/](?P<day>\d\d)[T ]{_CLOCK}{_ZONE}",
        rf"(?P<month>[a-z]{{3}})\s+(?P<day>\d\d?)\s+{_CLOCK}(?:\s(?P<year>\d{{4}})(?!\S))?{_ZONE}",
        rf"(?P<month>[a-z]{{3}})\s+(?P<day>\d\d?)\s+(?P<year>\d{{4}})\s+{_CLOCK}{_ZONE}",
        rf"(?P<month>[a-z]{{3}})/(?P<day>\d\d?)(?:/(?P<year>\d{{4}}))?\s+{_CLOCK}",
        rf"(?P<number>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{{4}})[ T]{_CLOCK}(?:\s(?P<half>AM|PM))?",
        rf"(?P<day>\d\d?)\.(?P<number>\d\d?)\.(?P<year>\d{{4}})[ T]{_CLOCK}",
        _CLOCK,
    )
)


@dataclass
class Clock:
    """Reads the times of one log. `newest`: no line is later, in seconds since 1970; `zone` where lines name none."""

    newest: float
    zone: tzinfo | None = None
    guessed_year: bool = False
    guessed_day: bool = False
    guessed_zone: bool = False
    _form: re.Pattern[str] = field(default=_FORMS[0], repr=False)
    _last: tuple[str, int] | None = field(default=None, repr=False)

    def take(self, text: str) -> tuple[int | None, str]:
        """Return the time at the beginning of a line, in nanoseconds since 1970, and the rest of the line."""
        head = text[:1]
        if not (head.isalnum() or head == "["):
            return None, text
        for form in (self._form, *_FORMS):
            if found := form.match(text):
                moment = self._remembered(found)
                if moment is not None:
                    self._form = form
                    return moment, text[found.end() :].lstrip(" \t")
        return None, text

    def _remembered(self, found: re.Match[str]) -> int | None:
        """Many lines are of the same second, and calendars cost time."""
        if self._last is None or self._last[0] != found[0]:
            moment = self._moment(found)
            if moment is None:
                return None
            self._last = (found[0], moment)
        return self._last[1]

    def notes(self) -> list[str]:
        """Say what had to be guessed."""
        notes = []
        if self.guessed_day:
            notes.append("its lines do not say the day: the day of the file's last change is assumed")
        elif self.guessed_year:
            notes.append("its lines do not say the year: the latest that fits the file's last change is assumed")
        if self.guessed_zone:
            notes.append(f"its lines do not say the time zone: this machine's ({self._zone_name()}) is assumed")
        return notes

    def _zone_name(self) -> str:
        return datetime.fromtimestamp(self.newest, self.zone).astimezone(self.zone).tzname() or "UTC"

    def _moment(self, found: re.Match[str]) -> int | None:
        parts = found.groupdict()
        part = (parts.get("part") or "")[:9].ljust(9, "0")
        try:
            naive = self._naive(parts)
            zone = _zone(parts.get("zone") or "")
            self.guessed_zone = self.guessed_zone or zone is None
            moment = naive.replace(tzinfo=zone or self.zone) if zone or self.zone else naive.astimezone()
            return int(moment.timestamp()) * 1_000_000_000 + int(part)
        except (ValueError, OverflowError, OSError):
            return None

    def _naive(self, parts: dict[str, str | None]) -> datetime:
        hour, minute, second = map(int, (parts["clock"] or "").split(":"))
        if half := parts.get("half"):
            hour = hour % 12 + (12 if half.upper() == "PM" else 0)
        newest = datetime.fromtimestamp(self.newest, self.zone)
        if not parts.get("day"):
            self.guessed_day = True
            return newest.replace(hour=hour, minute=minute, second=min(second, 59), microsecond=0, tzinfo=None)
        month = int(parts["number"] or 0) if parts.get("number") else MONTHS.get((parts.get("month") or "").lower(), 0)
        day, year = int(parts["day"] or 0), int(parts.get("year") or 0)
        time = newest.replace(day=1, hour=hour, minute=minute, second=min(second, 59), microsecond=0, tzinfo=None)
        if year:
            return time.replace(year=year, month=month, day=day)
        self.guessed_year = True
        limit = newest.replace(tzinfo=None) + timedelta(seconds=DAY)
        found = time.replace(month=month, day=day)
        return found if found <= limit else found.replace(year=newest.year - 1)


def _zone(text: str) -> tzinfo | None:
    if not text:
        return None
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
