"""`python -m bench [PART ...]`: measure, all parts or those named. Prints tables with ratios; asserts nothing."""

import argparse
import importlib
import sys

PARTS = {
    "throughput": "one TCP flow beside OpenVPN and wireguard-go (root)",
    "load": "a thousand and five thousand sessions: set-up, memory, idle cost (root)",
    "detection": "a thousand clients cut off: how long until each is noticed (root)",
    "event_log": "a burst of 500,000 events, and control replies beside it",
    "radius": "logins and accounting beside a FreeRADIUS on this machine",
    "dial": "a dialer: first connect, noticing a loss, coming back (root)",
    "diagnose": "a gigabyte of capture beside tshark",
    "truth": "labelled captures of real peers, judged (root when they are not made yet: eight minutes)",
}


def main() -> None:
    """Run the parts that were asked for, one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Benchmarks; the numbers of one run belong together.",
        epilog="\n".join(f"{name:<12} {what}" for name, what in PARTS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which parts; all without a name")
    named = parser.parse_args().parts
    unknown = sorted(set(named) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    for part in named or PARTS:
        print(f"\n== {part}: {PARTS[part]}", flush=True)
        importlib.import_module(f"bench.{part}").main([])


if __name__ == "__main__":
    sys.exit(main())
