//! PPP that was captured on a link itself.

use crate::gre::{frame_flags, GreFrame, NEGOTIATION_HEAD, NEGOTIATION_OCTETS, NEGOTIATION_TAIL};
use crate::sample::Sample;
use crate::Place;

/// PPP that was captured on the link itself, without any tunnel.
#[derive(Clone)]
pub struct PppLinkFlow {
    /// Whether the capturing side sent these frames.
    pub outbound: bool,
    /// All frames.
    pub packets: u64,
    /// Frames that negotiate.
    pub frames: Sample<GreFrame>,
}

impl PppLinkFlow {
    pub(crate) fn new(outbound: bool) -> Self {
        Self {
            outbound,
            packets: 0,
            frames: Sample::new(NEGOTIATION_HEAD, NEGOTIATION_TAIL),
        }
    }

    pub(crate) fn take(&mut self, place: Place, packet: &[u8], wire_len: u32) {
        self.packets += 1;
        let cut = if (packet.len() as u32) < wire_len {
            frame_flags::CUT
        } else {
            0
        };
        self.frames.push(GreFrame {
            place,
            sequence: None,
            acknowledgement: None,
            ppp: packet[..packet.len().min(NEGOTIATION_OCTETS)].into(),
            length: packet.len() as u32,
            flags: cut,
        });
    }
}
