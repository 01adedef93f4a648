"""chap-secrets as a source."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import StateError
from holdfast.policy.chap_secrets import ChapSecrets, Entry, Skipped, parse
from holdfast.policy.ranges import AddressRange

FILE = rb"""# Secrets for authentication using CHAP
# client	server	secret			IP addresses
alice	pptpd	"se cret"	*
bob	*	pass\"word	10.77.0.5   # his own
carol	pptpd	x#y	*
"fr ank"	*	'a b'	10.78.0.0/30	10.79.0.9
greg	*	pw
hank	*	pw	-
ivan	* \
	pw	*	-- mtu 1400
J\374rgen	*	pw	10.80.0.7/24
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chap-secrets"
    path.write_bytes(FILE)
    path.chmod(0o600)
    return path


def password(source: ChapSecrets, name: str) -> str | None:
    found = source.find(name)
    return found.secret.reveal().decode() if found else None


def addresses(source: ChapSecrets, name: str) -> list[str] | None:
    found = source.find(name)
    return [str(part) for part in found.record.addresses] if found else None


def test_users_of_an_ordinary_file(file: Path) -> None:
    source = ChapSecrets(file)
    assert password(source, "alice") == "se cret"
    assert (password(source, "bob"), addresses(source, "bob")) == ('pass"word', ["10.77.0.5"])
    assert addresses(source, "fr ank") == ["10.78.0.1-10.78.0.2", "10.79.0.9"]
    assert (password(source, "ivan"), addresses(source, "ivan")) == ("pw", [])
    assert addresses(source, "J\u00fcrgen") == ["10.80.0.1-10.80.0.254"]
    assert source.find("zoe") is None
    assert source.find("Alice") is None
    assert source.skipped == ()


@pytest.mark.parametrize("name", ["carol", "greg", "hank"])
def test_a_line_without_an_address_lets_nobody_have_one(file: Path, name: str) -> None:
    found = ChapSecrets(file).find(name)
    assert found is not None
    assert found.record.no_address


def test_dedicated_addresses(file: Path) -> None:
    assert {str(key): value for key, value in ChapSecrets(file).dedicated().items()} == {
        "10.77.0.5": "bob",
        "10.79.0.9": "fr ank",
    }


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"alice", "has fewer words"),
        (b"alice pptpd", "has fewer words"),
        (b"alice other pw *", "another server than 'pptpd'"),
        (b"alice * @/etc/secret *", "secret lies in a file of its own"),
        (b"alice * '' *", "the password is empty"),
        (b"alice * 'a\tb' *", "cannot be typed"),
        (b"'' * pw *", "a user needs a name"),
        (b"'a\x01b' * pw *", "cannot be seen"),
        (b"alice * pw !10.0.0.1 *", "word 4 is an address with ! or +"),
        (b"alice * pw 10.0.0.0/24+", "word 4 is an address with ! or +"),
        (b"alice * pw host.example *", "word 4 is not an address"),
        (b"alice * pw 'unclosed", "a quote is never closed"),
    ],
)
def test_what_is_not_understood_is_skipped_with_a_reason(line: bytes, why: str) -> None:
    [skipped] = parse(line)
    assert isinstance(skipped, Skipped)
    assert why in skipped.why
    assert skipped.client.isprintable()


def test_the_rest_of_an_unquoted_secret_is_not_shown() -> None:
    [skipped] = parse(b"alice pptpd my hidden phrase *")
    assert isinstance(skipped, Skipped)
    assert not {"my", "hidden", "phrase"} & set(repr(skipped).split())


def test_no_secret_is_printed() -> None:
    assert "se cret" not in repr(parse(FILE))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (b"alice * first *\nalice * second *", "first"),
        (b"alice * any *\nalice pptpd exact *", "exact"),
        (b"* pptpd anyone *\nalice * own *", "own"),
        (b"* * anyone *\n* pptpd better *", "better"),
        (b"alice other not *\n* * anyone *", "anyone"),
    ],
)
def test_the_most_precise_line_counts(tmp_path: Path, lines: bytes, expected: str) -> None:
    path = tmp_path / "chap-secrets"
    path.write_bytes(lines)
    found = ChapSecrets(path).find("alice")
    assert found is not None
    assert (found.record.name, found.secret.reveal().decode()) == ("alice", expected)


def test_lines_for_another_server_name(file: Path) -> None:
    source = ChapSecrets(file, "vpn")
    assert source.find("alice") is None
    assert source.find("bob") is not None
    assert [skipped.client for skipped in source.skipped] == ["alice", "carol"]


def test_a_change_is_seen_at_the_next_look(file: Path) -> None:
    source = ChapSecrets(file)
    file.write_bytes(b"alice * other *\n")
    os.utime(file, ns=(1, 1))
    assert password(source, "alice") == "other"
    assert source.find("bob") is None
    assert source.dedicated() == {}


def test_a_file_put_in_its_place_is_seen(file: Path, tmp_path: Path) -> None:
    source = ChapSecrets(file)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"alice * new *\n")
    fresh.rename(file)
    assert password(source, "alice") == "new"


def test_an_unchanged_file_is_not_read_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = ChapSecrets(file)

    def fail(_: Path) -> bytes:
        raise AssertionError

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert password(source, "alice") == "se cret"


def test_a_file_that_is_not_there(file: Path) -> None:
    source = ChapSecrets(file)
    file.unlink()
    with pytest.raises(StateError, match="cannot be read: No such file"):
        source.find("alice")
    with pytest.raises(StateError, match="cannot be read"):
        ChapSecrets(file)


@settings(max_examples=150)
@given(st.binary(max_size=120) | st.text("a* '\"\\#-/!.10@\n", max_size=60).map(str.encode))
def test_any_file_is_entries_and_reasons(octets: bytes) -> None:
    for line in parse(octets):
        if isinstance(line, Entry):
            assert line.client
            assert len(line.secret) > 0
            assert all(isinstance(part, AddressRange) for part in line.addresses)
        else:
            assert line.why
