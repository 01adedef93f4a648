"""What the program that carries PPTP needs of the kernel, and whether it runs. Pure."""

from collections.abc import Iterator

from holdfast.advise.check import Check, fault, ok, unknown, warning
from holdfast.advise.facts import HostFacts
from holdfast.advise.kernel_module import kernel_module

NEEDED_RIGHTS = frozenset({"CAP_NET_ADMIN", "CAP_NET_RAW"})
UNITS = {"holdfast": "holdfast", "pptpd": "pptpd", "accel-ppp": "accel-ppp"}
PROGRAMS = {"holdfast": "holdfast", "pptpd": "pptpd", "accel-ppp": "accel-pppd"}
LOOPBACK = ("127.", "0000:0000:0000:0000:0000:0000:0000:0001")
NO_KERNEL = (
    "Install a kernel that has it (Debian: apt install linux-image-amd64), or use Holdfast, which needs no module."
)
CONTAINER = "In a container or a rented server without its own kernel, ask who runs the host."


def listener(facts: HostFacts) -> Iterator[Check]:
    """Port 1723: who has it."""
    wanted = facts.daemon.name
    if not facts.listeners:
        start = f"systemctl enable --now {UNITS.get(wanted, wanted)}"
        yield fault("listener", "Nobody listens on TCP port 1723.", "no such socket in /proc/net/tcp and tcp6", start)
        return
    seen = ", ".join(
        f"{one.program or 'unknown program'} (process {one.pid or '?'}) on {one.address}" for one in facts.listeners
    )
    if all(one.address.startswith(LOOPBACK) for one in facts.listeners):
        yield fault(
            "listener",
            "Only this host itself can connect to port 1723.",
            seen,
            "listen on 0.0.0.0 or on the public address",
        )
        return
    names = {one.program for one in facts.listeners if one.program}
    strangers = names - {PROGRAMS.get(wanted, wanted)}
    if strangers:
        fixes = ("ss -ltnp 'sport = :1723'", f"systemctl disable --now {' '.join(sorted(strangers))}")
        yield warning(
            "listener", f"Port 1723 is taken by {', '.join(sorted(strangers))}, not by {wanted}.", seen, *fixes
        )
    elif not names:
        yield ok("listener", "Somebody listens on TCP port 1723.", f"{seen}; only root sees which program it is")
    else:
        yield ok("listener", f"{wanted} listens on TCP port 1723.", seen)


def kernel(facts: HostFacts) -> Iterator[Check]:
    """Devices, modules and rights, by what the program at hand needs."""
    if facts.daemon.uses_pppd:
        yield from _kernel_ppp(facts)
    else:
        yield from _own_engine(facts)


def _own_engine(facts: HostFacts) -> Iterator[Check]:
    trouble = facts.devices.get("/dev/net/tun", "it was not looked at")
    if trouble and "tun" not in facts.modules | (facts.loadable or frozenset()) and facts.loadable is not None:
        yield fault(
            "kernel-tun", "This kernel has no TUN device.", f"/dev/net/tun: {trouble}", "modprobe tun", CONTAINER
        )
    elif trouble:
        fixes = ("modprobe tun", "mkdir -p /dev/net && mknod /dev/net/tun c 10 200 && chmod 0666 /dev/net/tun")
        missing = "does not exist" in trouble
        make = fault if missing or facts.root else unknown
        yield make(
            "kernel-tun", "/dev/net/tun cannot be opened.", f"/dev/net/tun: {trouble}", *(fixes if missing else ())
        )
    else:
        yield ok("kernel-tun", "The TUN device is there.", "/dev/net/tun opens")
    yield _rights(facts)
    yield ok(
        "kernel-modules",
        "No kernel module for GRE or PPP is needed.",
        "Holdfast carries GRE and PPP itself; `modprobe gre` changes nothing",
    )


def _rights(facts: HostFacts) -> Check:
    running = next((one for one in facts.listeners if one.program == "holdfast" and one.pid), None)
    held = running.capabilities if running else facts.capabilities
    whose = f"process {running.pid}" if running else "this process"
    missing = NEEDED_RIGHTS - held
    if not missing:
        return ok("rights", "The rights for raw sockets and interfaces are there.", f"CapEff of {whose}")
    if not running and not facts.root:
        return unknown(
            "rights",
            f"This user has no {', '.join(sorted(missing))}.",
            "run this as root, or start Holdfast by its systemd unit, which gives them",
        )
    fix = "systemd: AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW"
    return fault("rights", f"{', '.join(sorted(missing))} is missing.", f"CapEff of {whose}", fix)


def _kernel_ppp(facts: HostFacts) -> Iterator[Check]:
    for module, title in (("ppp_generic", "do PPP"), ("ppp_mppe", "do MPPE encryption")):
        yield kernel_module(facts, module, title, f"modprobe {module}", NO_KERNEL, by_itself=True)
    trouble = facts.devices.get("/dev/ppp", "it was not looked at")
    if not trouble:
        yield ok("kernel-ppp-device", "/dev/ppp opens.", "/dev/ppp")
    elif facts.root or "does not exist" in trouble:
        yield fault(
            "kernel-ppp-device",
            "pppd cannot open /dev/ppp.",
            f"/dev/ppp: {trouble}",
            "modprobe ppp_generic",
            "mknod /dev/ppp c 108 0",
            CONTAINER,
        )
    else:
        yield unknown("kernel-ppp-device", "/dev/ppp is there.", "only root may open it")
    if facts.daemon.name == "accel-ppp":
        yield kernel_module(facts, "pptp", "do PPTP", "modprobe pptp", NO_KERNEL, by_itself=True)
    else:
        yield ok(
            "kernel-modules",
            "No kernel module for GRE is needed.",
            f"{facts.daemon.name} carries GRE itself; `modprobe gre` changes nothing",
        )
