"""Debian's pppd signs in by EAP: through the gateway to Debian's FreeRADIUS, with MPPE from the method's keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support import freeradius, freeradius_eap
from support.certificates import CLIENT_EXTENSIONS, SERVER_NAME, make_authority
from support.freeradius_eap import EapRadius, Settings
from support.lab_gateway import Gateway, GatewayMaker
from support.lab_peers import USERS, WITH_EAP, Client
from support.lab_world import GATEWAY_ADDRESS, World

pytestmark = pytest.mark.lab
PORTS = (1812, 1813, 2083)
RADIUS_USERS = "".join(f'{user} Cleartext-Password := "{password}"\n' for user, password in USERS.items())


@pytest.fixture
def radius(lab_world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[EapRadius]:
    """FreeRADIUS beside the gateway, on its loopback; it begins with the EAP method that the test names."""
    settings = Settings(default=getattr(request, "param", "tls"), ports=PORTS, users=RADIUS_USERS)
    with freeradius_eap.running(tmp_path / "radius", settings, wrap=tuple(lab_world.gateway.wrap())) as server:
        yield server


def start(gateway: GatewayMaker, directory: Path, *methods: str) -> Gateway:
    secrets = directory / "secrets"
    secrets.write_text(f"127.0.0.1 {freeradius.SECRET}\n", encoding="ascii")
    secrets.chmod(0o600)
    radius = {"servers": ["127.0.0.1"], "secrets_file": str(secrets), "accounting_servers": []}
    return gateway(ppp={"authentication": list(methods)}, radius=radius)


def tls_client(world: World, certificate: Path, key: Path, ca: Path) -> Client:
    options = (f"ca {{folder}}/{ca.name}", f"cert {{folder}}/{certificate.name}", f"key {{folder}}/{key.name}",
               f"remotename {SERVER_NAME}", "need-peer-eap", "require-mppe-128")  # fmt: skip
    return Client(
        world.guest, GATEWAY_ADDRESS, options=options, plain=WITH_EAP, password="", files=(certificate, key, ca)
    )


def test_eap_tls(lab_world: World, gateway: GatewayMaker, radius: EapRadius, tmp_path: Path) -> None:
    running = start(gateway, tmp_path, "eap")
    ca = radius.authority.pair.certificate
    with tls_client(lab_world, radius.client.certificate, radius.client.key, ca) as client:
        _, peer = client.wait_up()
        assert "MPPE 128-bit stateless compression enabled" in client.log
        client.ping(peer, size=1200)
        signed_in = running.wait_event("AUTH_SUCCESS")
        assert (signed_in["user"], signed_in["method"], signed_in["eap_type"]) == ("alice", "eap", "EAP-TLS")
        assert running.wait_event("MPPE_UP")["mppe_bits"] == 128
        client.hang_up()
    assert running.wait_event("TEARDOWN")["reason"] == "user_request"


def test_eap_tls_with_a_certificate_of_somebody_else(
    lab_world: World, gateway: GatewayMaker, radius: EapRadius, tmp_path: Path
) -> None:
    running = start(gateway, tmp_path, "eap")
    mallory = make_authority(tmp_path / "other").issue("mallory", CLIENT_EXTENSIONS)
    with tls_client(lab_world, mallory.certificate, mallory.key, radius.authority.pair.certificate) as client:
        client.wait_end()
    assert running.wait_event("TEARDOWN")["reason"] == "auth_failed"
    assert not running.events("IP_UP")


@pytest.mark.parametrize("radius", ["mschapv2"], indirect=True)
def test_eap_ms_chap_v2(lab_world: World, gateway: GatewayMaker, radius: EapRadius, tmp_path: Path) -> None:
    running = start(gateway, tmp_path, "eap")
    with Client(lab_world.guest, GATEWAY_ADDRESS, plain=WITH_EAP) as client:
        _, peer = client.wait_up()
        client.ping(peer, size=1200)
    assert running.wait_event("AUTH_SUCCESS")["eap_type"] == "EAP-MSCHAPv2"


def test_a_client_that_refuses_eap_is_offered_the_next_method(
    lab_world: World, gateway: GatewayMaker, radius: EapRadius, tmp_path: Path
) -> None:
    running = start(gateway, tmp_path, "eap", "ms-chap-v2")
    with Client(lab_world.guest, GATEWAY_ADDRESS) as client:
        _, peer = client.wait_up()
        client.ping(peer)
    assert running.wait_event("AUTH_SUCCESS")["method"] == "ms-chap-v2"
