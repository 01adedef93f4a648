"""The world of one scenario, several of which fit into one guest side by side.

    street (c0) .2 ---LAN--- .1 (r0)
                                    router (r1) .254 --198.51.100.0/24-- .1 (s0) server
    street2 (c0) .2 --203.0.113.0/24-- .1 (r2)

Each is a network namespace of the guest, with the lane's name in front.
"""

import itertools
import shlex
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

from lab.corpus.scenario import Scenario, View, Where
from lab.guest import Guest, GuestError, Job
from tests.support.lab_peers import PLAIN_PPP, USERS, Client, NoTunnelError

SERVER = "198.51.100.1"
INSIDE = "10.66.0.1"
"""The server's address in the tunnel."""
SECOND_LAN = "203.0.113"
PLACES = {
    Where.CLIENT: ("street", "c0"),
    Where.SECOND_CLIENT: ("street2", "c0"),
    Where.ROUTER: ("router", "r1"),
    Where.SERVER: ("server", "s0"),
}
NAMES = ("street", "street2", "router", "server")
NETWORK = """
for n in street street2 router server; do ip netns add {lane}-$n; ip -n {lane}-$n link set lo up; done
join() {{
  ip link add $2 netns {lane}-$1 type veth peer name $5 netns {lane}-$4
  ip -n {lane}-$1 address add $3/24 dev $2; ip -n {lane}-$1 link set $2 up
  ip -n {lane}-$4 address add $6/24 dev $5; ip -n {lane}-$4 link set $5 up
}}
join street c0 {lan}.2 router r0 {lan}.1
join street2 c0 {second}.2 router r2 {second}.1
ip -n {lane}-street route add default via {lan}.1
ip -n {lane}-street2 route add default via {second}.1
ip netns exec {lane}-router sysctl -qw net.ipv4.ip_forward=1
"""
SERVER_LINK = """
join server s0 {server} router r1 198.51.100.254
ip -n {lane}-server route add default via 198.51.100.254
"""
LISTENS = "for i in $(seq 300); do ss -ltn | grep -q :1723 && exit 0; sleep 0.1; done; exit 1"
CLEAN = """
for n in street street2 router server; do
  for p in $(ip netns pids {lane}-$n); do kill -9 $p; done
  ip netns delete {lane}-$n
done 2>/dev/null
true
"""
SNAP = 2000
"""Octets of each frame: tcpdump's buffer has as few places as this is large, and the slow guest needs many."""
DRAIN = 1.5
"""Seconds in which tcpdump in the slow guest has nothing more to write when it has written everything."""
PATIENCE = 60.0
"""Seconds that programs in the guest get to begin, and to come to an end, on a machine with other things to do."""
_numbers = itertools.count()


@dataclass
class Stage:
    """A scenario under way. Enter it as a context: network, captures and server stand inside."""

    guest: Guest
    lane: str
    scenario: Scenario
    clients: list[Client] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))
    _captures: dict[View, Job] = field(default_factory=dict)
    server_link: ClassVar[str] = SERVER_LINK
    places: ClassVar[dict[Where, tuple[str, str]]] = PLACES

    def __enter__(self) -> Self:
        lan, script = self.scenario.lan, NETWORK + self.server_link
        self.guest.run(script.format(lane=self.lane, lan=lan, second=SECOND_LAN, server=SERVER))
        self._capture(late=False)
        if self.scenario.before:
            self.run(Where.ROUTER, self.scenario.before)
        self._serve()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(GuestError):
            self._drain()
            for capture in self._captures.values():
                capture.signal("INT")
            for capture in self._captures.values():
                capture.wait(PATIENCE)
        self.guest.run(CLEAN.format(lane=self.lane), check=False)

    def run(self, where: Where, script: str, *, timeout: float = 40) -> str:
        """Run a script at a place; raises `GuestError` when it fails."""
        return self.guest.run(self._wrap(where, script), timeout=timeout).output

    def start(self, where: Where, script: str) -> Job:
        """Start a script at a place."""
        return self.guest.start(f"exec {self._wrap(where, script)}")

    def signal(self, where: Where, program: str, name: str) -> None:
        """Send a signal to every process of a program, named by a pattern of the shell, at a place."""
        found = f"for p in $(ip netns pids {self._namespace(where)}); do"
        self.guest.run(
            f'{found} case "$(cat /proc/$p/comm)" in {program}) kill -s {name} $p;; esac; done 2>/dev/null', check=False
        )

    def dial(self, *, second: bool = False, user: str | None = None, password: str | None = None) -> Client | None:
        """Dial until the tunnel is up; None when the client gave up or patience ended."""
        scenario = self.scenario
        where = Where.SECOND_CLIENT if second else Where.CLIENT
        client = Client(
            self.guest,
            scenario.target or SERVER,
            user or scenario.user,
            scenario.password if password is None else password,
            scenario.client,
            namespace=self._namespace(where),
        )
        self.clients.append(client.__enter__())
        try:
            client.wait_up(scenario.patience)
        except (NoTunnelError, GuestError):
            client.job.kill()
            self.signal(where, "pptp*", "KILL")  # its call manager is a daemon
            return None
        self._capture(late=True)
        return client

    def use(self, client: Client, script: str) -> None:
        """Run a script at a client in which PPP stands for its interface; a failure of the script is no failure."""
        with suppress(GuestError):
            client.run(script.replace("PPP", client.interface), timeout=120)

    def hang_up(self, client: Client) -> None:
        """End a call as a user does, if it still is."""
        with suppress(GuestError):
            client.hang_up()

    def files(self) -> list[tuple[View, bytes]]:
        """Return the captures that were made."""
        made = ((view, self._path(view)) for view in self.scenario.views)
        return [(view, path.read_bytes()) for view, path in made if path.exists()]

    def _namespace(self, where: Where) -> str:
        return f"{self.lane}-{self.places[where][0]}"

    def _wrap(self, where: Where, script: str) -> str:
        return f"ip netns exec {self._namespace(where)} sh -ec {shlex.quote(script)}"

    def _path(self, view: View) -> Path:
        return self.guest.share / f"{self.number}.{view.where}{view.tag}.pcap"

    def _capture(self, *, late: bool) -> None:
        wanted = [view for view in self.scenario.views if view.late is late and view not in self._captures]
        for view in wanted:
            command = f"tcpdump -Z root -U --immediate-mode -s {SNAP} -i {self.places[view.where][1]}"
            target = f"/share/{self._path(view).name}"
            self._captures[view] = self.start(view.where, f"exec {command} -w {target} {shlex.quote(view.only)}")
        for view in wanted:
            self.guest.wait_until(partial(self._listens, view), PATIENCE, what="tcpdump")

    def _listens(self, view: View) -> bool:
        """Whether tcpdump hears what goes by; one that ended will hear nothing more."""
        job = self._captures[view]
        return "listening on" in job.output or job.result is not None

    def _drain(self) -> None:
        """Wait until the captures grow no more."""
        end, before = time.monotonic() + PATIENCE, -1
        while (size := sum(self._size(view) for view in self._captures)) != before and time.monotonic() < end:
            before = size
            time.sleep(DRAIN)

    def _size(self, view: View) -> int:
        path = self._path(view)
        return path.stat().st_size if path.exists() else 0

    def _serve(self) -> None:
        if self.scenario.service is None:
            self._pptpd()
        elif self.scenario.service:
            self.start(Where.SERVER, self.scenario.service)
            self.run(Where.SERVER, LISTENS, timeout=2 * PATIENCE)

    def _pptpd(self) -> None:
        """Start Debian's pptpd with an /etc/ppp and a /run of its own."""
        name = f"server{self.number}"
        folder = self.guest.share / name
        (folder / "ppp").mkdir(parents=True)
        plain = PLAIN_PPP.replace("noauth\nnodetach\n", "")
        lines = ("auth", "name pptpd", "nologfd", f"logfile /share/{name}/log", *self.scenario.server)
        (folder / "options").write_text(plain + "".join(f"{line}\n" for line in lines), encoding="ascii")
        addresses = f"localip {INSIDE}\nremoteip {self.scenario.pool}\n" if self.scenario.pool else "delegate\n"
        (folder / "conf").write_text(
            f"option /share/{name}/options\n{addresses}{self.scenario.configuration or 'connections 20'}\n",
            encoding="ascii",
        )
        allowed = self.scenario.fixed_address
        secrets = "".join(f'"{user}" pptpd "{password}" {allowed}\n' for user, password in USERS.items())
        for file, text in (("chap-secrets", secrets), ("pap-secrets", secrets), ("options", ""), *self.scenario.files):
            (folder / "ppp" / file).write_text(text, encoding="ascii")
            (folder / "ppp" / file).chmod(0o700 if text.startswith("#!") else 0o600)
        self.start(
            Where.SERVER,
            f"mount --bind /share/{name}/ppp /etc/ppp; mount -t tmpfs none /run\n"
            f"exec pptpd --fg --debug --conf /share/{name}/conf --stimeout 10",
        )
        self.run(Where.SERVER, LISTENS, timeout=2 * PATIENCE)
