"""The real peers, run in a guest: pptp-linux with pppd as the client, pptpd with pppd as the server."""

import itertools
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.guest import Guest, Job, Result

USERS = {"alice": "S3cret-of-alice", "bob": "S3cret-of-bob"}
"""The users that every server of these tests knows."""

PLAIN_PPP = """noauth
nodetach
debug
noipdefault
nodefaultroute
ipcp-accept-remote
refuse-eap
nobsdcomp
nodeflate
novj
noipv6
mtu 1400
mru 1400
"""
WITH_EAP = PLAIN_PPP.replace("refuse-eap\n", "")
UP = re.compile(r"^local  IP address (\S+)\n(?:.*\n)*?remote IP address (\S+)$", re.MULTILINE)
PPPD_AUTHENTICATION_FAILED = 19
PPPD_NEGOTIATION_FAILED = 10
PPPD_ENDED_BY_SIGNAL = 5
PPPD_ENDED_BY_PEER = 16
_numbers = itertools.count(1)


class NoTunnelError(AssertionError):
    """A client did not come up; the text is its log."""


@dataclass
class Client:
    """One call of pptp-linux and pppd, made on entry and ended on exit. `options` are lines for pppd's options file.

    `namespace` names a network namespace of the guest. Clients of one namespace share one call manager, as pptp-linux
    has it: its socket lies under /run/pptp, so each other namespace gets a /run/pptp of its own. `files` are copied to
    where `{folder}` in an option points.
    """

    guest: Guest
    server: str
    user: str = "alice"
    password: str | None = None
    options: tuple[str, ...] = ("require-mppe-128",)
    namespace: str | None = None
    interface: str = field(default_factory=lambda: f"ppp{next(_numbers)}")
    plain: str = PLAIN_PPP
    files: tuple[Path, ...] = ()
    _job: Job | None = None

    def __enter__(self) -> Self:
        directory = self.guest.share / self.interface
        directory.mkdir()
        for file in self.files:
            shutil.copy(file, directory)
        password = USERS.get(self.user, "") if self.password is None else self.password
        identity = f'user "{self.user}"\npassword "{password}"\nifname {self.interface}\n'
        call = f'pty "pptp {self.server} --nolaunchpppd --loglevel 2"\nlogfile /share/{self.interface}/log\n'
        options = (option.format(folder=f"/share/{self.interface}") for option in self.options)
        lines = "".join(f"{option}\n" for option in ("usepeerdns", *options))
        (directory / "options").write_text(self.plain + identity + call + lines, encoding="ascii")
        self._job = self.guest.start(self._command())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.job.kill()

    def _command(self) -> str:
        dial = f"pppd file /share/{self.interface}/options"
        if self.namespace is None:
            return f"exec {dial}"
        return f"exec ip netns exec {self.namespace} sh -c 'mount -t tmpfs none /run/pptp && exec {dial}'"

    @property
    def log(self) -> str:
        """What pppd wrote to its log file."""
        path = self.guest.share / self.interface / "log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def job(self) -> Job:
        """The running pppd."""
        assert self._job is not None
        return self._job

    def wait_up(self, timeout: float = 120) -> tuple[str, str]:
        """Wait for the tunnel; return our address and the peer's. Raises `NoTunnelError` when pppd gives up."""
        self.guest.wait_until(lambda: UP.search(self.log) or self.job.result, timeout, what=f"the tunnel\n{self.log}")
        match = UP.search(self.log)
        if match is None:
            raise NoTunnelError(f"{self.job.result}\n{self.log}")
        return match[1], match[2]

    def wait_end(self, timeout: float = 120) -> Result:
        """Wait until pppd ends by itself."""
        return self.job.wait(timeout)

    def hang_up(self) -> Result:
        """End the call as a user does, and wait until pppd has said goodbye."""
        self.job.signal("TERM")
        return self.job.wait(60)

    def run(self, script: str, *, timeout: float = 120) -> str:
        """Run a script in this client's network; raises `lab.guest.GuestError` when it fails."""
        directory = self.guest.share / self.interface
        (directory / "script").write_text(script, encoding="utf-8")
        prefix = f"ip netns exec {self.namespace} " if self.namespace else ""
        return self.guest.run(f"{prefix}sh -e /share/{self.interface}/script", timeout=timeout).output

    def ping(self, address: str, *, size: int = 56, count: int = 3) -> None:
        """Ping through the tunnel. The very first packet may be early, so the first answer is waited for."""
        ping = f"ping -I {self.interface} -s {size}"
        self.run(f"{ping} -c 1 -w 30 {address} && {ping} -i 0.2 -c {count} -w 30 {address}")

    def route(self, network: str) -> None:
        """Send the traffic for `network` through the tunnel."""
        self.run(f"ip route add {network} dev {self.interface}")


@dataclass
class PptpServer:
    """Debian's pptpd in a guest, listening on entry and gone on exit. `options` are lines for pppd's options file."""

    guest: Guest
    options: tuple[str, ...] = ("require-mschap-v2", "require-mppe-128")
    address: str = "10.66.0.1"
    pool: str = "10.66.0.10-30"
    _job: Job | None = None

    def __enter__(self) -> Self:
        directory = self.guest.share / "pptpd"
        directory.mkdir(exist_ok=True)
        server_side = ("auth", "name pptpd", "nologfd", "logfile /share/pptpd/log", *self.options)
        options = PLAIN_PPP.replace("noauth\nnodetach\n", "") + "".join(f"{line}\n" for line in server_side)
        (directory / "options").write_text(options, encoding="ascii")
        (directory / "log").write_text("", encoding="ascii")
        configuration = f"option /share/pptpd/options\nlocalip {self.address}\nremoteip {self.pool}\nconnections 20\n"
        (directory / "conf").write_text(configuration, encoding="ascii")
        secrets = "".join(f'"{user}" pptpd "{password}" *\n' for user, password in USERS.items())
        (directory / "secrets").write_text(secrets, encoding="ascii")
        self._job = self.guest.start(
            "umask 077 && cd /etc/ppp && cp /share/pptpd/secrets chap-secrets && cp /share/pptpd/secrets pap-secrets\n"
            "exec pptpd --fg --debug --conf /share/pptpd/conf --stimeout 10"
        )
        self.guest.run("for i in $(seq 400); do ss -ltn | grep -q :1723 && exit; sleep 0.1; done; exit 1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._job is not None:
            self._job.kill()
            self._job.wait(60)

    @property
    def log(self) -> str:
        """What the server's pppd processes wrote."""
        return (self.guest.share / "pptpd/log").read_text(encoding="utf-8", errors="replace")
