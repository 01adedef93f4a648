//! The engine as a whole: device, sockets, threads, and the table of calls that Python sees.

use crate::command::{Keepalive, Link, RxCommand, TxCommand};
use crate::mppe::{KeyChain, Mode, Receiver as MppeReceiver, Sender as MppeSender};
use crate::prefix::Prefix;
use crate::shared::{Drops, Number, Path, Shared};
use crate::sys::{self, EventFd, RawSocket, Tun};
use crate::upcall::{self, Listener};
use crate::workers::{self, Common, Worker};
use crossbeam_channel::bounded;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Choices for the whole engine.
pub struct Options {
    /// Name of the device, perhaps with `%d`.
    pub tun_name: String,
    /// Its MTU.
    pub tun_mtu: u32,
    /// Local addresses to receive GRE for; none means all.
    pub bind_addresses: Vec<Ipv4Addr>,
    /// How long to wait for a gap in the sequence numbers to fill, in nanoseconds.
    pub reorder_timeout: u64,
    /// Hosts to and from which pings are no use of a session.
    pub heartbeats: Vec<Ipv4Addr>,
    /// Threads for each direction, at least 1.
    pub workers: u16,
}

/// Why a request was not carried out.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No call has this handle.
    UnknownCall,
    /// Another call has this Call ID and peer.
    Taken,
    /// Another call has this inner address.
    AddressTaken(Prefix),
    /// The engine has been closed.
    Closed,
}

struct Entry {
    shared: Arc<Shared>,
    addresses: Vec<Prefix>,
    worker: usize,
    /// Both threads have let go of it already.
    gone: bool,
}

/// A running engine. Its methods belong to one thread (Python's event loop) and never wait for the network.
pub struct Engine {
    name: String,
    listener: Listener,
    workers: Vec<Worker>,
    sockets: Vec<Arc<RawSocket>>,
    calls: HashMap<u64, Entry>,
    keys: HashSet<(u16, Ipv4Addr)>,
    owners: HashMap<Prefix, u64>,
    next_handle: u64,
    heartbeats: Arc<[Ipv4Addr]>,
    /// Packets that belong to no call.
    pub drops: Arc<Drops>,
    /// GRE packets received, whoever they were for.
    pub received: Arc<Number>,
}

impl Engine {
    /// Make the device and the sockets in the network namespace of the calling thread, and start.
    ///
    /// # Errors
    /// What the kernel says: no permission, device name taken, address not local.
    pub fn start(options: &Options) -> io::Result<Self> {
        let queues = Tun::open(&options.tun_name, options.tun_mtu, options.workers.into())?;
        let name = queues[0].name().to_owned();
        let (teller, listener) = upcall::queue(Arc::new(EventFd::new()?));
        let common = Common {
            teller,
            drops: Arc::default(),
            received: Arc::default(),
        };
        let (workers, sockets) = workers::start(queues, options, &common)?;
        Ok(Self {
            name,
            listener,
            workers,
            sockets,
            calls: HashMap::new(),
            keys: HashSet::new(),
            owners: HashMap::new(),
            next_handle: 1,
            heartbeats: options.heartbeats.clone().into(),
            drops: common.drops,
            received: common.received,
        })
    }

    /// Name of the device.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the threads have to tell.
    #[must_use]
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// GRE packets that found the buffers of our sockets full: the threads were too slow, or not let run.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        let each = self.sockets.iter().map(|socket| socket.overflowed());
        each.map(u64::from).sum()
    }

    /// The worker that has a call, and what is known of it.
    fn owner(&self, handle: u64) -> Result<(&Worker, &Entry), Refusal> {
        let entry = self.known(handle)?;
        Ok((&self.workers[entry.worker], entry))
    }

    fn known(&self, handle: u64) -> Result<&Entry, Refusal> {
        self.calls.get(&handle).ok_or(Refusal::UnknownCall)
    }

    /// Make a call known.
    ///
    /// # Errors
    /// `Taken` when Call ID and peer are another call's.
    pub fn add_call(&mut self, path: Path) -> Result<u64, Refusal> {
        if self.workers.is_empty() {
            return Err(Refusal::Closed);
        }
        if !self.keys.insert((path.local_call_id, path.peer)) {
            return Err(Refusal::Taken);
        }
        let handle = self.next_handle;
        self.next_handle += 1;
        let shared = Arc::new(Shared::new(handle, path).with_heartbeats(self.heartbeats.clone()));
        let worker = sys::owner(path.local_call_id, self.workers.len());
        self.workers[worker].tell_rx(handle, RxCommand::Add(shared.clone()));
        self.workers[worker].tell_tx(handle, TxCommand::Add(shared.clone()));
        self.calls.insert(
            handle,
            Entry {
                shared,
                addresses: Vec::new(),
                worker,
                gone: false,
            },
        );
        Ok(handle)
    }

    /// Forget a call; returns what is known of it once both threads have let go.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn remove_call(&mut self, handle: u64) -> Result<Arc<Shared>, Refusal> {
        let entry = self.calls.remove(&handle).ok_or(Refusal::UnknownCall)?;
        let path = entry.shared.path;
        self.keys.remove(&(path.local_call_id, path.peer));
        for address in &entry.addresses {
            self.owners.remove(address);
        }
        if !entry.addresses.is_empty() {
            self.tell_others(entry.worker, handle, &[]);
        }
        if !entry.gone {
            let (done, both) = bounded::<()>(0);
            self.workers[entry.worker].forget(handle, done);
            // Nothing is ever sent: the channel closes when both threads have dropped their ends.
            let _ = both.recv();
        }
        Ok(entry.shared)
    }

    /// Let the threads forget calls that are about to be removed, all in one go; what is sent to them from now on goes
    /// nowhere. `remove_call` does not wait for these: thousands would take seconds while the machine is busy.
    pub fn let_go(&mut self, handles: &[u64]) {
        let (done, all) = bounded::<()>(0);
        for handle in handles {
            if let Some(entry) = self.calls.get_mut(handle).filter(|entry| !entry.gone) {
                entry.gone = true;
                self.workers[entry.worker].forget(*handle, done.clone());
            }
        }
        drop(done);
        let _ = all.recv();
    }

    /// What is known of a call.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn call(&self, handle: u64) -> Result<&Arc<Shared>, Refusal> {
        self.known(handle).map(|entry| &entry.shared)
    }

    /// All calls.
    pub fn calls(&self) -> impl Iterator<Item = &Arc<Shared>> {
        self.calls.values().map(|entry| &entry.shared)
    }

    /// Set what LCP agreed.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn configure(&self, handle: u64, link: Link) -> Result<(), Refusal> {
        let (worker, _) = self.owner(handle)?;
        worker.tell_rx(handle, RxCommand::Configure(link));
        worker.tell_tx(handle, TxCommand::Configure(link));
        Ok(())
    }

    /// Start or stop encryption.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn set_mppe(
        &self,
        handle: u64,
        receive: Option<(KeyChain, Mode)>,
        send: Option<(KeyChain, Mode)>,
    ) -> Result<(), Refusal> {
        let (worker, _) = self.owner(handle)?;
        let receive = receive.map(|(chain, mode)| Box::new(MppeReceiver::new(chain, mode)));
        let send = send.map(|(chain, mode)| Box::new(MppeSender::new(chain, mode)));
        worker.tell_rx(handle, RxCommand::SetMppe(receive));
        worker.tell_tx(handle, TxCommand::SetMppe(send));
        Ok(())
    }

    /// Refuse clear user data from now on, or allow it.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn require_mppe(&self, handle: u64, required: bool) -> Result<(), Refusal> {
        let (worker, _) = self.owner(handle)?;
        worker.tell_rx(handle, RxCommand::RequireMppe(required));
        worker.tell_tx(handle, TxCommand::RequireMppe(required));
        Ok(())
    }

    /// Let user packets of these addresses pass; none closes the network phase. The unspecified address of a family
    /// stands for every one that no other call has.
    ///
    /// # Errors
    /// `UnknownCall`, or `AddressTaken` by another call.
    pub fn set_addresses(&mut self, handle: u64, addresses: Vec<Prefix>) -> Result<(), Refusal> {
        self.known(handle)?;
        let foreign = |address: &&Prefix| {
            self.owners
                .get(*address)
                .is_some_and(|&owner| owner != handle)
        };
        if let Some(&address) = addresses.iter().find(foreign) {
            return Err(Refusal::AddressTaken(address));
        }
        if let Some(entry) = self.calls.get_mut(&handle) {
            for address in std::mem::replace(&mut entry.addresses, addresses.clone()) {
                self.owners.remove(&address);
            }
        }
        self.owners
            .extend(addresses.iter().map(|&address| (address, handle)));
        let (worker, entry) = self.owner(handle)?;
        worker.tell_rx(handle, RxCommand::Addresses(addresses.clone()));
        self.tell_others(entry.worker, handle, &addresses);
        worker.tell_tx(handle, TxCommand::Addresses(addresses));
        Ok(())
    }

    /// Let so many bits a second come from the peer (up) and go to it (down); 0: any number.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn set_rates(&self, handle: u64, up: u64, down: u64) -> Result<(), Refusal> {
        let (worker, _) = self.owner(handle)?;
        worker.tell_rx(handle, RxCommand::Rate(up));
        worker.tell_tx(handle, TxCommand::Rate(down));
        Ok(())
    }

    /// Let all workers but the owner know which addresses are its call's.
    fn tell_others(&self, owner: usize, handle: u64, addresses: &[Prefix]) {
        for (place, worker) in self.workers.iter().enumerate() {
            if place != owner {
                worker.tell_tx(handle, TxCommand::Elsewhere(owner, addresses.to_vec()));
            }
        }
    }

    /// Something for the sending thread alone.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn send(&self, handle: u64, command: TxCommand) -> Result<(), Refusal> {
        self.owner(handle)?.0.tell_tx(handle, command);
        Ok(())
    }

    /// Set the echo.
    ///
    /// # Errors
    /// `UnknownCall`.
    pub fn set_keepalive(&self, handle: u64, keepalive: Keepalive) -> Result<(), Refusal> {
        self.send(handle, TxCommand::Keepalive(keepalive))
    }

    /// Stop the threads and close everything. Calls are gone afterwards.
    pub fn close(&mut self) {
        for mut worker in self.workers.drain(..) {
            worker.stop();
        }
        self.sockets.clear();
        self.calls.clear();
        self.keys.clear();
        self.owners.clear();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
