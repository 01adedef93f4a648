"""From the address of a sink to the sink."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult

from holdfast.errors import ConfigError
from holdfast.observe.sinks import http, otlp
from holdfast.observe.sinks.address import SinkAddress
from holdfast.observe.sinks.gelf import GelfDatagrams, GelfStream
from holdfast.observe.sinks.journald import SOCKET, Journal
from holdfast.observe.sinks.local import Copy, Descriptor
from holdfast.observe.sinks.runner import Sink
from holdfast.observe.sinks.stream import Stream, Tls
from holdfast.observe.sinks.syslog import FACILITIES, SyslogDatagrams, SyslogStream
from holdfast.secret import Secret


def make_sink(address: SinkAddress) -> Sink:
    """Return the sink for an address. ConfigError when a file that it names cannot be used."""
    return _MAKERS[address.kind.partition("+")[0]](address)


def _syslog(address: SinkAddress) -> Sink:
    name = address.option("facility") or "daemon"
    facility = FACILITIES.get(name)
    if facility is None:
        raise ConfigError(
            f"there is no facility {name!r}", where=str(address), fix=f"Use one of {', '.join(FACILITIES)}."
        )
    if address.kind == "syslog+udp":
        return SyslogDatagrams(address.name, address.host, address.port, facility)
    return SyslogStream(address.name, _stream(address), facility)


def _gelf(address: SinkAddress) -> Sink:
    if address.kind == "gelf+udp":
        return GelfDatagrams(address.name, address.host, address.port)
    return GelfStream(address.name, _stream(address))


def _stream(address: SinkAddress) -> Stream:
    return Stream(address.host, address.port, _tls(address) if address.kind.endswith("+tls") else None)


def _tls(address: SinkAddress) -> Tls:
    tls = Tls(*(Path(value) if (value := address.option(key)) else None for key in ("ca", "cert", "key")))
    try:
        tls.context()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"a certificate cannot be used: {said}", where=str(address)) from None
    return tls


def _http(address: SinkAddress) -> Sink:
    product, _, scheme = address.kind.rpartition("+")
    dialects: dict[str, Callable[[], http.Dialect]] = {
        "": http.json_lines,
        "splunk": lambda: http.splunk(address.option("index")),
        "elastic": lambda: http.elastic(address.option("index")),
        "otlp": otlp.otlp,
    }
    host = f"[{address.host}]" if ":" in address.host else address.host
    url = SplitResult(scheme, f"{host}:{address.port}", address.path, "", "")
    tls = _tls(address) if scheme == "https" else Tls()
    return http.HttpSink(address.name, url, dialects[product](), _token(address), tls)


def _token(address: SinkAddress) -> Secret | None:
    path = address.option("token_file")
    if not path:
        return None
    try:
        token = Path(path).read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"the token cannot be read: {error.strerror}", where=path) from None
    if not token or not token.isascii() or b"\n" in token:
        raise ConfigError("a token is one line of ASCII text", where=path)
    return Secret(token)


_MAKERS: dict[str, Callable[[SinkAddress], Sink]] = {
    "stdout": lambda address: Descriptor(address.name),
    "journald": lambda address: Journal(address.name, Path(address.path) if address.path else SOCKET),
    "file": lambda address: Copy(address.name, Path(address.path)),
    "syslog": _syslog,
    "gelf": _gelf,
    "http": _http,
    "https": _http,
    "splunk": _http,
    "elastic": _http,
    "otlp": _http,
}
