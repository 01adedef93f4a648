"""`holdfast probe`: ask through a tunnel now, whoever brought it up."""

import asyncio
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from holdfast.cli.common import JsonOption, StateOption
from holdfast.cli.output import print_json, print_table, print_text
from holdfast.dialer.dns import usable
from holdfast.dialer.file_probes import ProbeSection
from holdfast.dialer.service import statuses, tunnel_dir
from holdfast.errors import HoldfastError
from holdfast.local_api import SOCKET_NAME, request
from holdfast.network.netlink import Netlink
from holdfast.probe import throughput
from holdfast.probe.outcome import Stage, described, milliseconds
from holdfast.probe.place import Place
from holdfast.probe.run import run
from holdfast.probe.settings import Probe
from holdfast.probe.throughput import Trial

app = typer.Typer(add_completion=False)

PATIENCE = 120.0
"""Seconds for a dialer to run all its probes: the longest timeout of one, and a long series of echoes."""
EPILOG = (
    "Examples:\n\n  holdfast probe office\n\n  holdfast probe office --dns intranet.corp.example --ping 10.0.0.1\n\n"
    "  holdfast probe --interface ppp0 --http http://10.0.0.1/ --direct vpn.example\n\n"
    "  holdfast probe office --iperf3 10.0.0.1\n\n"
    "Exit codes: 0 all is well; 1 a probe failed; 2 it cannot run: no such tunnel or interface, no rights, no iperf3."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks beside `iperf3`; `direct` is the server that echoes are compared with."""

    probes: tuple[Probe, ...]
    direct: str
    servers: tuple[str, ...]


@app.command(epilog=EPILOG)
def probe(
    state: StateOption,
    tunnel: Annotated[str, typer.Argument(help="A running tunnel of `holdfast dial`; the only one by default.")] = "",
    *,
    interface: Annotated[
        str | None, typer.Option("--interface", metavar="NAME", help="Whatever is behind this interface, such as ppp0.")
    ] = None,
    dns: Annotated[list[str] | None, typer.Option("--dns", metavar="NAME", help="Look a name up.")] = None,
    dns_server: Annotated[
        str | None, typer.Option("--dns-server", metavar="ADDRESS", help="Whom to ask for names.")
    ] = None,
    http: Annotated[list[str] | None, typer.Option("--http", metavar="URL", help="GET a URL.")] = None,
    status: Annotated[
        list[int] | None,
        typer.Option("--status", metavar="CODE", help="The codes that are well; below 400 by default."),
    ] = None,
    ca_file: Annotated[Path | None, typer.Option("--ca-file", metavar="FILE", help="Whose certificates hold.")] = None,
    ping: Annotated[list[str] | None, typer.Option("--ping", metavar="HOST", help="Send echoes.")] = None,
    count: Annotated[int, typer.Option("--count", help="How many echoes.")] = 5,
    direct: Annotated[
        str | None, typer.Option("--direct", metavar="HOST", help="The server outside, to compare echoes with.")
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds for each probe.")] = 5.0,
    iperf3: Annotated[
        str | None, typer.Option("--iperf3", metavar="SERVER[:PORT]", help="Throughput to a running `iperf3 -s`.")
    ] = None,
    mss: Annotated[
        str | None, typer.Option("--mss", metavar="N,N", help="The segment sizes that --iperf3 compares.")
    ] = None,
    seconds: Annotated[int, typer.Option("--seconds", min=1, max=60, help="Of each flow of --iperf3.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Run the probes of a tunnel, or those named here, once and now.

    Without any, the address at the other end is pinged. Packets go out through the tunnel whatever the routes say.
    """
    given = {"status": status, "ca_file": ca_file, "server": dns_server, "count": count}
    probes = _probes({"dns": dns, "http": http, "ping": ping}, given, timeout)
    place, found, name = _place(interface, tunnel, state, direct, dns_server)
    report: dict[str, Any] = {"tunnel": name, "interface": place.interface, "probes": [], "throughput": None}
    if probes or not found.get("probes"):
        chosen = probes or (() if iperf3 else (_greeting(place, found, count, timeout),))
        report["probes"] = asyncio.run(_run_all(chosen, place))
    elif not iperf3:
        report["probes"] = request(tunnel_dir(state, name) / SOCKET_NAME, "probe", patience=PATIENCE)
    if report["probes"] and not as_json:
        _show(report["probes"])
    if iperf3:
        report["throughput"] = asyncio.run(_measure(iperf3, _sizes(mss), place, seconds, quiet=as_json))
    if as_json:
        print_json(report)
    raise typer.Exit(_code(report))


# --- what is asked, and where -----------------------------------------------------------------------------------


def _probes(asked: dict[str, list[str] | None], given: dict[str, Any], timeout: float) -> tuple[Probe, ...]:
    """Make probes of the options, judged as those of a file are."""
    made = []
    own = {"dns": ("server",), "http": ("server", "status", "ca_file"), "ping": ("server", "count")}
    for kind, targets in asked.items():
        for target in targets or ():
            keys = {key: given[key] for key in own[kind] if given[key]}
            try:
                section = ProbeSection.model_validate({kind: target, "timeout": timeout, **keys})
            except ValidationError as error:
                detail = error.errors()[0]
                raise HoldfastError(
                    str(detail["msg"]).removeprefix("Value error, "), where=f"--{kind} {target}"
                ) from None
            made.append(section.probe(target))
    return tuple(made)


def _greeting(place: Place, found: dict[str, Any], count: int, timeout: float) -> Probe:
    """Return the ping that is sent when nothing else is asked."""
    peer = (found["up"] or {}).get("peer") if found else Netlink().peer(place.interface)
    if not peer:
        fix = "name something behind it: --ping, --dns or --http"
        raise HoldfastError("the address at the other end is not known", where=place.interface, fix=fix)
    return _probes({"ping": [peer]}, {"server": None, "count": count}, timeout)[0]


def _place(
    interface: str | None, tunnel: str, state: Path, direct: str | None, server: str | None
) -> tuple[Place, dict[str, Any], str]:
    """Return where probes go out, the status of the tunnel (empty with an interface), and the tunnel's name."""
    _check_server(server)
    if interface is not None:
        if tunnel:
            raise HoldfastError("name a tunnel or an interface, not both", where=f"--interface {interface}")
        if Netlink().link(interface) is None:
            raise HoldfastError("there is no such interface", where=interface, fix="`ip link` lists those there are")
        return Place(interface, servers=(server,) if server else (), direct=_address(direct)), {}, ""
    found = _running(tunnel, state)
    up = found["up"]
    if up is None:
        fix = "`holdfast dial status` says how it is"
        raise HoldfastError(f"the tunnel is not up ({found['state']})", where=found["name"], fix=fix)
    servers = tuple(map(str, usable(up["dns"])))
    outside = _address(direct) or found["address"]
    return Place(found["interface"], up["local"], servers, outside), found, found["name"]


def _running(tunnel: str, state: Path) -> dict[str, Any]:
    running = {one["name"]: one for one in statuses(state)}
    if not running:
        fix = "name the state directory of its dialer (--state), or the interface of another client (--interface)"
        raise HoldfastError("no tunnel runs with this state directory", where=str(state), fix=fix)
    if tunnel not in running and (tunnel or len(running) > 1):
        what = f"no tunnel {tunnel} runs" if tunnel else "which tunnel?"
        raise HoldfastError(what, fix=f"these run: {', '.join(sorted(running))}")
    return running[tunnel] if tunnel else next(iter(running.values()))


def _check_server(server: str | None) -> None:
    if server and not usable((server,)):
        raise HoldfastError("a name server inside is named by its IPv4 address", where=f"--dns-server {server}")


def _address(host: str | None) -> str:
    """Return the IPv4 address of the server outside, which is found beside the tunnel."""
    if not host:
        return ""
    try:
        return str(IPv4Address(host))
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, None, family=socket.AF_INET)[0][4][0])
    except (OSError, UnicodeError) as error:
        raise HoldfastError("this name has no IPv4 address", where=f"--direct {host}") from error


def _sizes(text: str | None) -> tuple[int, ...]:
    if text is None:
        return throughput.SIZES
    try:
        sizes = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        sizes = ()
    if not sizes or not all(throughput.SMALLEST <= size <= throughput.LARGEST for size in sizes):
        fix = f"write it as 1360,1200: sizes from {throughput.SMALLEST} to {throughput.LARGEST}"
        raise HoldfastError("these are no segment sizes", where=f"--mss {text}", fix=fix)
    return sizes


# --- running and showing ----------------------------------------------------------------------------------------


async def _run_all(probes: Sequence[Probe], place: Place) -> list[dict[str, Any]]:
    outcomes = await asyncio.gather(*(run(one, place) for one in probes))
    return [{**described(one), **outcome.plain()} for one, outcome in zip(probes, outcomes, strict=True)]


def _show(results: Sequence[dict[str, Any]]) -> None:
    rows = [(r["name"], r["kind"], r["result"], milliseconds(r["seconds"]), r["detail"]) for r in results]
    print_table(("probe", "kind", "result", "time", "what was seen"), rows)


async def _measure(server: str, sizes: Sequence[int], place: Place, seconds: int, *, quiet: bool) -> dict[str, Any]:
    host, _, port = server.partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise HoldfastError("write it as SERVER or SERVER:PORT", where=f"--iperf3 {server}")
    if not quiet:
        sys.stderr.write(f"{len(sizes)} sizes, {seconds} s each way: at least {2 * seconds * len(sizes)} s\n")
    trials: list[Trial] = []
    async for trial in throughput.measure(host, int(port or throughput.PORT), sizes, place, seconds):
        trials.append(trial)  # noqa: PERF401  # shown when all are there; the list is needed for the comparison
    verdict = throughput.judge(trials)
    if not quiet:
        _show_trials(trials, verdict)
    plain = [{**trial.plain(), "passes": trial.mss in verdict.passing} for trial in trials]
    return {"trials": plain, "largest": verdict.largest, "fastest": verdict.fastest}


def _show_trials(trials: Sequence[Trial], verdict: throughput.Verdict) -> None:
    rows = [
        (
            t.mss,
            t.mss + throughput.TCP_OVERHEAD,
            _flow(t.up),
            _flow(t.down),
            "yes" if t.mss in verdict.passing else "no",
        )
        for t in trials
    ]
    print_table(("MSS", "MTU", "up", "down", "passes"), rows)
    if verdict.largest is None or verdict.fastest is None:
        print_text("no size passes both ways")
        return
    print_text(f"largest that passes: MSS {verdict.largest} (MTU {verdict.largest + throughput.TCP_OVERHEAD})")
    print_text(f"fastest: MSS {verdict.fastest} (MTU {verdict.fastest + throughput.TCP_OVERHEAD})")


def _flow(flow: throughput.Flow) -> str:
    if flow.complaint:
        return flow.complaint
    again = "" if flow.retransmits is None else f", {flow.retransmits} sent again"
    return f"{flow.bits / 1e6:.1f} Mbit/s{again}"


def _code(report: dict[str, Any]) -> int:
    if any(one["stage"] == Stage.HOST for one in report["probes"]):
        return 2
    unpassable = report["throughput"] is not None and report["throughput"]["largest"] is None
    return int(unpassable or not all(one["ok"] for one in report["probes"]))
