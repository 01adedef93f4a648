"""A table that does not grow."""

from holdfast.policy.bounded import Bounded


def test_what_was_untouched_for_longest_goes_first() -> None:
    table: Bounded[str, int] = Bounded(2)
    table.put("a", 1)
    table.put("b", 2)
    assert table.get("a") == 1
    assert table.put("c", 3) == ("b", 2)
    assert (table.get("a"), table.get("b"), table.get("c"), len(table)) == (1, None, 3, 2)
    assert table.drop("a") == 1
    assert table.drop("a") is None
    assert len(table) == 1
