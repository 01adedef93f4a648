"""A real pptpd in a guest, as the other end of measurements. Needs root and the lab (docs/lab.md)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import image, network
from lab.guest import Guest, Nic
from lab.network import Namespace

GUEST = "192.0.2.2"
HERE = "192.0.2.1"
TAP = "tap0"
PPTPD_INSIDE = "10.66.0.1"
CLIENT_TAP, CLIENT, CLIENT_HERE = "tap1", "198.51.100.2", "198.51.100.1"
USER, PASSWORD = "alice", "S3cret-of-alice"
OPTIONS = """auth
name pptpd
require-mschap-v2
require-mppe-128
nologfd
logfile /share/log
noipdefault
nodefaultroute
ipcp-accept-remote
nobsdcomp
nodeflate
novj
noipv6
mtu 1400
mru 1400
"""


@contextmanager
def serving(folder: Path, *, scripts: bool = True) -> Iterator[Namespace]:
    """A namespace from which the guest's pptpd is reached at `GUEST`.

    Without `scripts` pppd finds no ip-pre-up, for whose end it waits before its interface takes packets (pppd(8)).
    """
    with network.namespace("bench") as here:
        here.add_tap(TAP, f"{HERE}/24")
        with Guest(image.ensure(), here, folder / "guest", Nic(TAP, f"{GUEST}/24", HERE)) as guest:
            (guest.share / "options").write_text(OPTIONS, encoding="ascii")
            (guest.share / "conf").write_text(
                f"option /share/options\nlocalip {PPTPD_INSIDE}\nremoteip 10.66.0.10-30\n", encoding="ascii"
            )
            (guest.share / "secrets").write_text(f'"{USER}" pptpd "{PASSWORD}" *\n', encoding="ascii")
            if not scripts:
                guest.run("mount --bind /dev/null /etc/ppp/ip-pre-up")
            guest.start(
                "umask 077 && cp /share/secrets /etc/ppp/chap-secrets\nexec pptpd --fg --conf /share/conf --stimeout 10"
            )
            guest.run("for i in $(seq 50); do ss -ltn | grep -q :1723 && exit; sleep 0.1; done; exit 1")
            yield here


@contextmanager
def client_guest(folder: Path, here: Namespace) -> Iterator[Guest]:
    """A second guest, from which pptpd is reached through the namespace `here`."""
    here.sysctl("net.ipv4.ip_forward", "1")
    here.add_tap(CLIENT_TAP, f"{CLIENT_HERE}/24")
    with Guest(image.ensure(), here, folder, Nic(CLIENT_TAP, f"{CLIENT}/24", CLIENT_HERE)) as guest:
        yield guest
