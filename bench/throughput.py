"""One TCP flow through two packet engines, beside OpenVPN and wireguard-go, on this machine and in this run.

Needs root, iperf3, openvpn, wireguard-go, wireguard-tools and openssl. Makes two network namespaces of its own and
removes them. Prints a table with ratios; asserts nothing. `python -m bench.throughput [--seconds N] [--rounds N]`.
"""

import argparse
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from holdfast.dataplane.engine import Engine
from holdfast.dataplane.interface import CallPath, LinkParameters, MppeDirection, MppeMode
from holdfast.secret import Secret

T = TypeVar("T")
NEAR, FAR = "holdfast-bench-a", "holdfast-bench-b"
OUTER = {NEAR: "192.0.2.1", FAR: "192.0.2.2"}
INNER = {NEAR: "10.99.0.1", FAR: "10.99.0.2"}
OTHER = {NEAR: FAR, FAR: NEAR}
MTU = 1400
CLONE_NEWNET = 0x40000000
TOOLS = {"openvpn": ("openvpn", "openssl"), "wireguard-go": ("wireguard-go", "wg")}


def run(*command: str, namespace: str = "") -> str:
    """Run a command, in a namespace if one is named, and return what it printed."""
    prefix = ("ip", "netns", "exec", namespace) if namespace else ()
    return subprocess.run((*prefix, *command), check=True, capture_output=True, text=True).stdout


@contextmanager
def daemon(*command: str, namespace: str, log: Path) -> Iterator[None]:
    """Run a command in a namespace as long as the block."""
    with log.open("a", encoding="utf-8") as out:
        process = subprocess.Popen(("ip", "netns", "exec", namespace, *command), stdout=out, stderr=out)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def namespaces() -> Iterator[None]:
    """Two namespaces joined by a veth pair."""
    remove_namespaces()
    try:
        for name in OUTER:
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "outer", "netns", NEAR, "type", "veth", "peer", "name", "outer", "netns", FAR)
        for name, address in OUTER.items():
            run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "outer")
            run("ip", "-n", name, "link", "set", "outer", "up")
        yield
    finally:
        remove_namespaces()


def remove_namespaces() -> None:
    """Remove what an earlier run may have left."""
    for name in OUTER:
        subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)


def inside(namespace: str, make: Callable[[], T]) -> T:
    """Call `make` in a namespace. What it opens stays there; the calling thread does not."""
    libc = ctypes.CDLL(None, use_errno=True)
    result: list[T] = []
    errors: list[BaseException] = []

    def enter() -> None:
        try:
            with Path("/var/run/netns", namespace).open("rb") as file:
                if libc.setns(file.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            result.append(make())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return result[0]


def bring_up(namespace: str, device: str) -> None:
    """Give a tunnel device its addresses."""
    peer = INNER[OTHER[namespace]]
    run("ip", "-n", namespace, "addr", "add", f"{INNER[namespace]}/32", "peer", f"{peer}/32", "dev", device)
    run("ip", "-n", namespace, "link", "set", device, "up")


def direction(octet: int) -> MppeDirection:
    """A fixed key for one direction."""
    return MppeDirection(Secret(bytes([octet] * 16)), 128, MppeMode.STATELESS)


def start_engine(namespace: str, own_id: int, peer_id: int) -> Engine:
    """An engine with one open call, MPPE-128 stateless."""
    engine = inside(namespace, lambda: Engine(tun_name="pptp%d", tun_mtu=MTU))
    bring_up(namespace, engine.tun_name)
    handle = engine.add_call(CallPath(own_id, peer_id, OUTER[namespace], OUTER[OTHER[namespace]]))
    engine.configure(handle, LinkParameters(MTU, MTU, True, True, own_id, peer_id))
    engine.set_mppe(handle, direction(own_id), direction(peer_id))
    engine.require_mppe(handle, True)
    engine.open_network(handle, (INNER[OTHER[namespace]],))
    return engine


@contextmanager
def holdfast_tunnel(_scratch: Path) -> Iterator[None]:
    """Two packet engines."""
    engines = []
    try:
        engines += [start_engine(NEAR, 1, 2), start_engine(FAR, 2, 1)]
        yield
    finally:
        for engine in engines:
            engine.close()


def certificate(scratch: Path, name: str) -> str:
    """Make a key and a certificate; return its fingerprint."""
    key, cert = scratch / f"{name}.key", scratch / f"{name}.crt"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    run("openssl", "req", "-x509", *curve, "-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", f"/CN={name}")
    return run("openssl", "x509", "-in", str(cert), "-noout", "-fingerprint", "-sha256").split("=")[1].strip()


@contextmanager
def openvpn_tunnel(scratch: Path) -> Iterator[None]:
    """OpenVPN over UDP, AES-256-GCM, its own defaults otherwise."""
    prints = {name: certificate(scratch, name) for name in OUTER}
    with ExitStack() as stack:
        for name, role in ((FAR, "--tls-server"), (NEAR, "--tls-client")):
            other = OTHER[name]
            dh = ("--dh", "none") if role == "--tls-server" else ()
            command = (
                *(
                    "openvpn",
                    "--dev",
                    "tun0",
                    "--proto",
                    "udp",
                    "--remote",
                    OUTER[other],
                    "--local",
                    OUTER[name],
                    role,
                    *dh,
                ),
                *("--ifconfig", INNER[name], INNER[other], "--data-ciphers", "AES-256-GCM", "--port", "1194"),
                *("--cert", str(scratch / f"{name}.crt"), "--key", str(scratch / f"{name}.key")),
                *("--peer-fingerprint", prints[other]),
            )
            stack.enter_context(daemon(*command, namespace=name, log=scratch / f"openvpn-{name}.log"))
        yield


@contextmanager
def wireguard_tunnel(scratch: Path) -> Iterator[None]:
    """wireguard-go, its own defaults."""
    devices = {NEAR: "hfbenchwg0", FAR: "hfbenchwg1"}
    keys = {name: run("wg", "genkey").strip() for name in OUTER}
    public = {
        name: subprocess.run(("wg", "pubkey"), input=key, check=True, capture_output=True, text=True).stdout.strip()
        for name, key in keys.items()
    }
    with ExitStack() as stack:
        for name, device in devices.items():
            log = scratch / f"wireguard-{name}.log"
            stack.enter_context(daemon("wireguard-go", "-f", device, namespace=name, log=log))
        for name, device in devices.items():
            key_file, other = scratch / f"{name}.wg", OTHER[name]
            key_file.write_text(keys[name], encoding="ascii")
            wait_for(lambda device=device: Path(f"/var/run/wireguard/{device}.sock").exists())
            peer = ("peer", public[other], "allowed-ips", f"{INNER[other]}/32", "endpoint", f"{OUTER[other]}:51820")
            command = ("wg", "set", device, "listen-port", "51820", "private-key", str(key_file), *peer)
            run(*command, namespace=name)
            bring_up(name, device)
        yield


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("not ready in time")
        time.sleep(0.05)


def answers() -> bool:
    """Whether the far end of the tunnel answers."""
    command = ("ip", "netns", "exec", NEAR, "ping", "-c", "1", "-W", "1", INNER[FAR])
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def measure(seconds: int) -> float:
    """Send one TCP flow; return Gbit/s as the receiver counts."""
    server = subprocess.Popen(
        ("ip", "netns", "exec", FAR, "iperf3", "-s", "-1"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(0.3)
        report = json.loads(run("iperf3", "-J", "-c", INNER[FAR], "-t", str(seconds), "-O", "1", namespace=NEAR))
        return float(report["end"]["sum_received"]["bits_per_second"]) / 1e9
    finally:
        server.terminate()
        server.wait(10)


TUNNELS = {"holdfast": holdfast_tunnel, "openvpn": openvpn_tunnel, "wireguard-go": wireguard_tunnel}


def measure_all(rounds: int, seconds: int, names: list[str]) -> dict[str, list[float]]:
    """Measure each tunnel in turn, several times, so that a slow minute of the machine hits them alike."""
    results: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as directory:
        for _ in range(rounds):
            for name in names:
                with namespaces(), TUNNELS[name](Path(directory)):
                    wait_for(answers)
                    results[name].append(measure(seconds))
    return results


def print_table(results: dict[str, list[float]]) -> None:
    """Print the medians, and how many times faster Holdfast is."""
    medians = {name: statistics.median(rates) for name, rates in results.items()}
    print(f"{'one TCP flow, two namespaces':<32}{'Gbit/s':>8}{'lowest':>8}{'highest':>8}{'holdfast is':>14}")
    for name, rates in results.items():
        ratio = f"{medians['holdfast'] / medians[name]:.2f} times"
        print(f"{name:<32}{medians[name]:>8.2f}{min(rates):>8.2f}{max(rates):>8.2f}{ratio:>14}")


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="bench.throughput", description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each tunnel")
    options = parser.parse_args(arguments)
    names = [name for name in TUNNELS if all(shutil.which(tool) for tool in TOOLS.get(name, ()))]
    for name in TUNNELS.keys() - names:
        print(f"{name}: not installed, left out")
    print_table(measure_all(options.rounds, options.seconds, names))


if __name__ == "__main__":
    main()
