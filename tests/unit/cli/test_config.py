"""`holdfast config`."""

import json
from pathlib import Path

import pytest

from holdfast.config import Config
from unit.cli.conftest import Run

GOOD = "[ppp]\nmtu = 1300\n"
UNWISE = "[ppp]\nmtu = 1480\n"
BAD = '[ppp]\nmtu = 100\n[gatway]\nlisten = ["0.0.0.0"]\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "h.toml"


def test_a_good_file(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    assert run("config", "check", file) == (0, f"{file}: can be used as it is\n", "")


def test_an_unwise_file_is_good_with_a_warning(run: Run, file: Path) -> None:
    file.write_text(UNWISE)
    code, out, _ = run("config", "check", file)
    assert code == 0
    assert out.startswith(f"warning: {file}:2: ppp.mtu: 1480 octets")


def test_a_bad_file_with_all_its_problems(run: Run, file: Path) -> None:
    file.write_text(BAD)
    code, out, _ = run("config", "check", file)
    assert code == 1
    assert f"{file}:2: ppp.mtu: 100 is not between 576" in out
    assert f"{file}:3: gatway: there is no such section\n  Did you mean 'gateway'?" in out
    assert out.endswith("2 problems; nothing starts with this file.\n")


def test_problems_for_programs(run: Run, file: Path) -> None:
    file.write_text(BAD)
    code, out, _ = run("config", "check", file, "--json")
    answer = json.loads(out)
    assert code == 1
    assert (answer["file"], answer["usable"], answer["warnings"]) == (str(file), False, [])
    assert [(problem["key"], problem["line"]) for problem in answer["problems"]] == [("ppp.mtu", 2), ("gatway", 3)]
    file.write_text(UNWISE)
    code, out, _ = run("config", "check", file, "--json")
    answer = json.loads(out)
    assert (code, answer["usable"], [one["key"] for one in answer["warnings"]]) == (0, True, ["ppp.mtu"])


@pytest.mark.parametrize("arguments", [["config", "check"], ["config", "show", "--config"]])
def test_a_file_that_cannot_be_read(run: Run, file: Path, arguments: list[str]) -> None:
    code, out, err = run(*arguments, file)
    assert (code, out) == (2, "")
    assert err.startswith(f"holdfast: {file}: cannot be read: No such file or directory\n")


def test_settings_with_their_origin(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    code, out, _ = run("config", "show", "--config", file)
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "." in line.split(" ")[0]}
    assert code == 0
    assert rows["ppp.mtu"] == ["1300", f"{file}:2"]
    assert rows["ppp.mru"] == ["1400", "default"]
    assert rows["addresses.dns"] == ["-", "default"]


def test_settings_for_programs(run: Run, file: Path) -> None:
    file.write_text(GOOD)
    settings = {one["key"]: one for one in json.loads(run("config", "show", "--config", file, "--json").out)}
    assert settings["ppp.mtu"] == {"key": "ppp.mtu", "value": 1300, "origin": f"{file}:2"}
    assert settings["gateway.listen"] == {"key": "gateway.listen", "value": ["0.0.0.0:1723"], "origin": "default"}


def test_show_with_a_bad_file_shows_its_problems(run: Run, file: Path) -> None:
    file.write_text(BAD)
    code, out, err = run("config", "show", "--config", file)
    assert (code, out) == (2, "")
    assert "Did you mean 'gateway'?" in err


def test_the_schema(run: Run) -> None:
    code, out, _ = run("config", "schema")
    assert code == 0
    assert set(json.loads(out)["properties"]) == set(Config.model_fields)


def test_a_hostile_file_does_not_steer_the_terminal(run: Run, file: Path) -> None:
    file.write_text('"\\u001b[31m" = 1\n')
    code, out, _ = run("config", "check", file)
    assert code == 1
    assert "\x1b" not in out


def test_a_file_that_it_names_and_that_is_not_there(run: Run, file: Path) -> None:
    file.write_text(f'[users]\nchap_secrets = "{file}.none"\n')
    code, out, _ = run("config", "check", file)
    assert code == 0
    assert out.startswith(f"warning: {file}:2: users.chap_secrets: {file}.none: there is no such file")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[timeouts]\nidle_timeout = "15 min"\n',
            "'15 min' is not a number\n  Write a number of seconds without quotes",
        ),
        (
            '[groups.a]\nidle_timeout = "15 min"\n',
            "'15 min' is not a number\n  Write a number of seconds without quotes",
        ),
        ('[log]\nkeep_admin = "a year"\n', "'a year' is not a whole number\n  Write a number of days without quotes"),
    ],
)
def test_a_text_where_a_number_belongs(run: Run, file: Path, text: str, said: str) -> None:
    file.write_text(text)
    code, out, _ = run("config", "check", file)
    assert (code, said in out) == (1, True), out
