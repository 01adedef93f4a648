"""What was probably meant."""

import pytest

from holdfast.config.loading import SECTIONS
from holdfast.config.problems import WORDS_OF_OTHERS, InvalidConfigError, Problem, did_you_mean, meant_by_unknown_key


def test_the_text_of_a_problem() -> None:
    assert Problem(("a", "b"), "wrong", "Try c.", 7).text("f.toml") == "f.toml:7: a.b: wrong\n  Try c."
    assert Problem((), "wrong").text("f.toml") == "f.toml: wrong"


def test_all_problems_are_in_the_error() -> None:
    error = InvalidConfigError("f", [Problem(("a",), "one"), Problem(("b",), "two")])
    assert error.text() == "f: a: one\nf: b: two"


def test_nearest_word() -> None:
    assert did_you_mean("MSCHAPV2", ["pap", "ms-chap-v2"]) == "Did you mean 'ms-chap-v2'?"
    assert did_you_mean("zzz", ["pap"]) == ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("gatway",), "Did you mean 'gateway'?"),
        (("ppp", "max_failur"), "Did you mean 'max_failure'?"),
        (("ppp", "pools"), "Did you mean 'pool' in [addresses]?"),
        (("listen",), "Did you mean 'listen' in [gateway]?"),
        (("addresses", "remoteip"), "In Holdfast this is addresses.pool."),
        (("require-mppe-128",), 'In Holdfast this is ppp.mppe = "require" with ppp.mppe_bits = [128].'),
        (("xyzzy",), "The sections are gateway, addresses, ppp, users, control, log"),
    ],
)
def test_unknown_keys(path: tuple[str, ...], said: str) -> None:
    assert meant_by_unknown_key(path, SECTIONS).startswith(said)


@pytest.mark.parametrize("ours", WORDS_OF_OTHERS.values())
def test_translations_name_keys_that_exist(ours: str) -> None:
    section, _, key = ours.split(" ", 1)[0].partition(".")
    assert key in SECTIONS[section]
