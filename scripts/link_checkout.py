"""Make this checkout importable in the virtual environment, with its `holdfast` command.

The native module is built into `src/holdfast` beforehand; a `.pth` file and a small launcher are all that is
left to do, and unlike an editable install they need no network and no build isolation.
"""

import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = """#!{python}
import sys

from holdfast.cli.main import main

sys.exit(main())
"""


def link() -> None:
    """Write the `.pth` file and the launcher into the running interpreter's environment."""
    paths = sysconfig.get_paths()
    Path(paths["purelib"], "holdfast-checkout.pth").write_text(f"{ROOT / 'src'}\n{ROOT}\n", encoding="utf-8")
    launcher = Path(paths["scripts"], "holdfast")
    launcher.write_text(LAUNCHER.format(python=sys.executable), encoding="utf-8")
    launcher.chmod(0o755)


if __name__ == "__main__":
    link()
