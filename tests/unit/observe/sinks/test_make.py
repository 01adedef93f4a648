"""From an address to a sink."""

from pathlib import Path

import pytest

from holdfast.errors import ConfigError
from holdfast.observe.sinks.address import KINDS, parse_sink
from holdfast.observe.sinks.make import make_sink


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind: str) -> None:
    text = f"{kind}://127.0.0.1" if KINDS[kind].port else f"{kind}:/x" if kind == "file" else kind
    address = parse_sink(text)
    sink = make_sink(address)
    assert sink.name == address.name
    sink.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("syslog+udp://x?facility=local9", "there is no facility 'local9'"),
        ("syslog+tls://x?ca=/nowhere", "a certificate cannot be used"),
        ("https://x/?token_file=/nowhere", "the token cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_sink(parse_sink(text))


@pytest.mark.parametrize("content", ["", "two\nlines", "not äscii"])
def test_a_token_is_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(ConfigError, match="one line of ASCII"):
        make_sink(parse_sink(f"https://x/?token_file={path}"))
