"""Certificates made for one test: an authority, a RADIUS server, clients, and another authority that nobody trusts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVER_NAME = "radius.example.net"
SERVER_EXTENSIONS = f"subjectAltName=DNS:{SERVER_NAME},IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n"
CLIENT_EXTENSIONS = "extendedKeyUsage=clientAuth\n"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """Whoever signs."""

    directory: Path
    pair: Pair

    def issue(self, name: str, extensions: str) -> Pair:
        """Sign a certificate for a name."""
        stem = self.directory / name
        pair = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, extension_file = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        extension_file.write_text(extensions)
        _openssl("req", *_NEW_KEY, "-keyout", pair.key, "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.pair.certificate, "-CAkey", self.pair.key, "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *signer, "-days", "30", "-extfile", extension_file,
                 "-out", pair.certificate)  # fmt: skip
        return pair


_NEW_KEY = ("-newkey", "rsa:2048", "-nodes", "-sha256")


def make_authority(directory: Path, name: str = "test authority") -> Authority:
    """Make an authority in a directory of its own."""
    directory.mkdir(parents=True)
    pair = Pair(directory / "ca.pem", directory / "ca.key")
    _openssl(
        "req", "-x509", *_NEW_KEY, "-keyout", pair.key, "-out", pair.certificate, "-days", "30", "-subj", f"/CN={name}"
    )
    return Authority(directory, pair)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
