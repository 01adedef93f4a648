"""The dictionary: no number and no name twice."""

from holdfast.radius.dictionary import BY_NAME, BY_NUMBER, DEFINITIONS, VALUES, Kind


def test_every_attribute_has_its_own_number_and_name():
    assert len(BY_NAME) == len(BY_NUMBER) == len(DEFINITIONS) > 70


def test_some_numbers_against_their_rfcs():
    numbers = {name: (BY_NAME[name].vendor, BY_NAME[name].number) for name in BY_NAME}
    assert numbers["MS-MPPE-Send-Key"] == (311, 16)
    assert numbers["MS-CHAP2-Response"] == (311, 25)
    assert numbers["Acct-Interim-Interval"] == (0, 85)
    assert numbers["Error-Cause"] == (0, 101)
    assert numbers["Mikrotik-Total-Limit"] == (14988, 17)


def test_secrets_are_marked():
    for name in ("User-Password", "CHAP-Password", "CHAP-Challenge", "EAP-Message"):
        assert BY_NAME[name].kind is Kind.SECRET
    for definition in DEFINITIONS:
        if "Key" in definition.name or "Response" in definition.name or "Challenge" in definition.name:
            assert definition.kind is Kind.SECRET


def test_words_belong_to_attributes_that_are_numbers():
    assert {BY_NAME[name].kind for name in VALUES} <= {Kind.INTEGER, Kind.TAGGED_INTEGER}
