from holdfast.capture.findings.catalogue import entries
from holdfast.capture.windows_codes import meaning, named


def test_every_code_of_the_catalogue_has_a_meaning() -> None:
    codes = {code for entry in entries().values() for code in entry.windows_codes}
    assert {code for code in codes if not meaning(code)} == set()


def test_codes_are_named() -> None:
    assert named(691) == "691 (access denied: wrong user name or password)"
    assert named(1) == "1"
