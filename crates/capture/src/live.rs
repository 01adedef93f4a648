//! The same index over packets that come one after the other, as a live interface shows them.

use crate::index::{FileSummary, Index, Options, Pass};
use crate::reader::Record;

const RAW_IP: u16 = 101;

/// An index that grows, and can be looked at in between. Every packet is a whole IP packet or its beginning.
pub struct Live {
    name: String,
    pass: Pass,
    frames: u32,
}

impl Live {
    /// Begin with nothing. `name` stands for the input.
    #[must_use]
    pub fn new(name: String, options: Options) -> Self {
        Self {
            name,
            pass: Pass::new(options, 1),
            frames: 0,
        }
    }

    /// Take a packet that had `length` octets where it was seen.
    pub fn add(&mut self, time_ns: i64, packet: &[u8], length: u32) {
        self.frames = self.frames.saturating_add(1);
        let record = Record {
            number: self.frames,
            time_ns,
            link_type: RAW_IP,
            wire_len: length.max(u32::try_from(packet.len()).unwrap_or(u32::MAX)),
            data: packet,
        };
        self.pass.record(0, &record);
    }

    /// What was found until `now_ns`. `lost` packets went by unseen.
    #[must_use]
    pub fn snapshot(&self, now_ns: i64, lost: u64) -> Index {
        let file = FileSummary {
            name: self.name.clone(),
            format: "live",
            frames: self.frames,
            error: None,
            notes: Vec::new(),
            comments: Vec::new(),
            dropped: lost,
            link_types: vec![RAW_IP],
        };
        self.pass.clone().until(now_ns, vec![file])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syn() -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 40, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
        ];
        packet.extend([
            0x04, 0x00, 0x06, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
        ]);
        packet
    }

    fn gre(call_id: u16) -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 36, 0, 1, 0, 0, 64, 47, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
        ];
        packet.extend([0x30, 0x01, 0x88, 0x0b, 0, 4]);
        packet.extend(call_id.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0xc0, 0x21, 1, 1]);
        packet
    }

    #[test]
    fn it_grows_and_may_be_looked_at_in_between() {
        let mut live = Live::new("eth0".into(), Options::default());
        live.add(1_000, &syn(), 40);
        let early = live.snapshot(5_000, 0);
        assert_eq!((early.control.len(), early.gre.len()), (1, 0));
        assert_eq!(early.counts.span_ns, Some((1_000, 5_000)));
        live.add(6_000, &gre(7), 36);
        let late = live.snapshot(6_000, 3);
        assert_eq!((late.control.len(), late.gre.len()), (1, 1));
        assert_eq!((late.files[0].dropped, late.files[0].frames), (3, 2));
    }

    #[test]
    fn a_flood_of_call_ids_is_only_counted() {
        let options = Options {
            gre_flows: 4,
            ..Options::default()
        };
        let mut live = Live::new("eth0".into(), options);
        for call_id in 0..100 {
            live.add(1_000, &gre(call_id), 36);
        }
        let index = live.snapshot(1_000, 0);
        assert_eq!((index.gre.len(), index.counts.overflowed), (4, 96));
    }

    #[test]
    fn rubbish_is_counted() {
        let mut live = Live::new("eth0".into(), Options::default());
        for packet in [&b""[..], &[0x45], &[0xff; 100], &[0x45; 64]] {
            live.add(0, packet, 0);
        }
        assert_eq!(live.snapshot(0, 0).counts.frames, 4);
    }
}
