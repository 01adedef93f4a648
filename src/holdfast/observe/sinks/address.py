"""Where a sink sends, as one text in the configuration: `syslog+tls://log.example:6514?ca=/etc/ssl/log.pem`."""

from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import SplitResult, parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Kind:
    """What an address of one kind may say: its port if none is named (0: a host makes no sense), and its options."""

    port: int
    options: frozenset[str] = frozenset()
    path: bool = False


_TLS = frozenset({"ca", "cert", "key"})
_FACILITY = frozenset({"facility"})
_TOKEN = frozenset({"token_file"})
_INDEX = frozenset({"index"})

KINDS: dict[str, Kind] = {
    "stdout": Kind(0),
    "journald": Kind(0, path=True),
    "file": Kind(0, path=True),
    "syslog+udp": Kind(514, _FACILITY),
    "syslog+tcp": Kind(601, _FACILITY),
    "syslog+tls": Kind(6514, _FACILITY | _TLS),
    "gelf+udp": Kind(12201),
    "gelf+tcp": Kind(12201),
    "gelf+tls": Kind(12201, _TLS),
    "http": Kind(80, _TOKEN, path=True),
    "https": Kind(443, _TOKEN | _TLS, path=True),
    "splunk+http": Kind(8088, _TOKEN | _INDEX, path=True),
    "splunk+https": Kind(8088, _TOKEN | _INDEX | _TLS, path=True),
    "elastic+http": Kind(9200, _TOKEN | _INDEX, path=True),
    "elastic+https": Kind(9200, _TOKEN | _INDEX | _TLS, path=True),
    "otlp+http": Kind(4318, _TOKEN, path=True),
    "otlp+https": Kind(4318, _TOKEN | _TLS, path=True),
}
"""Every kind of sink. Ports: RFC 5426, RFC 6587, RFC 5425, and those of the products."""

PATHS = frozenset({"ca", "cert", "key", "token_file"})


@dataclass(frozen=True, slots=True)
class SinkAddress:
    """A parsed address. `name` is what the log calls the sink; `path` is a file's or a request's."""

    kind: str
    host: str
    port: int
    path: str
    options: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The address without its options."""
        if not self.host:
            return f"{self.kind}:{self.path}" if self.path else self.kind
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}{self.path}"

    def option(self, key: str) -> str:
        """Return an option, "" when it is not given."""
        return dict(self.options).get(key, "")

    def __str__(self) -> str:
        """Return the address as it is written."""
        query = "&".join(f"{key}={value}" for key, value in self.options)
        return f"{self.name}?{query}" if query else self.name


def parse_sink(text: str) -> SinkAddress:
    """Read an address. ValueError says in a sentence what is wrong with it."""
    kind, _, _ = text.partition(":")
    rules = KINDS.get(kind)
    if rules is None:
        near = get_close_matches(kind, KINDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(KINDS)}"
        raise ValueError(f"there is no sink of the kind {kind!r}; {hint}")
    url = urlsplit(text)
    options = tuple(parse_qsl(url.query, keep_blank_values=True))
    _check_options(kind, rules, options)
    if rules.port:
        return _remote(kind, rules, url, options)
    path = text.removeprefix(kind).removeprefix(":").partition("?")[0]
    if path and (not path.startswith("/") or path.startswith("//") or not rules.path):
        raise ValueError(f"{kind} takes no host; a path is written as {kind}:/path" if rules.path else f"{kind} is all")
    if kind == "file" and not path:
        raise ValueError("a file is written as file:/path")
    return SinkAddress(kind, "", 0, path, options)


def _remote(kind: str, rules: Kind, url: SplitResult, options: tuple[tuple[str, str], ...]) -> SinkAddress:
    if url.username or url.password:
        raise ValueError("a password in an address is seen by everybody who sees the configuration; use token_file=")
    try:
        port = url.port
    except ValueError:
        raise ValueError("the port is not a number between 1 and 65535") from None
    if not url.hostname:
        raise ValueError(f"a host is missing: {kind}://HOST:{rules.port}")
    try:
        url.hostname.encode("idna")
    except UnicodeError:
        raise ValueError(f"{url.hostname!r} is no name of a host") from None
    if url.path not in {"", "/"} and not rules.path:
        raise ValueError(f"{kind} takes no path")
    return SinkAddress(kind, url.hostname, port or rules.port, url.path if url.path != "/" else "", options)


def _check_options(kind: str, rules: Kind, options: tuple[tuple[str, str], ...]) -> None:
    for key, value in options:
        if key not in rules.options:
            known = f"it takes {', '.join(sorted(rules.options))}" if rules.options else "it takes none"
            raise ValueError(f"{kind} has no option {key!r}; {known}")
        if not value:
            raise ValueError(f"the option {key!r} is empty")
        if key in PATHS and not value.startswith("/"):
            raise ValueError(f"{key}={value} depends on where the gateway is started; write the whole path")
