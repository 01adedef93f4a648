"""A very small internet: serves a directory by HTTP and answers every DNS question for an address with its own.

Run as a program: ADDRESS DIRECTORY. Needs ports 80 and 53.
"""

import functools
import hashlib
import http.server
import socket
import socketserver
import sys
import threading


class Names(socketserver.BaseRequestHandler):
    """Answers A questions (RFC 1035 section 4) with the address the server listens on; others with no records."""

    server: socketserver.UDPServer
    request: tuple[bytes, socket.socket]

    def handle(self) -> None:
        """Answer one datagram."""
        query, sock = self.request
        question_end = query.index(0, 12) + 5
        asks_address = query[question_end - 4 : question_end - 2] == b"\0\1"
        address = socket.inet_aton(str(self.server.server_address[0]))
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address if asks_address else b""
        header = query[:2] + b"\x81\x80\0\1" + bytes([0, int(asks_address)]) + b"\0\0\0\0"
        sock.sendto(header + query[12:question_end] + record, self.client_address)


class Pages(http.server.SimpleHTTPRequestHandler):
    """Serves files; what is posted is answered with its SHA-256."""

    def do_POST(self) -> None:
        """Take a body in and answer with its digest in hexadecimal."""
        digest = hashlib.sha256(self.rfile.read(int(self.headers["Content-Length"]))).hexdigest()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(digest.encode())


def main(address: str, directory: str) -> None:
    """Serve until killed."""
    names = socketserver.UDPServer((address, 53), Names)
    threading.Thread(target=names.serve_forever, daemon=True).start()
    pages = functools.partial(Pages, directory=directory)
    http.server.ThreadingHTTPServer((address, 80), pages).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:3])
