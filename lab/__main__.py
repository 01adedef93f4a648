"""`python -m lab` builds the guest's image; `python -m lab 'commands'` boots a guest and runs them there."""

import sys
import tempfile
from pathlib import Path

from lab import image, network
from lab.guest import Guest, Nic


def main(arguments: list[str]) -> int:
    """Build; with arguments, boot one guest and run each of them as a shell script in it."""
    built = image.ensure()
    if not arguments:
        print(f"guest image: {built.root}")
        return 0
    network.remove_abandoned()
    with tempfile.TemporaryDirectory() as directory, network.namespace("shell") as outside:
        outside.add_tap("tap0", "192.0.2.1/24")
        with Guest(built, outside, Path(directory, "guest"), Nic("tap0", "192.0.2.2/24", "192.0.2.1")) as guest:
            for script in arguments:
                result = guest.run(script, timeout=600, check=False)
                print(result.output, end="")
                if result.code != 0:
                    return result.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
