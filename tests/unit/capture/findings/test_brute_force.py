from pathlib import Path

from support.scene import Scene


def tries(count: int, names: int) -> Scene:
    scenes = [
        Scene(port=40000 + number, now=1_700_000_000.0 + 5 * number)
        .call()
        .lcp()
        .refuse(user=b"user%d" % (number % names))
        .goodbye(False, b"Authentication failed")
        for number in range(count)
    ]
    return scenes[0].together(*scenes[1:])


def test_many_names_are_spraying(tmp_path: Path) -> None:
    found = tries(8, 8).findings(tmp_path)
    assert "8 different names" in found["brute-force"].why
    assert "flapping" not in found


def test_three_mistakes_are_human(tmp_path: Path) -> None:
    assert "brute-force" not in tries(3, 1).findings(tmp_path)
