"""Runs a guest: a User-Mode Linux kernel in a network namespace, told what to do through a directory.

A guest boots in about two seconds. System calls are slow inside, so it proves that peers work together, not how fast.
"""

import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.image import Image
from lab.network import Namespace

BOOT_SECONDS = 120.0
BEGIN_SECONDS = 60.0
POLL_SECONDS = 0.02
CALIBRATION = "lpj=25000000"
"""Any plausible number will do: it saves the kernel a second of measuring its delay loop."""


class GuestError(Exception):
    """A guest did not boot, died, or a command in it failed; the text shows what it said."""


@dataclass(frozen=True, slots=True)
class Nic:
    """One network card: `tap` exists in the guest's namespace, `address` carries its prefix length."""

    tap: str
    address: str
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a script in a guest ended with: its exit code and everything it said."""

    code: int
    output: str


class Job:
    """A script that runs in a guest."""

    def __init__(self, guest: "Guest", stem: Path) -> None:
        self._guest = guest
        self._stem = stem

    @property
    def output(self) -> str:
        """What it has said so far."""
        return _text(self._stem.with_suffix(".out"))

    @property
    def result(self) -> Result | None:
        """How it ended, or None while it runs."""
        code = self._stem.with_suffix(".rc")
        return Result(int(code.read_text(encoding="ascii")), self.output) if code.exists() else None

    def wait(self, timeout: float = 120) -> Result:
        """Wait for its end. Raises `GuestError` after `timeout` seconds, or at once when the guest dies."""
        try:
            self._guest.wait_until(lambda: self.result is not None, timeout, what="a job's end")
        except GuestError as error:
            raise GuestError(f"{error}\nThe job said:\n{self.output}") from error
        result = self.result
        assert result is not None
        return result

    def signal(self, name: str = "TERM") -> None:
        """Send a signal to the job's own process, not to what it started."""
        self._send(name, "")

    def kill(self) -> None:
        """End the job and everything it started, at once."""
        self._send("KILL", "-")

    def _send(self, name: str, group: str) -> None:
        if self._guest.alive and (pid := self._pid()) and self.result is None:
            self._guest.run(f"kill -s {name} -- {group}{pid}", check=False)

    def _pid(self) -> str:
        """Wait until the job has begun: one that is to be ended before may not come to life afterwards."""

        def said() -> str:
            return _text(self._stem.with_suffix(".pid")).strip()

        with suppress(GuestError):  # the guest died meanwhile
            self._guest.wait_until(lambda: said() or self.result, BEGIN_SECONDS, what="a job's begin")
        return said()


class Guest:
    """A guest from boot to its end. Enter it as a context: it is up inside and gone, with all its processes, after.

    `directory` is made anew; the guest sees its `share` folder as /share. It has `lab_image.root` as a read-only root.
    """

    def __init__(self, image: Image, namespace: Namespace, directory: Path, *nics: Nic, memory_mib: int = 256) -> None:
        self._image = image
        self._namespace = namespace
        self._directory = directory
        self._nics = nics
        self._memory = memory_mib
        self._jobs = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        shutil.rmtree(self._directory, ignore_errors=True)
        (self.share / "jobs").mkdir(parents=True)
        (self.share / "boot").write_text(_boot_script(self._nics), encoding="ascii")
        self._start()
        try:
            self.wait_until((self.share / "jobs/up").exists, BOOT_SECONDS, what="the guest's agent")
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def share(self) -> Path:
        """The folder that guest and host share."""
        return self._directory / "share"

    @property
    def console(self) -> str:
        """Everything the guest's kernel and init have said."""
        return _text(self._directory / "console")

    @property
    def syslog(self) -> str:
        """The guest's system log."""
        return _text(self.share / "syslog")

    @property
    def alive(self) -> bool:
        """Whether the guest runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, script: str) -> Job:
        """Start a shell script in the guest."""
        stem = self.share / "jobs" / f"{next(self._jobs)}"
        draft = stem.with_suffix(".draft")
        draft.write_text(script, encoding="utf-8")
        draft.rename(stem.with_suffix(".sh"))
        return Job(self, stem)

    def run(self, script: str, *, timeout: float = 120, check: bool = True) -> Result:
        """Run a shell script to its end. Raises `GuestError` when it takes too long, or fails while `check` is set."""
        result = self.start(script).wait(timeout)
        if check and result.code != 0:
            raise GuestError(f"exit code {result.code} of: {script}\n{result.output}")
        return result

    def wait_until(self, condition: Callable[[], object], timeout: float, *, what: str) -> None:
        """Wait until `condition()` holds. Raises `GuestError` after `timeout` seconds, or when the guest dies."""
        end = time.monotonic() + timeout
        while not condition():
            if not self.alive:
                raise GuestError(f"the guest ended while waiting for {what}\n{self.console}")
            if time.monotonic() > end:
                raise GuestError(f"no sign after {timeout:g} s of {what}")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Pull the plug. Its first process takes all others of the guest with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        # A process-id namespace of its own, since a guest is many processes, some of them only traced; and tied to
        # this process, so that not even a killed test run leaves a guest behind.
        contain = ("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
        with (self._directory / "console").open("wb") as console:
            self._process = self._namespace.start(
                *contain,
                *self._kernel_command(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "TMPDIR": str(_memory_directory(self._directory, self._memory))},
            )

    def _kernel_command(self) -> list[str]:
        cards = [f"vec{index}:transport=tap,ifname={nic.tap},depth=128,gro=1" for index, nic in enumerate(self._nics)]
        root = ["rootfstype=hostfs", f"rootflags={self._image.root}", "ro", "init=/usr/sbin/lab-init"]
        console = ["quiet", CALIBRATION, "con=null", "con0=null,fd:1", "ssl=null"]
        home = [f"uml_dir={self._directory}/", "umid=kernel", f"lab_share={self.share}"]
        return [str(self._image.kernel), f"mem={self._memory}M", *root, *console, *cards, *home]


def _memory_directory(fallback: Path, mebibytes: int) -> Path:
    """Where the guest's memory file can lie: in RAM where there is room and programs may be mapped, else on disk."""
    shm = Path("/dev/shm")
    if shm.is_dir():
        state = os.statvfs(shm)
        if not state.f_flag & os.ST_NOEXEC and state.f_bavail * state.f_frsize > mebibytes * 2**20:
            return shm
    return fallback


def _boot_script(nics: tuple[Nic, ...]) -> str:
    lines = []
    for index, nic in enumerate(nics):
        lines += [f"ip address add {nic.address} dev vec{index}", f"ip link set vec{index} up"]
        if nic.gateway:
            lines.append(f"ip route add default via {nic.gateway}")
    return "".join(f"{line}\n" for line in lines)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
