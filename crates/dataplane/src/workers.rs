//! Workers: each is a receiving and a sending thread, and has the calls of its share for as long as they last.
//!
//! What arrives is parted by a filter on each worker's sockets. What leaves is parted by the kernel, which gives a packet to
//! the TUN queue through which its connection came; a worker that gets a packet of another's call hands it over.

use crate::command::{RxCommand, TxCommand};
use crate::engine::Options;
use crate::rx::{self, Rx};
use crate::shared::{Drops, Number};
use crate::sys::{EventFd, RawSocket, Sender as Transmitter, Share, Tun};
use crate::tx::{self, Tx};
use crate::upcall::Teller;
use crossbeam_channel::{bounded, unbounded, Receiver, Sender};
use std::any::Any;
use std::io;
use std::net::Ipv4Addr;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// Echo-Replies that may wait for a sending thread.
const REPLIES: usize = 4096;
/// Packets of other workers that may wait for it. They may be super-packets of 64 KiB.
const HANDED: usize = 512;

/// How to hand a packet over to a sending thread.
#[derive(Clone)]
pub struct Colleague {
    /// Takes packets as the device gave them.
    pub packets: Sender<Vec<u8>>,
    /// To be signalled afterwards.
    pub wake: Arc<EventFd>,
}

/// The engine's end of one worker.
pub struct Worker {
    rx: Sender<(u64, RxCommand)>,
    tx: Sender<(u64, TxCommand)>,
    rx_wake: Arc<EventFd>,
    tx_wake: Arc<EventFd>,
    threads: [Option<JoinHandle<()>>; 2],
}

/// What all workers share.
pub struct Common {
    /// Python's queue.
    pub teller: Teller,
    /// What belongs to no call.
    pub drops: Arc<Drops>,
    /// GRE packets received.
    pub received: Arc<Number>,
}

impl Worker {
    /// Say something to the receiving thread.
    pub fn tell_rx(&self, handle: u64, command: RxCommand) {
        // The thread is gone only when the engine closes.
        let _ = self.rx.send((handle, command));
        self.rx_wake.signal();
    }

    /// Say something to the sending thread.
    pub fn tell_tx(&self, handle: u64, command: TxCommand) {
        let _ = self.tx.send((handle, command));
        self.tx_wake.signal();
    }

    /// Let both threads forget a call; each drops its end of the channel when it has.
    pub fn forget(&self, handle: u64, done: Sender<()>) {
        self.tell_tx(handle, TxCommand::Remove(done.clone()));
        self.tell_rx(handle, RxCommand::Remove(done));
    }

    /// Stop both threads and wait for them.
    pub fn stop(&mut self) {
        self.tell_rx(0, RxCommand::Stop);
        self.tell_tx(0, TxCommand::Stop);
        for thread in self.threads.iter_mut().filter_map(Option::take) {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

/// Start a worker for each queue of the device; return them with the sockets that they receive from.
///
/// # Errors
/// What the kernel says: no permission, address not local, too many open files.
pub fn start(
    queues: Vec<Tun>,
    options: &Options,
    common: &Common,
) -> io::Result<(Vec<Worker>, Vec<Arc<RawSocket>>)> {
    let of = queues.len() as u16;
    let ends = (0..of)
        .map(|_| Ok((new_wake()?, bounded(HANDED))))
        .collect::<io::Result<Vec<(Arc<EventFd>, (Sender<Vec<u8>>, Receiver<Vec<u8>>))>>>()?;
    let colleagues: Vec<Colleague> = ends
        .iter()
        .map(|(wake, (packets, _))| Colleague {
            packets: packets.clone(),
            wake: wake.clone(),
        })
        .collect();
    // All sockets before the first thread: should one fail, there is nothing to stop.
    let sockets = (0..of)
        .map(|index| open_sockets(&options.bind_addresses, Share { index, of }))
        .collect::<io::Result<Vec<_>>>()?;
    let all = sockets.iter().flatten().cloned().collect();
    let mut workers: Vec<Worker> = Vec::new();
    for (((tun, sockets), (wake, (_, handed))), index) in
        queues.into_iter().zip(sockets).zip(ends).zip(0..)
    {
        let desk = Desk {
            tun: Arc::new(tun),
            sockets,
            wake,
            handed,
            colleagues: colleagues.clone(),
        };
        match desk.employ(index, options, common) {
            Ok(worker) => workers.push(worker),
            Err(error) => {
                workers.iter_mut().for_each(Worker::stop);
                return Err(error);
            }
        }
    }
    Ok((workers, all))
}

/// What one worker works with.
struct Desk {
    tun: Arc<Tun>,
    sockets: Vec<Arc<RawSocket>>,
    wake: Arc<EventFd>,
    handed: Receiver<Vec<u8>>,
    colleagues: Vec<Colleague>,
}

impl Desk {
    fn employ(self, index: usize, options: &Options, common: &Common) -> io::Result<Worker> {
        let rx_wake = new_wake()?;
        let (rx, rx_commands) = unbounded();
        let (tx, tx_commands) = unbounded();
        let (replies, reply_source) = bounded(REPLIES);
        let data = Box::new(Transmitter::new(self.sockets[0].clone())?);
        let acks = Box::new(Transmitter::new(self.sockets[0].clone())?);
        let receiver = rx::Parts {
            tun: self.tun.clone(),
            sockets: self.sockets,
            commands: rx_commands,
            wake: rx_wake.clone(),
            replies,
            reply_wake: self.wake.clone(),
            teller: common.teller.clone(),
            drops: common.drops.clone(),
            received: common.received.clone(),
            reorder_timeout: options.reorder_timeout,
        };
        let sender = tx::Parts {
            tun: self.tun,
            commands: tx_commands,
            replies: reply_source,
            handed: self.handed,
            colleagues: self.colleagues,
            wake: self.wake.clone(),
            teller: common.teller.clone(),
            drops: common.drops.clone(),
        };
        let mut worker = Worker {
            rx,
            tx,
            rx_wake,
            tx_wake: self.wake,
            threads: [None, None],
        };
        let (receiver, sender) = (Rx::new(receiver, acks), Tx::new(sender, data));
        let teller = &common.teller;
        worker.threads[0] = Some(spawn("rx", index, teller, move || receiver.run())?);
        match spawn("tx", index, teller, move || sender.run()) {
            Ok(thread) => worker.threads[1] = Some(thread),
            Err(error) => {
                worker.stop();
                return Err(error);
            }
        }
        Ok(worker)
    }
}

/// Start a thread. Should it panic, Python hears of it: the calls would look alive for ever and carry nothing.
fn spawn(
    what: &str,
    index: usize,
    teller: &Teller,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let name = match index {
        0 => format!("holdfast-{what}"),
        _ => format!("holdfast-{what}-{index}"),
    };
    let (thread, teller) = (name.clone(), teller.clone());
    Builder::new().name(name).spawn(move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            let text = panic_text(&*panic);
            teller.broken(&format!("its thread {thread} panicked: {text}"));
        }
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a word")
}

fn new_wake() -> io::Result<Arc<EventFd>> {
    EventFd::new().map(Arc::new)
}

fn open_sockets(addresses: &[Ipv4Addr], share: Share) -> io::Result<Vec<Arc<RawSocket>>> {
    if addresses.is_empty() || addresses.contains(&Ipv4Addr::UNSPECIFIED) {
        return Ok(vec![Arc::new(RawSocket::open(None, share)?)]);
    }
    addresses
        .iter()
        .map(|&address| RawSocket::open(Some(address), share).map(Arc::new))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upcall::{self, Kind};

    #[test]
    fn a_thread_that_panics_is_told() {
        let (teller, listener) = upcall::queue(new_wake().unwrap());
        let calm = spawn("rx", 0, &teller, || {}).unwrap();
        calm.join().unwrap();
        assert!(listener.drain(usize::MAX).is_empty());
        let number = listener.drain(usize::MAX).len();
        let broken = spawn("tx", 1, &teller, move || {
            assert_eq!(number, 1, "as it must be");
        });
        broken.unwrap().join().unwrap();
        let told = listener.drain(usize::MAX);
        let text = String::from_utf8_lossy(&told[0].frame);
        assert_eq!((told.len(), told[0].kind), (1, Kind::Broken));
        assert!(text.starts_with("its thread holdfast-tx-1 panicked: "));
        assert!(text.contains("as it must be"));
    }
}
