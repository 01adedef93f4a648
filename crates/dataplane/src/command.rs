//! What the threads are told.

use crate::mppe::{Receiver as MppeReceiver, Sender as MppeSender};
use crate::prefix::Prefix;
use crate::shared::Shared;
use crossbeam_channel::Sender;
use std::sync::Arc;

/// What LCP agreed, as far as packets are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Largest inner packet to the peer.
    pub mtu: usize,
    /// Protocol fields may have one octet.
    pub compress_protocol: bool,
    /// `ff 03` may be left out.
    pub omit_framing: bool,
    /// Our magic number.
    pub local_magic: u32,
    /// Lower the MSS option of TCP SYNs.
    pub clamp_mss: bool,
}

/// LCP echo by the engine. Times are nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Keepalive {
    /// Between two requests; 0 switches it off.
    pub interval: u64,
    /// Unanswered ones in a row until the peer counts as dead.
    pub failures: u32,
    /// Skip it while data arrives.
    pub adaptive: bool,
}

/// To the receiving thread, about the call with this handle.
pub enum RxCommand {
    /// Know a call.
    Add(Arc<Shared>),
    /// Forget it; the channel closes when that is done.
    Remove(Sender<()>),
    /// Set what LCP agreed.
    Configure(Link),
    /// Set or drop the key.
    SetMppe(Option<Box<MppeReceiver>>),
    /// Drop clear user data.
    RequireMppe(bool),
    /// Let user packets of these networks pass; none closes the network phase.
    Addresses(Vec<Prefix>),
    /// Let so many bits a second come from the peer; 0: any number.
    Rate(u64),
    /// Stop the thread.
    Stop,
}

/// To the sending thread, about the call with this handle.
pub enum TxCommand {
    /// Know a call.
    Add(Arc<Shared>),
    /// Forget it; the channel closes when that is done.
    Remove(Sender<()>),
    /// Set what LCP agreed.
    Configure(Link),
    /// Set or drop the key.
    SetMppe(Option<Box<MppeSender>>),
    /// Do not send clear user data.
    RequireMppe(bool),
    /// Answer a Reset-Request.
    ResetMppe,
    /// Route these networks to the call; none closes the network phase.
    Addresses(Vec<Prefix>),
    /// Let so many bits a second go to the peer; 0: any number.
    Rate(u64),
    /// Another worker has this call, at this place among the workers, with these networks; none when it has let go.
    Elsewhere(usize, Vec<Prefix>),
    /// Send a PPP frame: protocol field and information.
    Frame(Vec<u8>),
    /// The same, in a packet that nobody may fragment and that acknowledges in any case, so that its size is known.
    Whole(Vec<u8>),
    /// Send an inner IP packet.
    Inject(Vec<u8>),
    /// Set the echo.
    Keepalive(Keepalive),
    /// Stop the thread.
    Stop,
}
