//! Packets on their way out: encrypts four at a time and sends them in batches. Buffers are used again.

use crate::rc4::{self, Key};
use crate::shared::{Cause, Shared};
use crate::sys::{Outgoing, SLOT};
use crate::upcall::{Kind, Teller};
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;
/// Failures of one second are told once for each call, and for at most as many calls.
const FAILURES_REMEMBERED: usize = 256;

/// What became of a packet that did not simply go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The host refused it, with this errno.
    Refused(i32),
    /// It is too big for the way and went out as fragments.
    InPieces,
}

/// What sends packets: raw sockets.
pub trait Transmit: Send {
    /// Send all packets in order; `told` hears the index and fate of each that did not simply go out.
    fn send(&mut self, packets: &mut [Outgoing], told: &mut dyn FnMut(usize, Fate));
}

struct Meta {
    call: Arc<Shared>,
    key: Option<Key>,
    data: usize,
}

/// Collects packets until `flush`.
pub struct Outbox {
    teller: Teller,
    packets: Vec<Outgoing>,
    metas: Vec<Meta>,
    keyed: Vec<usize>,
    spare: Vec<Vec<u8>>,
    transmit: Box<dyn Transmit>,
    failed: Vec<u64>,
    failed_second: u64,
}

impl Outbox {
    /// Nothing to send yet.
    #[must_use]
    pub fn new(transmit: Box<dyn Transmit>, teller: Teller) -> Self {
        Self {
            teller,
            packets: Vec::new(),
            metas: Vec::new(),
            keyed: Vec::new(),
            spare: Vec::new(),
            transmit,
            failed: Vec::new(),
            failed_second: 0,
        }
    }

    /// A buffer of `SLOT` octets; its content is whatever was there before.
    pub fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_else(|| vec![0; SLOT])
    }

    /// Give a buffer back.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }

    /// How many packets wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Add a GRE packet, `buffer[start..end]`, of which `buffer[data..end]` is still to be encrypted with `key`.
    pub fn push(
        &mut self,
        call: &Arc<Shared>,
        buffer: Vec<u8>,
        start: usize,
        end: usize,
        key: Option<Key>,
        data: usize,
    ) {
        if key.is_some() {
            self.keyed.push(self.packets.len());
        }
        let (local, peer) = (call.path.local, call.path.peer);
        self.packets.push(Outgoing {
            buffer,
            start,
            end,
            local,
            peer,
            whole: false,
        });
        self.metas.push(Meta {
            call: call.clone(),
            key,
            data,
        });
    }

    /// The packet that was added last must not be fragmented on its way.
    pub fn keep_whole(&mut self) {
        if let Some(last) = self.packets.last_mut() {
            last.whole = true;
        }
    }

    /// Encrypt and send everything.
    pub fn flush(&mut self, now: u64) {
        if self.packets.is_empty() {
            return;
        }
        self.encrypt();
        let (metas, mut refused) = (&self.metas, Vec::new());
        self.transmit
            .send(&mut self.packets, &mut |index, fate| match fate {
                Fate::InPieces => metas[index].call.fragmented_out.add(1),
                Fate::Refused(errno) => {
                    metas[index].call.drops.count(Cause::SendFailed);
                    refused.push((metas[index].call.clone(), errno));
                }
            });
        for (call, errno) in refused {
            self.tell_failure(&call, errno, now);
        }
        self.spare
            .extend(self.packets.drain(..).map(|packet| packet.buffer));
        self.metas.clear();
    }

    fn encrypt(&mut self) {
        for group in self.keyed.chunks(4) {
            if let &[a, b, c, d] = group {
                let Ok([pa, pb, pc, pd]) = self.packets.get_disjoint_mut([a, b, c, d]) else {
                    continue;
                };
                let keys = [a, b, c, d].map(|index| self.metas[index].key.as_ref());
                let [Some(ka), Some(kb), Some(kc), Some(kd)] = keys else {
                    continue;
                };
                let from = [a, b, c, d].map(|index| self.metas[index].data);
                let data = [
                    &mut pa.buffer[from[0]..pa.end],
                    &mut pb.buffer[from[1]..pb.end],
                    &mut pc.buffer[from[2]..pc.end],
                    &mut pd.buffer[from[3]..pd.end],
                ];
                rc4::apply_four([ka, kb, kc, kd], data);
                continue;
            }
            for &index in group {
                let packet = &mut self.packets[index];
                if let Meta {
                    key: Some(key),
                    data,
                    ..
                } = &self.metas[index]
                {
                    rc4::apply_one(key, &mut packet.buffer[*data..packet.end]);
                }
            }
        }
        self.keyed.clear();
    }

    fn tell_failure(&mut self, call: &Arc<Shared>, errno: i32, now: u64) {
        if now / SECOND != self.failed_second {
            self.failed_second = now / SECOND;
            self.failed.clear();
        }
        if self.failed.len() < FAILURES_REMEMBERED && !self.failed.contains(&call.handle) {
            self.failed.push(call.handle);
            self.teller
                .about(call, Kind::SendFailed, errno.unsigned_abs().into());
        }
    }
}
