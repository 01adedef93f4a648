"""FreeRADIUS with EAP-TLS, PEAP and EAP-MSCHAPv2, and with a listener for RADIUS over TLS."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import freeradius
from support.certificates import CLIENT_EXTENSIONS, SERVER_EXTENSIONS, SERVER_NAME, Authority, Pair, make_authority
from support.ports import free_ports

USER = "alice"

THREADS = """thread pool {
    start_servers = 2
    max_servers = 8
    min_spare_servers = 1
    max_spare_servers = 3
    max_requests_per_server = 0
}"""
CLIENTS = """clients radsec {{
    client tls {{
        ipaddr = 127.0.0.1
        proto = tls
        secret = {radsec_secret}
    }}
}}"""
EAP_MODULE = """eap {{
        default_eap_type = {default}
        timer_expire = 60
        ignore_unknown_eap_types = no
        max_sessions = 4096
        tls-config common {{
            private_key_file = {server.key}
            certificate_file = {server.certificate}
            ca_file = {ca}
            tls_min_version = "1.2"
            tls_max_version = "1.2"
            cipher_list = "DEFAULT"
            ecdh_curve = ""
            fragment_size = 1024
            include_length = yes
            check_crl = no
            cache {{
                enable = no
            }}
        }}
        md5 {{
        }}
        tls {{
            tls = common
        }}
        peap {{
            tls = common
            default_eap_type = mschapv2
            copy_request_to_tunnel = no
            use_tunneled_reply = no
            virtual_server = inner
        }}
        mschapv2 {{
        }}
    }}"""
EAP = """eap {
            ok = return
        }"""
RADSEC = """listen {{
        type = auth+acct
        ipaddr = 127.0.0.1
        port = {radsec}
        proto = tcp
        virtual_server = default
        clients = radsec
        limit {{
            max_connections = 16
            lifetime = 0
            idle_timeout = 0
        }}
        tls {{
            private_key_file = {server.key}
            certificate_file = {server.certificate}
            ca_file = {ca}
            tls_min_version = "1.2"
            tls_max_version = "1.2"
            cipher_list = "DEFAULT"
            ecdh_curve = ""
            fragment_size = 8192
            require_client_cert = yes
            check_crl = no
            cache {{
                enable = no
            }}
        }}
    }}"""
INNER = """server inner {
    authorize {
        mschap
        eap {
            ok = return
        }
        files
    }
    authenticate {
        mschap
        eap
    }
}"""


@dataclass(frozen=True)
class EapRadius:
    """A server that runs, and the certificates around it."""

    directory: Path
    authentication: int
    accounting: int
    radsec: int
    authority: Authority
    client: Pair
    """That of the user `USER`, and of a gateway that speaks TLS."""
    process: "subprocess.Popen[bytes]"

    def detail(self) -> list[dict[str, str]]:
        """The accounting records that it wrote down, in order."""
        return freeradius.FreeRadius(self.directory, self.authentication, self.accounting).detail()

    @property
    def log(self) -> str:
        """What it printed."""
        return (self.directory / "output").read_text(errors="replace")


@dataclass(frozen=True)
class Settings:
    """Which EAP it begins with, where it listens on loopback, whom it knows. Ports 0: free ones."""

    default: str = "tls"
    ports: tuple[int, int, int] = (0, 0, 0)
    users: str = freeradius.USERS
    radsec_secret: str = "radsec"


@contextlib.contextmanager
def running(directory: Path, settings: Settings = Settings(), *, wrap: tuple[str, ...] = ()) -> Iterator[EapRadius]:
    """Start one and end it. `wrap`: a command that starts it, such as `ip netns exec NAME`."""
    directory.mkdir(exist_ok=True)
    authority = _authority(directory)
    ports = settings.ports if any(settings.ports) else free_ports(3)
    server, ca = authority.issue(SERVER_NAME, SERVER_EXTENSIONS), authority.pair.certificate
    parts = freeradius.Parts(
        security="status_server = yes",
        clients=CLIENTS.format(radsec_secret=settings.radsec_secret),
        modules=EAP_MODULE.format(default=settings.default, server=server, ca=ca),
        policy=THREADS,
        listeners=RADSEC.format(radsec=ports[2], server=server, ca=ca),
        authorize=EAP,
        authenticate="eap",
        preacct="preacct {\n        ok\n    }",
        servers=INNER,
    )
    freeradius.write(directory, ports[:2], parts, settings.users)
    process = freeradius.start(directory, wrap)
    try:
        yield EapRadius(directory, *ports, authority, authority.issue(USER, CLIENT_EXTENSIONS), process)
    finally:
        process.terminate()
        process.wait(60)


def _authority(directory: Path) -> Authority:
    """Keep the authority of a server that was here before: its clients know it."""
    place = directory / "ca"
    if (place / "ca.pem").exists():
        return Authority(place, Pair(place / "ca.pem", place / "ca.key"))
    return make_authority(place)
