"""What systemd wants to hear from a service (sd_notify(3)), when it listens."""

import os
import socket


def notify(state: str) -> None:
    """Send `state`, such as `READY=1`, to the service manager; without one do nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.sendto(state.encode(), target)
        except OSError:
            return  # a manager that is gone must not stop the service


def watchdog_interval() -> float | None:
    """Return after how many seconds `WATCHDOG=1` is due again: half of what the manager waits for. None without one."""
    limit, owner = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not limit.isdigit() or not int(limit) or (owner and owner != str(os.getpid())):
        return None
    return int(limit) / 2e6


def journal_keeps(descriptor: int) -> bool:
    """Whether the journal keeps what is written there: JOURNAL_STREAM names its device and inode (systemd.exec(5))."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM", "") == f"{found.st_dev}:{found.st_ino}"
