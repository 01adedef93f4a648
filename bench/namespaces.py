"""Network namespaces of our own: made, joined and removed by who needs them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


def run(*command: str, namespace: str = "", check: bool = True) -> str:
    """Run a command, in a namespace if one is named; return what it printed."""
    prefix = ("ip", "netns", "exec", namespace) if namespace else ()
    return subprocess.run((*prefix, *command), check=check, capture_output=True, text=True).stdout


def remove(*names: str) -> None:
    """Remove namespaces, and what lives in them; those that are not there are fine."""
    for name in names:
        run("ip", "netns", "del", name, check=False)


@contextmanager
def joined(near: str, far: str, near_address: str, far_address: str) -> Iterator[None]:
    """Two namespaces joined by a veth pair; addresses as `192.0.2.1/24`."""
    remove(near, far)
    try:
        for name in (near, far):
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "link", "add", "wan", "netns", near, "type", "veth", "peer", "name", "wan", "netns", far)
        for name, address in ((near, near_address), (far, far_address)):
            run("ip", "-n", name, "addr", "add", address, "dev", "wan")
            run("ip", "-n", name, "link", "set", "wan", "up")
        yield
    finally:
        remove(near, far)
