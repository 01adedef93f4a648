from pathlib import Path

import pytest

from support.scene import Scene


@pytest.mark.parametrize("code", [648, 709])
def test_errors_648_and_709(tmp_path: Path, code: int) -> None:
    assert Scene().call().lcp().refuse(b"E=%d R=0 V=3" % code).goodbye(False).top(tmp_path).id == "auth-expired"
