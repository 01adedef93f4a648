//! The sending thread over devices that no kernel has.

use crate::coalesce::Device;
use crate::outbox::{Fate, Transmit};
use crate::shared::Cause;
use crate::sys::{EventFd, Outgoing, Queue, BATCH, GONE, VNET_HEADER};
use crate::tx::{Parts, Tx};
use crate::upcall::{self, Kind, Listener};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

/// A device with a packet for nobody at every read, or one that was removed.
struct Endless {
    reads: AtomicUsize,
    wake: EventFd,
    removed: bool,
}

impl Device for Endless {
    fn write(&self, _packet: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

impl AsRawFd for Endless {
    fn as_raw_fd(&self) -> RawFd {
        self.wake.as_raw_fd()
    }
}

impl Queue for Endless {
    fn read(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if self.removed {
            return Err(io::Error::from_raw_os_error(GONE));
        }
        self.reads.fetch_add(1, Relaxed);
        let packet = &mut buffer[VNET_HEADER..VNET_HEADER + 20];
        packet.fill(0);
        (packet[0], packet[3]) = (0x45, 20);
        Ok(Some(VNET_HEADER + 20))
    }
}

struct Nowhere;

impl Transmit for Nowhere {
    fn send(&mut self, _packets: &mut [Outgoing], _told: &mut dyn FnMut(usize, Fate)) {}
}

fn sender(removed: bool) -> (Tx, Arc<Endless>, Listener) {
    let wake = || EventFd::new().unwrap();
    let tun = Arc::new(Endless {
        reads: AtomicUsize::new(0),
        wake: wake(),
        removed,
    });
    let (teller, listener) = upcall::queue(Arc::new(wake()));
    let parts = Parts {
        tun: tun.clone(),
        commands: crossbeam_channel::never(),
        replies: crossbeam_channel::never(),
        handed: crossbeam_channel::never(),
        colleagues: Vec::new(),
        wake: Arc::new(wake()),
        teller,
        drops: Arc::default(),
    };
    (Tx::new(parts, Box::new(Nowhere)), tun, listener)
}

#[test]
fn a_flood_that_goes_nowhere_keeps_nothing_else_out() {
    let (mut tx, tun, _listener) = sender(false);
    let drops = tx.parts.drops.clone();
    assert!(tx.read_tun(&mut [0; 100], 1));
    assert_eq!(tun.reads.load(Relaxed), BATCH);
    assert_eq!(drops.get(Cause::NoRoute as usize), BATCH as u64);
}

#[test]
fn a_device_that_was_removed_is_told_once() {
    let (mut tx, _tun, listener) = sender(true);
    for _ in 0..3 {
        assert!(!tx.read_tun(&mut [0; 100], 1));
    }
    let told = listener.drain(usize::MAX);
    assert_eq!((told.len(), told[0].kind), (1, Kind::Broken));
}
