import random
from pathlib import Path

import pytest

from holdfast.capture.logs.judge import read_log

PLAIN = "Jan  2 03:04:05 h pppd[4]: Peer bob failed CHAP authentication\n"
XML = (
    "<Events><Event><System><Provider Name='RasClient'/><EventID>20227</EventID></System>"
    "<EventData><Data>809</Data></EventData></Event></Events>\n"
)
SEEDS = [
    PLAIN,
    '"TimeCreated","Id","ProviderName","Message"\n1/2/2026 3:04:05 AM,20227,RasClient,error 809\n',
    XML,
    "Event[0]:\n  Source: RasClient\n  Event ID: 20227\n  Description: code 809\n",
    '"NPS1","IAS",01/02/2026,03:04:05,3,"bob"' + "," * 20 + "65,\n",
    '{"event":"TEARDOWN","session":"1","reason":"auth_failed","ts":"2026-01-02T03:04:05Z"}\n',
]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_format_is_told_by_its_beginning(tmp_path: Path, seed: str) -> None:
    path = tmp_path / "log"
    path.write_text("\n\n" + seed, encoding="utf-8")
    (session,) = read_log(str(path)).sessions
    assert session.findings()


@pytest.mark.parametrize("number", range(40))
def test_hostile_changes_are_survived(tmp_path: Path, number: int) -> None:
    chance = random.Random(number)
    octets = bytearray("".join(chance.choices(SEEDS, k=6)).encode())
    for _ in range(60):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    path = tmp_path / "log"
    path.write_bytes(bytes(octets))
    for session in read_log(str(path)).sessions:
        session.as_data()


def test_the_year_and_the_zone_that_are_missing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(PLAIN, encoding="utf-8")
    assert len(read_log(str(path)).notes) == 2
