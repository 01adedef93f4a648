from holdfast.advise.check import Verdict, fault, ok, unknown, warning, worst


def test_the_gravest_counts_and_what_is_unknown_does_not() -> None:
    assert worst([ok("a", "."), unknown("b", ".", "no right")]) is Verdict.OK
    assert worst([ok("a", "."), warning("b", ".")]) is Verdict.WARNING
    assert worst([warning("a", "."), fault("b", "."), ok("c", ".")]) is Verdict.FAULT


def test_a_check_is_plain_data() -> None:
    assert fault("nat", "It is off.", "rule 7", "do this", "or that").plain() == {
        "id": "nat",
        "verdict": "fault",
        "title": "It is off.",
        "evidence": "rule 7",
        "fixes": ["do this", "or that"],
    }
