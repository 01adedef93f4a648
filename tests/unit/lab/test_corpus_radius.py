import pytest

from holdfast.radius.attributes import attribute
from holdfast.radius.codes import Code
from holdfast.radius.packet import RadiusPacket, read_packet, read_reply, write_request
from holdfast.secret import Secret
from holdfast.wire.errors import MalformedError
from lab.corpus.radius_server import SHARED, reply

SECRET = Secret.from_text(SHARED)
RESPONSE = b"\x07" + bytes(49)


@pytest.mark.parametrize(
    ("mode", "code", "name", "text"),
    [
        ("expired", Code.ACCESS_REJECT, "MS-CHAP-Error", b"E=648"),
        ("forged", Code.ACCESS_ACCEPT, "MS-CHAP2-Success", b"S=0"),
    ],
)
def test_it_says_the_same_to_every_login(mode: str, code: Code, name: str, text: bytes) -> None:
    asked = write_request(Code.ACCESS_REQUEST, 3, [attribute("MS-CHAP2-Response", RESPONSE)], SECRET, bytes(16))
    answer = read_reply(reply(asked, mode), read_packet(asked).authenticator, SECRET)
    assert isinstance(answer, RadiusPacket)
    assert answer.code == code
    said = answer.values.octets(name)
    assert said is not None
    assert said.startswith(b"\x07" + text)


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(MalformedError):
        reply(b"noise", "expired")
