"""The front door of the package."""

import holdfast.config as front
from holdfast.errors import ConfigError


def test_every_name_of_the_front_door_leads_somewhere() -> None:
    assert len(set(front.__all__)) == len(front.__all__)
    assert all(hasattr(front, name) for name in front.__all__)


def test_what_is_wrong_with_a_file_is_one_kind_of_error() -> None:
    assert issubclass(front.InvalidConfigError, ConfigError)
    assert issubclass(front.UnreadableConfigError, ConfigError)


def test_the_way_through_it() -> None:
    loaded = front.parse('[gateway]\nlisten = ["192.0.2.1"]\n', "h.toml")
    assert isinstance(loaded.config, front.Config)
    assert [str(endpoint) for endpoint in loaded.config.gateway.listen] == ["192.0.2.1:1723"]
    assert front.Setting("gateway.listen", ["192.0.2.1:1723"], "h.toml:2") in loaded.settings()
