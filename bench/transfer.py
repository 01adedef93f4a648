"""A transfer whose content is checked: `serve` sends back what it gets; a client sends random octets and compares."""

import hashlib
import secrets
import socket
import sys
import threading
import time

TRANSFER_PORT = 7077
PIECE = 1 << 18


def serve() -> None:
    """Send everything back, one connection after another."""
    with socket.create_server(("", TRANSFER_PORT)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                while piece := connection.recv(PIECE):
                    connection.sendall(piece)


def client(address: str, mebibytes: int) -> bool:
    """Send, take back, compare; print what came of it."""
    piece, count = secrets.token_bytes(PIECE), mebibytes * (1 << 20) // PIECE
    wanted, got, size = hashlib.sha256(), hashlib.sha256(), 0
    with socket.create_connection((address, TRANSFER_PORT)) as connection:
        began = time.monotonic()
        sender = threading.Thread(target=_send, args=(connection, piece, count))
        sender.start()
        while back := connection.recv(PIECE):
            got.update(back)
            size += len(back)
        sender.join()
        seconds = time.monotonic() - began
    for _ in range(count):
        wanted.update(piece)
    same = wanted.digest() == got.digest()
    rate = size * 8 / seconds / 1e6
    verdict = "intact" if same else "DAMAGED"
    print(f"{size} octets there and back in {seconds:.2f} s ({rate:.0f} Mbit/s each way), {verdict}")
    return same


def _send(connection: socket.socket, piece: bytes, count: int) -> None:
    for _ in range(count):
        connection.sendall(piece)
    connection.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        sys.exit(0 if client(sys.argv[1], int(sys.argv[2])) else 1)
