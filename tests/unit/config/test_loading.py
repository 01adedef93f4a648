"""Reading files: everything that is wrong at once, and where each setting came from."""

import errno
import json
import os
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.config import DEFAULT, Config, InvalidConfigError, UnreadableConfigError, load, parse, schema
from holdfast.config.loading import NAMED, _validate

AS_PROMISED = """\
[gateway]
listen = ["0.0.0.0:1723"]
[addresses]
gateway = "10.77.0.1"
pool = ["10.77.0.10-10.77.0.250"]
dns = ["10.77.0.1"]
nat = true
[ppp]
authentication = ["ms-chap-v2"]
mppe = "require"
mppe_bits = [128]
mppe_mode = "stateless"
mtu = 1400
"""


def test_the_promised_file_is_taken_as_written() -> None:
    loaded = parse(AS_PROMISED, "h.toml")
    assert loaded.warnings == ()
    assert loaded.config.addresses.dns == (IPv4Address("10.77.0.1"),)
    assert loaded.config.ppp == Config().ppp


def test_no_file_means_the_defaults() -> None:
    loaded = load(None)
    assert loaded.config == Config()
    assert {setting.origin for setting in loaded.settings()} == {DEFAULT}


def test_an_empty_file_means_the_defaults() -> None:
    assert parse("").config == Config()


def test_each_setting_says_where_it_came_from() -> None:
    origins = {setting.key: setting.origin for setting in parse(AS_PROMISED, "h.toml").settings()}
    assert origins["gateway.listen"] == "h.toml:2"
    assert origins["ppp.mtu"] == "h.toml:13"
    assert origins["ppp.mru"] == DEFAULT
    assert set(origins) == {f"{section}.{key}" for section, keys in Config() for key, _ in keys}


def test_the_origin_of_an_inline_table_is_its_line() -> None:
    assert parse("\nppp = {mtu = 1300}", "h.toml").origin("ppp.mtu") == "h.toml:2"


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = """\
speling = 3
[gatway]
listen = 3
[addresses]
gateway = "10.77.0.11"
nat = "yes"
[ppp]
authentication = ["mschapv2", "pap"]
mtu = 200
max_failur = 3
"""
    with pytest.raises(InvalidConfigError) as caught:
        parse(text, "h.toml")
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [
        (1, "speling"),
        (2, "gatway"),
        (4, "addresses.pool"),
        (6, "addresses.nat"),
        (8, "ppp.authentication"),
        (9, "ppp.mtu"),
        (10, "ppp.max_failur"),
    ]
    said = caught.value.text()
    assert "h.toml:8: ppp.authentication: 'mschapv2' is not one of eap, ms-chap-v2, ms-chap, chap-md5, pap" in said
    assert "Did you mean 'ms-chap-v2'?" in said


def test_a_default_that_stands_in_for_a_refused_value_is_not_blamed() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse('[gateway]\nlisten = ["10.77.0.20"]\n[addresses]\npool = ["nonsense"]')
    assert [problem.what for problem in caught.value.problems] == ["'nonsense' is not an address"]


def test_a_value_where_a_section_belongs() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse("ppp = 3")
    assert [(problem.key, problem.what) for problem in caught.value.problems] == [
        ("ppp", "this is the name of a section")
    ]


def test_why_1400() -> None:
    with pytest.raises(InvalidConfigError, match="1400 is the usual choice"):
        parse("[ppp]\nmtu = 9000")


def test_a_list_that_is_too_long_names_its_own_limit() -> None:
    many = ", ".join(f'"10.0.0.{number}"' for number in range(1, 66))
    with pytest.raises(InvalidConfigError) as caught:
        parse(f'[timeouts]\nheartbeats = [{many}]\n[addresses]\ndns = ["1.1.1.1", "1.1.1.2", "1.1.1.3"]')
    assert [(problem.what, problem.meant) for problem in caught.value.problems] == [
        ("these are 65, and 64 is the most that can be", ""),
        ("these are 3, and 2 is the most that can be", "A client can be told two servers of a kind (RFC 1877)."),
    ]


def test_an_example_of_a_number_is_one_that_makes_sense() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse('[ppp]\nmtu = "x"\n[gateway]\nsetup_timeout = "x"')
    assert [problem.meant for problem in caught.value.problems] == [
        "Write a number of octets without quotes, such as 1400.",
        "Write a number of seconds without quotes, such as 10.",
    ]


def test_what_is_not_toml_names_its_line() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        parse("[ppp]\nmtu = = 3\n", "h.toml")
    [problem] = caught.value.problems
    assert problem.line == 2
    assert caught.value.text().startswith("h.toml:2: this is not TOML: ")


def test_what_is_not_text_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "h.toml"
    file.write_bytes(b"[ppp]\n\n# caf\xe9\n")
    with pytest.raises(InvalidConfigError) as caught:
        load(file)
    assert caught.value.text() == f"{file}:3: this is not UTF-8 text"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfigError, match="No such file"):
        load(tmp_path / "h.toml")


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableConfigError, match="directory"):
        load(tmp_path)


def test_a_file_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path, _mode: str) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableConfigError, match="Permission denied"):
        load(tmp_path / "h.toml")


def test_the_schema_knows_every_key() -> None:
    document = json.loads(json.dumps(schema()))
    definitions = document["$defs"]
    for section, keys in Config():
        if section in NAMED:
            continue
        name = document["properties"][section]["$ref"].rsplit("/", 1)[1]
        assert set(definitions[name]["properties"]) == set(dict(keys))
        assert all(entry.get("description") for entry in definitions[name]["properties"].values())
        assert definitions[name]["additionalProperties"] is False


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["require", "pap"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([key for section, keys in Config() for key, _ in keys]) | st.text(max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["gateway", "addresses", "ppp", "users", "log", "timeouts", "limits", "admission", "groups", "x"]
        ),
        st.dictionaries(KEYS, VALUES, max_size=4) | VALUES,
        max_size=4,
    )
)
def test_any_data_is_taken_or_refused_in_words(data: dict[str, object]) -> None:
    config, problems = _validate(data)
    assert isinstance(config, Config)
    assert all(problem.what for problem in problems)


def test_what_is_far_too_large_is_not_read_to_its_end() -> None:
    with pytest.raises(UnreadableConfigError, match="more than 4 MiB"):
        load(Path("/dev/zero"))
