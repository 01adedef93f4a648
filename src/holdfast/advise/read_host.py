"""Reading a host: files below /proc, /sys, /dev and /etc, the rules of nftables and iptables, interfaces and routes.

What cannot be read becomes an empty value or a reason, never an error: a doctor that stops at the first closed door
is of no use to who is not root.
"""

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute

from holdfast.advise import daemons
from holdfast.advise.facts import Assignment, Daemon, Firewall, HostFacts, Interface, Listener, Logs
from holdfast.advise.iptables_rules import statements
from holdfast.control.codes import CONTROL_PORT
from holdfast.errors import HostError
from holdfast.network.kernel import Kernel
from holdfast.network.nft import SEARCH_PATH, Statement

SYSCTL = (
    "net/ipv4/ip_forward",
    "net/netfilter/nf_conntrack_helper",
    "net/netfilter/nf_conntrack_gre_timeout",
    "net/netfilter/nf_conntrack_gre_timeout_stream",
    "net/netfilter/nf_conntrack_count",
    "net/netfilter/nf_conntrack_max",
)
MODULES = {
    "ppp_generic": "CONFIG_PPP",
    "ppp_mppe": "CONFIG_PPP_MPPE",
    "pptp": "CONFIG_PPTP",
    "tun": "CONFIG_TUN",
    "nf_conntrack_pptp": "CONFIG_NF_CONNTRACK_PPTP",
    "nf_nat_pptp": "CONFIG_NF_NAT_PPTP",
}
"""Module -> the kernel's configuration option."""
DEVICES = ("/dev/net/tun", "/dev/ppp")
BOOT_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
"""sysctl.d(5): a file in an earlier folder hides one of the same name in a later one."""
CAPABILITIES = {12: "CAP_NET_ADMIN", 13: "CAP_NET_RAW"}
LOG_FILES = ("/var/log/syslog", "/var/log/messages", "/var/log/daemon.log", "/var/log/pptpd.log", "/var/log/accel-ppp")
DAEMON_FILES = (daemons.PPTPD_CONF, daemons.PPTPD_OPTIONS, daemons.PPP_OPTIONS, daemons.ACCEL_CONF)
PEERS = "/etc/ppp/peers"
LISTENING = "0A"
"""TCP_LISTEN in /proc/net/tcp."""
LONGEST_FILE = 1 << 20


class HostReader:
    """Reads facts below `root`, the file system's root by default."""

    def __init__(self, root: Path = Path("/"), kernel: Kernel | None = None) -> None:
        self._root = root
        self._kernel = kernel or Kernel()

    def read(self, *, server: IPv4Address | None = None, daemon: Daemon | None = None) -> HostFacts:
        """Return everything the checks may ask for. `server` makes the way to it the uplink; `daemon` the program."""
        listeners = tuple(self._listeners())
        interfaces = tuple(self._interfaces())
        return HostFacts(
            root=os.geteuid() == 0,
            capabilities=self._capabilities("self"),
            sysctl={key: value for key in SYSCTL if (value := self._kernel.sysctl.read(key)) is not None},
            boot_settings=tuple(self._boot_settings()),
            modules=frozenset(self._present()),
            loadable=self._loadable(),
            devices={name: self._usable(name) for name in DEVICES},
            listeners=listeners,
            firewall=self._firewall(),
            interfaces=interfaces,
            uplink=self._uplink(server),
            logs=self._logs(),
            daemon=daemon or self._daemon(listeners),
        )

    # --- files ---------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        return self._root / name.lstrip("/")

    def _text(self, name: str) -> str:
        try:
            with self._path(name).open(encoding="utf-8", errors="replace") as file:
                return file.read(LONGEST_FILE)
        except OSError:
            return ""

    def _usable(self, name: str) -> str:
        path = self._path(name)
        if not path.exists():
            return "it does not exist"
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return error.strerror or "it cannot be opened"
        return ""

    def _boot_settings(self) -> Iterator[Assignment]:
        """Yield the assignments of all files as systemd-sysctl and `sysctl --system` apply them, last one last."""
        files: dict[str, str] = {}
        for folder in BOOT_FOLDERS:
            for path in sorted(self._path(folder).glob("*.conf")):
                files.setdefault(path.name, f"{folder}/{path.name}")
        names = [files[name] for name in sorted(files)]
        linked = {self._path(name).resolve() for name in names}
        if self._path("/etc/sysctl.conf").resolve() not in linked:
            names.append("/etc/sysctl.conf")
        for name in names:
            yield from assignments(name, self._text(name))

    def _logs(self) -> Logs:
        try:
            space = os.statvfs(self._path("/var/log"))
        except OSError:
            return Logs()
        files = tuple(name for name in LOG_FILES if self._path(name).exists())
        journal = self._path("/var/log/journal").is_dir()
        return Logs(journal, files, space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize)

    # --- kernel --------------------------------------------------------------------------------------------------

    def _capabilities(self, process: str) -> frozenset[str]:
        found = re.search(r"^CapEff:\s*([0-9a-f]+)", self._text(f"/proc/{process}/status"), re.MULTILINE)
        bits = int(found[1], 16) if found else 0
        return frozenset(name for bit, name in CAPABILITIES.items() if bits >> bit & 1)

    def _present(self) -> Iterator[str]:
        loaded = {line.split()[0] for line in self._text("/proc/modules").splitlines() if line}
        loaded |= {Path(line).name.partition(".")[0] for line in self._module_list("modules.builtin")}
        options = self._kernel_options()
        for module, option in MODULES.items():
            if module in loaded or options.get(option) == "y" or self._path(f"/sys/module/{module}").is_dir():
                yield module

    def _loadable(self) -> frozenset[str] | None:
        """Return the modules that this kernel could load; None where neither a list nor the configuration is there."""
        listed = self._module_list("modules.dep")
        options = self._kernel_options()
        if not listed and not options:
            return None
        names = {Path(line.partition(":")[0]).name.partition(".")[0] for line in listed}
        return frozenset(names & set(MODULES))

    def _module_list(self, name: str) -> list[str]:
        return self._text(f"/lib/modules/{os.uname().release}/{name}").splitlines()

    def _kernel_options(self) -> dict[str, str]:
        text = self._text(f"/boot/config-{os.uname().release}") or unpacked(self._path("/proc/config.gz"))
        return dict(line.split("=", 1) for line in text.splitlines() if line.startswith("CONFIG_") and "=" in line)

    # --- who listens ---------------------------------------------------------------------------------------------

    def _listeners(self) -> Iterator[Listener]:
        owners: dict[str, int] | None = None
        for name in ("tcp", "tcp6"):
            for line in self._text(f"/proc/net/{name}").splitlines()[1:]:
                words = line.split()
                address, _, port = words[1].partition(":")
                if words[3] == LISTENING and int(port, 16) == CONTROL_PORT:
                    owners = self._owners() if owners is None else owners
                    yield self._listener(socket_address(address), owners.get(words[9], 0))

    def _listener(self, address: str, pid: int) -> Listener:
        if not pid:
            return Listener(address)
        words = self._text(f"/proc/{pid}/cmdline").replace("\0", " ")
        name = "holdfast" if "holdfast" in words else self._text(f"/proc/{pid}/comm").strip()
        return Listener(address, name, pid, self._capabilities(str(pid)))

    def _owners(self) -> dict[str, int]:
        """Return which process holds which socket, by inode, of those that this user may look into."""
        owners: dict[str, int] = {}
        for folder in self._path("/proc").glob("[0-9]*/fd"):
            try:
                links = [os.readlink(entry.path) for entry in os.scandir(folder)]
            except OSError:
                continue
            for link in links:
                if link.startswith("socket:["):
                    owners.setdefault(link[8:-1], int(folder.parent.name))
        return owners

    def peer(self, server: str) -> Daemon:
        """Return what the peers file of pppd that names a server says; what is known of no file where none does."""
        for path in sorted(self._path(PEERS).glob("*")):
            text = self._text(f"{PEERS}/{path.name}")
            if re.search(rf"(?<![\w.]){re.escape(server)}(?![\w.])", text):
                return daemons.pptp_linux(f"{PEERS}/{path.name}", text)
        return Daemon("client")

    def _daemon(self, listeners: tuple[Listener, ...]) -> Daemon:
        files = {name: self._text(name) for name in DAEMON_FILES}
        names = {one.program for one in listeners}
        if "pptpd" in names or (not names & {"holdfast", "accel-pppd"} and files[daemons.PPTPD_CONF]):
            return daemons.pptpd(self._with_option_file(files))
        if "accel-pppd" in names or ("holdfast" not in names and files[daemons.ACCEL_CONF]):
            return daemons.accel(files)
        return Daemon("holdfast")

    def _with_option_file(self, files: Mapping[str, str]) -> Mapping[str, str]:
        found = re.search(r"^\s*option\s+(\S+)", files[daemons.PPTPD_CONF], re.MULTILINE)
        return {**files, found[1]: self._text(found[1])} if found else files

    # --- network -------------------------------------------------------------------------------------------------

    def _firewall(self) -> Firewall:
        try:
            listed = self._kernel.nft.ruleset()
        except HostError as error:
            listed, trouble = [], error.what
        else:
            trouble = ""
        translated, more = self._iptables()
        if translated:
            # What iptables wrote into nftables, nft lists with matches that only iptables can read.
            own = {("ip", entry["chain"]["table"]) for entry in translated if "chain" in entry}
            listed = [entry for entry in listed if not place_of(entry) & own]
        return Firewall((*listed, *translated), trouble or more)

    def _iptables(self) -> tuple[list[Statement], str]:
        """Return the rules of both kinds of iptables, as far as the commands are there."""
        found: list[Statement] = []
        legacy = bool(self._text("/proc/net/ip_tables_names").strip())
        names = [name for name in ("iptables-nft-save", "iptables-save") if shutil.which(name, path=SEARCH_PATH)][:1]
        names += ["iptables-legacy-save"] if legacy else []
        for name in names:
            command = shutil.which(name, path=SEARCH_PATH)
            if command is None:
                return found, "rules of iptables-legacy exist, and iptables-legacy-save is not there to list them"
            done = subprocess.run([command], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
            if done.returncode:
                return found, f"{name}: {done.stderr.strip()}"
            found += statements(done.stdout)
        return found, ""

    def _interfaces(self) -> Iterator[Interface]:
        addresses: dict[str, list[str]] = {}
        for interface, address in self._kernel.netlink.addresses():
            if "." in address:
                addresses.setdefault(interface, []).append(address)
        with IPRoute() as netlink:
            links: list[Any] = list(netlink.get_links())
        for link in links:
            name, info = link.get("IFLA_IFNAME"), link.get("IFLA_LINKINFO")
            kind = (info.get("IFLA_INFO_KIND") if info else "") or ""
            yield Interface(
                name, link.get("IFLA_MTU") or 0, bool(link["flags"] & 1), kind, tuple(addresses.get(name, ()))
            )

    def _uplink(self, server: IPv4Address | None) -> str:
        if server is not None:
            route = self._kernel.netlink.route_to(str(server))
            return route.interface if route else ""
        routes = [route for route in self._kernel.netlink.routes() if route.destination == "0.0.0.0/0"]
        return min(routes, key=lambda route: route.metric).interface if routes else ""


def assignments(place: str, text: str) -> Iterator[Assignment]:
    """Yield the assignments of one sysctl file, keys with slashes."""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;" or "=" not in line:
            continue
        key, _, value = line.lstrip("-").partition("=")
        yield Assignment(f"{place}:{number}", sysctl_path(key.strip()), value.strip())


def sysctl_path(key: str) -> str:
    """Return a setting's path; the first separator says which of the two ways of writing is used (sysctl.d(5))."""
    first = re.search(r"[./]", key)
    if first is None or first[0] == "/":
        return key
    return key.translate(str.maketrans("./", "/."))


def place_of(entry: Statement) -> set[tuple[str, str]]:
    """Return family and table of a listed object, as a set of at most one."""
    for body in entry.values():
        if isinstance(body, dict) and "family" in body:
            return {(str(body["family"]), str(body.get("table", body.get("name", ""))))}
    return set()


def socket_address(text: str) -> str:
    """Write an address of /proc/net/tcp (hexadecimal, words in the machine's order) as people do."""
    octets = bytes.fromhex(text)
    words = b"".join(octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
    if len(words) == 4:
        return str(IPv4Address(words))
    return "::" if not any(words) else words.hex(":", 2)


def unpacked(path: Path) -> str:
    """Return the text of a gzip file, or nothing."""
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST_FILE)
    except OSError:
        return ""
