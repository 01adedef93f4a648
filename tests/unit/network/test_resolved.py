"""Name servers told to systemd-resolved, with a stand-in for resolvectl."""

from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.network import resolved
from holdfast.network.kernel import Kernel
from holdfast.network.resolved import UseResolved

CHANGE = UseResolved("lo", ("10.0.0.1", "10.0.0.2"), ("~.",))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script = tmp_path / "resolvectl"
    script.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "calls"


def test_set_and_reverted(calls: Path) -> None:
    assert CHANGE.inspect(Kernel()) == {}
    CHANGE.apply(Kernel())
    assert UseResolved.from_plain(CHANGE.plain()).undo(Kernel(), {})
    assert calls.read_text().splitlines() == [
        "dns lo 10.0.0.1 10.0.0.2",
        "domain lo ~.",
        "default-route lo yes",
        "revert lo",
    ]


def test_a_link_that_is_gone_needs_nothing(calls: Path) -> None:
    assert not UseResolved("hf-gone", ("10.0.0.1",), ("corp.example",)).undo(Kernel(), {})
    assert not calls.exists()


def test_a_refusal_is_one_sentence(calls: Path) -> None:
    (calls.parent / "resolvectl").write_text("#!/bin/sh\necho no bus >&2\nexit 1\n")
    with pytest.raises(HostError, match="DNS lo: systemd-resolved refuses: no bus"):
        CHANGE.apply(Kernel())


def answering(calls: Path, script: str) -> None:
    (calls.parent / "resolvectl").write_text(f"#!/bin/sh\n{script}\n")


def test_it_is_seen_whether_it_still_stands(calls: Path) -> None:
    answering(calls, 'case $1 in dns) echo "Link 1 (lo): 10.0.0.2 10.0.0.1";; domain) echo "Link 1 (lo): ~.";; esac')
    assert CHANGE.stands()
    answering(calls, 'echo "Link 1 (lo):"')
    assert not CHANGE.stands()
    answering(calls, "exit 1")
    with pytest.raises(HostError):
        CHANGE.stands()


def test_what_is_gone_with_the_service_needs_no_undoing(calls: Path) -> None:
    answering(calls, "exit 1")
    assert not CHANGE.undo(Kernel(), {})
    answering(calls, '[ "$1" = status ] || exit 1')
    with pytest.raises(HostError, match="refuses"):
        CHANGE.undo(Kernel(), {})


def test_its_files_tell_that_something_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (tmp_path / "resolv.conf", tmp_path / "stub-resolv.conf")
    monkeypatch.setattr(resolved, "WRITTEN", files)
    assert resolved.stamp() == (None, None)
    files[0].write_text("nameserver 127.0.0.53")
    first = resolved.stamp()
    assert first == resolved.stamp() != (None, None)
    (tmp_path / "new").write_text("nameserver 127.0.0.53")
    (tmp_path / "new").replace(files[0])
    assert resolved.stamp() != first


def test_without_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(HostError, match="resolvectl command is missing"):
        CHANGE.apply(Kernel())
