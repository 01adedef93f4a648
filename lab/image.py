"""Builds what a guest boots from: a file tree of Debian packages and a User-Mode Linux kernel.

A guest's root is a directory of this host (hostfs), so nothing is packed and nothing needs a block device. The
packages' maintainer scripts are not run; what they would have made and the peers need is written here.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
FILES = HERE / "files"

PACKAGES = (
    "busybox-static",
    "dash",
    "iperf3",
    "iproute2",
    "iptables",
    "iputils-ping",
    "kmod",
    "ppp",
    "pptp-linux",
    "pptpd",
    "tcpdump",
    "user-mode-linux",
)
# Pulled in only by maintainer scripts, which never run here.
UNUSED = (
    "adduser debconf dpkg gcc- init-system- libfile- libgdbm libnumber- libperl libsemanage libtext- lsb-base passwd "
    "perl sysvinit- tar usrmerge"
)
BARE_APT = ("-o", "Debug::NoLocking=1", "-o", "APT::Install-Recommends=0", "-o", "APT::Sandbox::User=root")

DIRECTORIES = (
    "dev etc/ppp/peers mnt proc root run share sys tmp usr/bin usr/sbin usr/lib usr/lib64 var/lib var/log var/tmp"
)
MERGED = ("bin", "sbin", "lib", "lib64")
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\ntcpdump:x:100:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nprotocols: files\nservices: files\n",
    "resolv.conf": "",
}


@dataclass(frozen=True, slots=True)
class Image:
    """What a guest boots from: its root directory and the kernel, which is a program of this host."""

    root: Path
    kernel: Path


def ensure(cache: Path = CACHE) -> Image:
    """Return the image, built first if there is none yet or its recipe changed.

    Raises `PermissionError` without root and `subprocess.CalledProcessError` when a package cannot be fetched.
    """
    if os.geteuid() != 0:
        raise PermissionError("building the lab needs root")
    cache.mkdir(parents=True, exist_ok=True)
    image = Image(cache / "root", cache / "linux")
    stamp = cache / "recipe"
    with _locked(cache / "lock"):
        recipe = _recipe()
        if not (stamp.exists() and stamp.read_text(encoding="ascii") == recipe and image.kernel.exists()):
            stamp.unlink(missing_ok=True)
            _build(cache, image)
            stamp.write_text(recipe, encoding="ascii")
    return image


def _recipe() -> str:
    """Identify everything the image is made from, apart from the packages' versions."""
    sources = [Path(__file__), *sorted(FILES.iterdir())]
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one builder at a time through: test runs may start side by side."""
    with path.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(cache: Path, image: Image) -> None:
    packages = _fetch(cache / "packages")
    shutil.rmtree(image.root, ignore_errors=True)
    _lay_out(image.root)
    for package in packages:
        _unpack(package, image.root)
    _finish(image)
    (cache / "packages.txt").write_text("".join(f"{package.name}\n" for package in packages), encoding="utf-8")


def _fetch(directory: Path) -> list[Path]:
    """Download every package the guest needs that is not there yet; return their files."""
    directory.mkdir(exist_ok=True)
    wanted = _closure(directory)
    missing = [name for name, pattern in wanted.items() if not list(directory.glob(pattern))]
    if missing:
        _run("apt-get", *BARE_APT, "-qq", "download", *missing, cwd=directory)
    return [next(directory.glob(pattern)) for pattern in wanted.values()]


def _closure(directory: Path) -> dict[str, str]:
    """Return the packages, dependencies included as if nothing were installed: name -> pattern of its file's name."""
    nothing = directory / "status"
    nothing.write_text("", encoding="ascii")
    command = ("apt-get", *BARE_APT, "-o", f"Dir::State::status={nothing}", "--simulate", "install", *PACKAGES)
    try:
        plan = _run(*command)
    except subprocess.CalledProcessError:
        _run("apt-get", "-qq", "update")
        plan = _run(*command)
    # Lines read: Inst NAME (VERSION ORIGIN [ARCHITECTURE]) ...
    chosen = [line.split()[1:3] for line in plan.splitlines() if line.startswith("Inst ")]
    return {
        name: f"{name}_{version.strip('(').replace(':', '%3a')}_*.deb"
        for name, version in sorted(chosen)
        if not name.startswith(tuple(UNUSED.split()))
    }


def _lay_out(root: Path) -> None:
    for directory in DIRECTORIES.split():
        (root / directory).mkdir(parents=True)
    for name in MERGED:
        (root / name).symlink_to(f"usr/{name}")
    (root / "var/run").symlink_to("/run")


def _unpack(package: Path, root: Path) -> None:
    """Unpack into the merged tree: `tar` follows the links, `dpkg-deb -x` would put directories in their place."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as source:
        _run("tar", "-C", root, "-x", "--keep-directory-symlink", "--exclude=./usr/share/doc", stdin=source.stdout)
    if source.returncode != 0:
        raise subprocess.CalledProcessError(source.returncode, source.args)


def _finish(image: Image) -> None:
    """Do what maintainer scripts would have done, and put the kernel and the lab's own files in place."""
    root = image.root
    for name, content in ETC.items():
        (root / "etc" / name).write_text(content, encoding="ascii")
    (root / "usr/bin/sh").unlink(missing_ok=True)
    (root / "usr/bin/sh").symlink_to("dash")
    (root / "usr/sbin/iptables").unlink(missing_ok=True)
    (root / "usr/sbin/iptables").symlink_to("xtables-legacy-multi")
    _link_applets(root)
    for source in FILES.iterdir():
        shutil.copy(source, root / "usr/sbin" / f"lab-{source.name}")
        (root / "usr/sbin" / f"lab-{source.name}").chmod(0o755)
    _run("ldconfig", "-r", root)
    shutil.copytree(root / "usr/lib/uml/modules", root / "usr/lib/modules", dirs_exist_ok=True)
    shutil.copy(root / "usr/bin/linux.uml", image.kernel)


def _link_applets(root: Path) -> None:
    """Let busybox stand in for every program that no package brought."""
    present = {path.name for place in ("bin", "sbin") for path in (root / "usr" / place).iterdir()}
    for applet in set(_run(root / "bin/busybox", "--list").split()) - present:
        (root / "usr/bin" / applet).symlink_to("busybox")


def _run(*command: str | Path, **options: Any) -> str:
    return str(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout)
