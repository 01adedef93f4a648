"""nftables through the command, with a stand-in for it."""

import json
from pathlib import Path

import pytest

from holdfast.errors import HostError
from holdfast.network import nft
from holdfast.network.nft import Nft

LISTED = {"nftables": [{"metainfo": {}}, {"table": {"family": "inet", "name": "holdfast", "handle": 1}}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(nft, "SEARCH_PATH", str(tmp_path))
    return tmp_path


def stand_in(folder: Path, body: str) -> None:
    command = folder / "nft"
    command.write_text(f"#!/bin/sh\n{body}\n")
    command.chmod(0o755)


def test_commands_go_in_as_one_transaction(folder: Path) -> None:
    stand_in(folder, f"echo $* > {folder}/args; cat > {folder}/input")
    Nft().run([nft.table("inet", "x"), nft.rule("inet", "x", "c", [nft.verdict("drop")])])
    assert (folder / "args").read_text() == "-j -f -\n"
    commands = json.loads((folder / "input").read_text())["nftables"]
    assert [next(iter(command)) for command in commands] == ["create", "add"]


def test_the_whole_ruleset_is_listed(folder: Path) -> None:
    stand_in(folder, f"echo '{json.dumps(LISTED)}'")
    assert Nft().ruleset() == LISTED["nftables"]


@pytest.mark.parametrize(
    ("said", "words", "fix"),
    [
        ("Error: Operation not permitted (you must be root)", "must be root", "CAP_NET_ADMIN"),
        ("Error: syntax error, unexpected x", "syntax error", ""),
        ("", "without a word", ""),
    ],
)
def test_a_refusal_is_one_sentence(folder: Path, said: str, words: str, fix: str) -> None:
    stand_in(folder, f"printf '%s\\nmore\\n' '{said}' >&2; exit 1" if said else "exit 1")
    with pytest.raises(HostError) as caught:
        Nft().run([])
    assert words in caught.value.what
    assert fix in caught.value.fix
    assert "more" not in caught.value.what


def test_without_the_command(folder: Path) -> None:
    with pytest.raises(HostError, match="nft command is missing"):
        Nft().run([])


def test_a_command_that_hangs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nft, "TIMEOUT", 0.1)
    stand_in(folder, "exec sleep 20")
    with pytest.raises(HostError, match="no answer"):
        Nft().run([])


def test_elements_of_a_set(folder: Path) -> None:
    listed = {
        "nftables": [{"metainfo": {}}, {"set": {"name": "servers", "elem": ["192.0.2.1", {"range": ["a", "b"]}]}}]
    }
    stand_in(folder, f"echo '{json.dumps(listed)}'")
    assert Nft().set_elements("inet", "x", "servers") == ["192.0.2.1"]
    stand_in(folder, 'echo \'{"nftables": [{"set": {"name": "servers"}}]}\'')
    assert Nft().set_elements("inet", "x", "servers") == []
