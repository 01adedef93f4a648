"""One typed configuration, from one TOML file in which every key is optional.

Read by gateway, dialer and command line only: inner layers get small frozen values of their own.
"""

from holdfast.config.loading import DEFAULT, LoadedConfig, Setting, load, parse, schema
from holdfast.config.model import Config, MppeModes, MppePolicy
from holdfast.config.named_files import unreadable_files
from holdfast.config.problems import InvalidConfigError, Problem, UnreadableConfigError
from holdfast.config.values import Endpoint

__all__ = [
    "DEFAULT",
    "Config",
    "Endpoint",
    "InvalidConfigError",
    "LoadedConfig",
    "MppeModes",
    "MppePolicy",
    "Problem",
    "Setting",
    "UnreadableConfigError",
    "load",
    "parse",
    "schema",
    "unreadable_files",
]
