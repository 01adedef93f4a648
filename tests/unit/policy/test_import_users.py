"""Taking chap-secrets over."""

from ipaddress import ip_address

from holdfast.policy.chap_secrets import parse
from holdfast.policy.import_users import ImportedLine, import_chap_secrets
from holdfast.policy.ranges import AddressRange
from holdfast.policy.users import Users
from holdfast.secret import Secret

FILE = b"""\
alice * one *
bob pptpd two 10.77.0.5
carol * three 10.77.0.5
dave * four 10.77.0.6 10.77.0.7
erin * five 10.78.0.0/24
frank * six
* * seven *
gina other eight *
hugo * nine * -- mtu 1400
alice * ten *
"""


def test_every_line_is_answered(users: Users) -> None:
    users.add("hugo", Secret(b"kept"))
    answers = import_chap_secrets(parse(FILE), users)
    assert answers == [
        ImportedLine(1, "alice", True, ""),
        ImportedLine(2, "bob", True, ""),
        ImportedLine(3, "carol", False, "10.77.0.5 belongs to user 'bob'"),
        ImportedLine(4, "dave", True, "only 10.77.0.6 of its addresses is kept"),
        ImportedLine(5, "erin", True, "its addresses are not kept; the pool is used"),
        ImportedLine(
            6,
            "frank",
            False,
            "no address is allowed on this line, so nobody can connect with it; write * as its fourth word",
        ),
        ImportedLine(7, "*", False, "it lets in anybody who knows the secret; a user needs a name"),
        ImportedLine(8, "gina", False, "it is for another server than 'pptpd'"),
        ImportedLine(9, "hugo", False, "there is a user 'hugo' already; the pppd options after -- are not used"),
        ImportedLine(10, "alice", False, "there is a user 'alice' already"),
    ]


def test_what_is_taken_works(users: Users) -> None:
    import_chap_secrets(parse(FILE), users)
    alice, bob = users.find("alice"), users.find("bob")
    assert alice is not None
    assert bob is not None
    assert alice.secret.reveal() == b"one"
    assert bob.record.addresses == (AddressRange.single(ip_address("10.77.0.5")),)
