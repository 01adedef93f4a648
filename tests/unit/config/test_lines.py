"""Lines of keys."""

import tomllib

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.config.lines import key_lines, line_of

TEXT = """\
top = 1
[gateway]   # comment
listen = [
  "0.0.0.0",
]
  echo_interval=5
[ "addresses" ]
"pool" = ["x"]
ppp.mtu = 5
[[log]]
level = "a"
"""


def test_keys_and_tables_are_found() -> None:
    assert key_lines(TEXT) == {
        ("top",): 1,
        ("gateway",): 2,
        ("gateway", "listen"): 3,
        ("gateway", "echo_interval"): 6,
        ("addresses",): 7,
        ("addresses", "pool"): 8,
        ("addresses", "ppp", "mtu"): 9,
        ("log",): 10,
        ("log", "level"): 11,
    }


def test_the_nearest_line_around() -> None:
    lines = key_lines(TEXT)
    assert line_of(lines, ("gateway", "listen", "0")) == 3
    assert line_of(lines, ("gateway", "missing")) == 2
    assert line_of(lines, ("nothing",)) == 0


KEYS = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, st.dictionaries(KEYS, st.integers(), max_size=4), max_size=4))
def test_every_key_of_a_plain_file_is_found_on_its_line(data: dict[str, dict[str, int]]) -> None:
    text = "".join(f"[{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in data.items())
    assert tomllib.loads(text) == data
    rows = text.splitlines()
    lines = key_lines(text)
    for name, keys in data.items():
        assert rows[lines[name,] - 1] == f"[{name}]"
        for key, value in keys.items():
            assert rows[lines[name, key] - 1] == f"{key} = {value}"
