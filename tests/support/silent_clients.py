"""Run as a program: opens PORT COUNT connections on loopback, says so, and holds them until its standard input ends."""

import resource
import socket
import sys


def main(port: int, count: int) -> None:
    """Open and hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = []
    for number in range(count):
        one = socket.socket()
        one.bind((f"127.0.{1 + number // 5000}.1", 0))
        one.connect(("127.0.0.1", port))
        held.append(one)
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
