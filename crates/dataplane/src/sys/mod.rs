//! Everything that talks to the kernel, and the only `unsafe` of the crate.

mod filter;
mod raw;
mod tun;

pub use filter::{owner, Share};
pub use raw::{Outgoing, RawSocket, RecvBatch, Sender, BATCH, IP_HEADER, SLOT};
pub use tun::{Queue, Tun, GONE, VNET_HEADER};

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Turn a negative return value into the error of the thread.
fn check(value: libc::c_int) -> io::Result<libc::c_int> {
    if value < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(value)
    }
}

fn check_size(value: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(value).map_err(|_| io::Error::last_os_error())
}

/// Nanoseconds of CLOCK_MONOTONIC, the clock of Python's `time.monotonic`.
#[must_use]
pub fn monotonic() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid timespec to write to; CLOCK_MONOTONIC always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// A wake-up descriptor.
pub struct EventFd(OwnedFd);

impl EventFd {
    /// Make one, not signalled.
    ///
    /// # Errors
    /// What the kernel says, such as too many open files.
    pub fn new() -> io::Result<Self> {
        // SAFETY: eventfd takes no pointers; the descriptor it returns is ours alone.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: as above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Make it readable.
    pub fn signal(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight valid octets. A full counter (EAGAIN) is as good as a signal.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Make it unreadable until the next signal.
    pub fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: eight valid octets to write to. EAGAIN means that it was not signalled.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for EventFd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Descriptors to wait for, with what `wait` found.
pub struct Waiter(Vec<libc::pollfd>);

impl Waiter {
    /// Wait for these to become readable. They must stay open as long as the waiter is used.
    #[must_use]
    pub fn new(fds: &[RawFd]) -> Self {
        let entry = |&fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        };
        Self(fds.iter().map(entry).collect())
    }

    /// Sleep until one is readable or `timeout` nanoseconds have passed (None: for ever).
    pub fn wait(&mut self, timeout: Option<u64>) {
        let time = timeout.map(|ns| libc::timespec {
            tv_sec: (ns / 1_000_000_000) as libc::time_t,
            tv_nsec: (ns % 1_000_000_000) as libc::c_long,
        });
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the array is valid for its length, the timespec outlives the call or is null.
        let found = unsafe {
            libc::ppoll(
                self.0.as_mut_ptr(),
                self.0.len() as libc::nfds_t,
                time,
                std::ptr::null(),
            )
        };
        if found < 0 {
            self.0.iter_mut().for_each(|entry| entry.revents = 0);
        }
    }

    /// Whether the descriptor at `index` was readable (or broken) when `wait` returned.
    #[must_use]
    pub fn ready(&self, index: usize) -> bool {
        self.0[index].revents != 0
    }
}
