"""`holdfast capture`: a good capture by hand. Runs tcpdump with the filter that PPTP needs; the same at both ends."""

import os
import shutil
import signal
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.common import PortOption, command_app
from holdfast.cli.output import print_text
from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HoldfastError, HostError

app = command_app("Make a capture that `holdfast diagnose` can judge.")

ANY = "any"
PRIVATE_SNAP = 256
"""Octets of each frame: all of every control message and negotiation, and little of what users send."""
WHOLE_SNAP = 262_144
SECONDS_MOST = 86_400

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Where the capture goes. It must not exist yet.")]
InterfaceOption = Annotated[
    str,
    typer.Option("-i", "--interface", metavar="IF", help="The interface; any is all, but without VLANs."),
]
HostOption = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Only traffic of this address.")]
SecondsOption = Annotated[
    int, typer.Option("--seconds", metavar="N", min=1, max=SECONDS_MOST, help="Stop after so many seconds.")
]
WholeOption = Annotated[
    bool, typer.Option("--whole", help="Keep frames whole, as looking inside with the user's password needs.")
]


@app.command(
    epilog="Examples:\n\n  holdfast capture -i eth0 vpn.pcap\n\n  holdfast capture -i eth0 --host 192.0.2.7 "
    "--seconds 120 --whole vpn.pcap\n\nRun the same command at both ends, then: holdfast diagnose --client A --server B"
)
def capture(
    file: FileArgument,
    *,
    interface: InterfaceOption = ANY,
    host: HostOption = "",
    port: PortOption = None,
    seconds: SecondsOption = 600,
    whole: WholeOption = False,
) -> None:
    """Capture TCP 1723, GRE and ICMP in one file. Start it before the client dials; Ctrl-C ends it early."""
    arguments = command(file, interface=interface, host=host, port=port or CONTROL_PORT, whole=whole)
    _make_private(file)
    print_text(f"Capturing for up to {seconds} s; Ctrl-C ends it. Let the client dial now.")
    sys.stdout.flush()
    try:
        _run(arguments, seconds)
    except HostError:
        if not file.stat().st_size:
            file.unlink()
        raise
    print_text(f"Now: holdfast diagnose {file}")


def _make_private(file: Path) -> None:
    """Make the file, which nobody else may read: it will hold challenges, answers and names."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise HoldfastError("there is such a file already", where=str(file), fix="Choose another name.") from None
    except OSError as error:
        raise HoldfastError(f"it cannot be written: {error.strerror}", where=str(file)) from None


def command(file: Path, *, interface: str, host: str, whole: bool, port: int = CONTROL_PORT) -> list[str]:
    """Return the arguments of tcpdump. HoldfastError when `host` is no address."""
    snap = WHOLE_SNAP if whole else PRIVATE_SNAP
    arguments = ["tcpdump", "-n", "-U", "-i", interface, "-s", str(snap)]
    if os.geteuid() == 0:
        arguments += ["-Z", "root"]
    return [*arguments, "-w", str(file), pcap_filter(host, vlan=interface != ANY, port=port)]


def pcap_filter(host: str, *, vlan: bool, port: int = CONTROL_PORT) -> str:
    """Return the capture filter: both channels and ICMP, and the same behind one VLAN tag and behind two.

    `proto 47` stands for GRE, as `gre` is no word of this language. VLAN tags cannot be asked for on `any`. Each `vlan`
    moves what follows it behind one more tag.
    """
    wanted = f"tcp port {port} or proto 47 or icmp or (icmp6 and ip6[40] < 128)"
    if host:
        wanted = f"host {_address(host)} and ({wanted})"
    return f"({wanted}) or (vlan and (({wanted}) or (vlan and ({wanted}))))" if vlan else wanted


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise HoldfastError(
            "this is no IP address", where=text, fix="Give the client's or the server's address."
        ) from None


def _run(arguments: list[str], seconds: int) -> None:
    """Run tcpdump for so long. HostError when it is missing or refuses."""
    if shutil.which(arguments[0]) is None:
        raise HostError("tcpdump is not installed", fix="apt install tcpdump")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)  # noqa: S603 - no shell
    try:
        _, said = process.communicate(timeout=seconds)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.send_signal(signal.SIGINT)  # its own rotation by time waits for one more packet
        process.communicate()
        return
    lines = said.strip().splitlines() or ["it gave no reason"]
    raise HostError(f"tcpdump ended: {lines[-1]}", fix="Capturing needs root, and the name of an interface: ip link")
