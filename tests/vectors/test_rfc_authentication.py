"""The examples of RFC 2433, RFC 2759 and RFC 3079, and one real sign-in."""

import pytest

from holdfast.ppp import crypto, mppe
from holdfast.ppp.authentication import MsChapV2Exchange
from holdfast.ppp.authentication_packets import parse_response_v2
from holdfast.ppp.credentials import StoredSecret, verify
from holdfast.ppp.mppe_codec import KeyChain, MppeReceiver, is_sensible
from holdfast.secret import Secret
from support.vectors import load, octets

BITS = (40, 56, 128)
V1 = load("rfc2433")
V2 = load("rfc2759")
KEYS = load("rfc3079")
REAL = load("capture_windows_2000")


def test_ms_chap_v1_hash_example() -> None:
    example = V1["hash"]
    nt_hash = crypto.nt_password_hash(example["password"].encode())
    assert nt_hash == octets(example["nt_password_hash"])
    response = crypto.challenge_response(octets(example["challenge"]), nt_hash)
    assert response == octets(example["nt_challenge_response"])


@pytest.mark.parametrize("example", V1["des_key"])
def test_des_key_parity(example: dict[str, str]) -> None:
    assert crypto.parity_key(octets(example["raw"])) == octets(example["parity_corrected"])


def test_ms_chap_v2_hash_example() -> None:
    ours, theirs, user = octets(V2["authenticator_challenge"]), octets(V2["peer_challenge"]), V2["user_name"].encode()
    nt_hash = crypto.nt_password_hash(V2["password"].encode())
    response = octets(V2["nt_response"])
    assert nt_hash == octets(V2["password_hash"])
    assert crypto.md4(nt_hash) == octets(V2["password_hash_hash"])
    assert crypto.challenge_hash(theirs, ours, user) == octets(V2["challenge"])
    assert crypto.generate_nt_response(ours, theirs, user, nt_hash) == response
    proof = crypto.generate_authenticator_response(nt_hash, response, theirs, ours, user)
    assert proof.decode() == V2["authenticator_response"]


@pytest.mark.parametrize("bits", BITS)
def test_keys_after_ms_chap_v1(bits: int) -> None:
    example = KEYS["ms_chap"]
    nt_hash = crypto.nt_password_hash(KEYS["password"].encode())
    lm_hash = crypto.lm_password_hash(KEYS["password"].encode())
    assert lm_hash == octets(example["lm_password_hash"])
    assert crypto.md4(nt_hash) == octets(example["nt_password_hash_hash"])
    pair = mppe.keys_from_ms_chap(octets(example["challenge"]), crypto.md4(nt_hash), lm_hash)
    assert pair.send.reveal() == octets(example["initial_session_key_128"])
    keys = pair.direction_keys(bits)
    assert keys is not None
    assert keys.send == keys.receive
    assert KeyChain(keys.send, bits).session_key.reveal() == octets(example["session_key"][str(bits)])


@pytest.mark.parametrize("bits", BITS)
def test_keys_after_ms_chap_v2(bits: int) -> None:
    example = KEYS["ms_chap_v2"]
    nt_hash = crypto.nt_password_hash(KEYS["password"].encode())
    response = octets(example["nt_response"])
    assert mppe.get_master_key(crypto.md4(nt_hash), response) == octets(example["master_key"])
    keys = mppe.keys_from_ms_chap_v2(nt_hash, response, is_server=True).direction_keys(bits)
    assert keys is not None
    assert keys.send.reveal() == octets(example["send_start_key"][str(bits)])
    chain = KeyChain(keys.send, bits)
    assert chain.session_key.reveal() == octets(example["send_session_key"][str(bits)])
    message = example["message"].encode()
    assert chain.cipher().encrypt(message) == octets(example["encrypted_message"][str(bits)])


def _real_exchange() -> MsChapV2Exchange:
    response = parse_response_v2(octets(REAL["response_value"]))
    assert response is not None
    challenge = Secret(octets(REAL["challenge_value"]))
    return MsChapV2Exchange(REAL["user_name"].encode(), REAL["identifier"], challenge, *response)


@pytest.mark.parametrize("stored", ["password", "NT hash"])
def test_a_real_windows_client_is_let_in_as_poptop_did(stored: str) -> None:
    password = REAL["password"].encode()
    by_password = StoredSecret.from_password(Secret(password))
    by_hash = StoredSecret.from_nt_hash(Secret(crypto.nt_password_hash(password)))
    verdict = verify(_real_exchange(), by_password if stored == "password" else by_hash)
    assert verdict.accepted
    assert verdict.authenticator_response == Secret.from_text(REAL["success_message"])


def test_its_packets_decrypt() -> None:
    verdict = verify(_real_exchange(), StoredSecret.from_password(Secret.from_text(REAL["password"])))
    assert verdict.mppe is not None
    keys = verdict.mppe.direction_keys(128)
    assert keys is not None
    receiver = MppeReceiver(KeyChain(keys.receive, 128), stateless=True)
    for datagram in REAL["datagram"]:
        frame = receiver.decrypt(octets(datagram["encrypted"]))
        assert frame is not None
        assert frame.startswith(octets(datagram["clear_prefix"]))
        assert is_sensible(frame)
