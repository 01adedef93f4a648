"""`python -m lab.corpus FOLDER [SCENARIO ...]`: make the labelled captures, all or those of the named scenarios."""

import argparse
import sys
import time
from pathlib import Path

from lab.corpus.build import build
from lab.corpus.scenarios import ALL


def main(arguments: list[str] | None = None) -> int:
    """Build the corpus; print what each scenario took."""
    parser = argparse.ArgumentParser(prog="lab.corpus", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help="only these")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {scenario.name for scenario in ALL}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    chosen = [scenario for scenario in ALL if not options.names or scenario.name in options.names]
    begin = time.monotonic()
    build(options.folder, chosen, lambda line: print(line, flush=True))
    captures = sum(len(scenario.views) for scenario in chosen)
    print(f"{captures} captures of {len(chosen)} scenarios in {time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
