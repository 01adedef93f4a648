"""FreeRADIUS with EAP-TLS, PEAP and EAP-MSCHAPv2, and with a listener for RADIUS over TLS."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support import freeradius
from support.certificates import CLIENT_EXTENSIONS, SERVER_EXTENSIONS, SERVER_NAME, Authority, Pair, make_authority

USER = "alice"

CONFIGURATION = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {directory}
logdir = {directory}
run_dir = {directory}
pidfile = {directory}/pid
max_request_time = 30
max_requests = 16384
security {{
    allow_vulnerable_openssl = yes
    reject_delay = 0
    status_server = yes
    require_message_authenticator = yes
}}
thread pool {{
    start_servers = 2
    max_servers = 8
    min_spare_servers = 1
    max_spare_servers = 3
    max_requests_per_server = 0
}}
client peer {{
    ipaddr = {client}
    secret = {secret}
    require_message_authenticator = yes
}}
clients radsec {{
    client tls {{
        ipaddr = {client}
        proto = tls
        secret = {radsec_secret}
    }}
}}
modules {{
    pap {{ }}
    chap {{ }}
    mschap {{
        use_mppe = yes
    }}
    files {{
        filename = {directory}/users
    }}
    detail {{
        filename = {directory}/detail
    }}
    always ok {{
        rcode = ok
    }}
    eap {{
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
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = {listen}
        port = {authentication}
    }}
    listen {{
        type = acct
        ipaddr = {listen}
        port = {accounting}
    }}
    listen {{
        type = auth+acct
        ipaddr = {listen}
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
    }}
    authorize {{
        chap
        mschap
        eap {{
            ok = return
        }}
        files
        pap
    }}
    authenticate {{
        pap
        chap
        mschap
        eap
    }}
    preacct {{
        ok
    }}
    accounting {{
        detail
        ok
    }}
    {post_auth}
}}
server inner {{
    authorize {{
        mschap
        eap {{
            ok = return
        }}
        files
    }}
    authenticate {{
        mschap
        eap
    }}
}}
"""


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
    """Where it listens, whom it answers, which EAP it begins with. Ports 0: free ones."""

    default: str = "tls"
    listen: str = "127.0.0.1"
    client: str = "127.0.0.1"
    ports: tuple[int, int, int] = (0, 0, 0)
    users: str = freeradius.USERS
    radsec_secret: str = "radsec"


@contextlib.contextmanager
def running(directory: Path, settings: Settings = Settings(), *, wrap: tuple[str, ...] = ()) -> Iterator[EapRadius]:
    """Start one and end it. `wrap`: a command that starts it, such as `ip netns exec NAME`."""
    directory.mkdir(exist_ok=True)
    authority = _authority(directory)
    ports = settings.ports if any(settings.ports) else freeradius.free_ports(3)
    server = authority.issue(SERVER_NAME, SERVER_EXTENSIONS)
    text = CONFIGURATION.format(
        directory=directory, secret=freeradius.SECRET, server=server, ca=authority.pair.certificate,
        authentication=ports[0], accounting=ports[1], radsec=ports[2], post_auth=freeradius.SIGNED,
        default=settings.default, listen=settings.listen, client=settings.client, radsec_secret=settings.radsec_secret,
    )  # fmt: skip
    (directory / "radiusd.conf").write_text(text)
    (directory / "users").write_text(settings.users)
    (directory / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
    process = freeradius.start(directory, wrap)
    try:
        yield EapRadius(directory, *ports, authority, authority.issue(USER, CLIENT_EXTENSIONS), process)
    finally:
        process.terminate()
        process.wait(10)


def _authority(directory: Path) -> Authority:
    """Keep the authority of a server that was here before: its clients know it."""
    place = directory / "ca"
    if (place / "ca.pem").exists():
        return Authority(place, Pair(place / "ca.pem", place / "ca.key"))
    return make_authority(place)
