//! Reassembly of IP fragments, bounded: a later fragment must never be taken for the beginning of anything.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use crate::ip::{Packet, GRE};
use crate::Place;

const DATAGRAM_LIMIT: usize = 1024;
const OCTET_LIMIT: usize = 16 << 20;
const DATAGRAM_OCTETS: usize = 65_535;
const PIECE_LIMIT: usize = 128;
const COUNT_LIMIT: usize = 65_536;

type Key = (IpAddr, IpAddr, u32, u8);

/// How often GRE from one address to another came in fragments.
#[derive(Debug, Clone)]
pub struct FragmentCount {
    /// The sender.
    pub source: IpAddr,
    /// The receiver.
    pub destination: IpAddr,
    /// Fragments seen.
    pub fragments: u64,
    /// Datagrams that could be put together.
    pub whole: u64,
    /// The first fragment.
    pub first: Place,
}

#[derive(Clone)]
struct Datagram {
    pieces: Vec<(usize, usize)>,
    octets: Vec<u8>,
    total: Option<usize>,
}

#[derive(Clone, Default)]
pub(crate) struct Fragments {
    open: HashMap<Key, Datagram>,
    order: VecDeque<Key>,
    held: usize,
    counts: HashMap<(IpAddr, IpAddr), FragmentCount>,
}

/// A datagram made whole; `length` is what the IP headers claim, the octets may be fewer where frames were cut.
pub(crate) struct Whole {
    pub(crate) octets: Vec<u8>,
    pub(crate) length: usize,
}

impl Fragments {
    /// Take a fragment; returns the datagram when this was its last missing piece.
    pub(crate) fn take(&mut self, packet: &Packet<'_>, place: Place) -> Option<Whole> {
        let fragment = packet.fragment?;
        self.count(packet, place);
        let key = (
            packet.source,
            packet.destination,
            fragment.identification,
            packet.protocol,
        );
        let end = fragment.offset + packet.payload_len;
        if end > DATAGRAM_OCTETS || packet.payload_len == 0 {
            return None;
        }
        self.make_room(&key);
        let datagram = self.open.get_mut(&key)?;
        let before = datagram.octets.len();
        datagram.place(fragment.offset, packet);
        if !fragment.more {
            datagram.total.get_or_insert(end);
        }
        self.held += datagram.octets.len() - before;
        if !datagram.complete() {
            return None;
        }
        let datagram = self.open.remove(&key)?;
        self.held -= datagram.octets.len();
        if let Some(count) = self.counts.get_mut(&(packet.source, packet.destination)) {
            count.whole += u64::from(packet.protocol == GRE);
        }
        let length = datagram.total?;
        let mut octets = datagram.octets;
        octets.truncate(length);
        Some(Whole { octets, length })
    }

    fn count(&mut self, packet: &Packet<'_>, place: Place) {
        let pair = (packet.source, packet.destination);
        if packet.protocol != GRE
            || (self.counts.len() >= COUNT_LIMIT && !self.counts.contains_key(&pair))
        {
            return;
        }
        let (source, destination) = pair;
        let fresh = FragmentCount {
            source,
            destination,
            fragments: 0,
            whole: 0,
            first: place,
        };
        self.counts.entry(pair).or_insert(fresh).fragments += 1;
    }

    fn make_room(&mut self, key: &Key) {
        while self.held > OCTET_LIMIT || self.order.len() >= DATAGRAM_LIMIT {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(dropped) = self.open.remove(&oldest) {
                self.held -= dropped.octets.len();
            }
        }
        if !self.open.contains_key(key) {
            self.order.push_back(*key);
            let fresh = Datagram {
                pieces: Vec::new(),
                octets: Vec::new(),
                total: None,
            };
            self.open.insert(*key, fresh);
        }
    }

    pub(crate) fn counts(self) -> Vec<FragmentCount> {
        let mut counts: Vec<_> = self.counts.into_values().collect();
        counts.sort_by_key(|count| count.first);
        counts
    }
}

impl Datagram {
    /// The first to come wins where pieces overlap, as an attacker's later piece should not rewrite a header.
    fn place(&mut self, offset: usize, packet: &Packet<'_>) {
        let end = offset + packet.payload_len;
        let overlaps = self
            .pieces
            .iter()
            .any(|&(from, to)| offset < to && from < end);
        if overlaps || self.pieces.len() >= PIECE_LIMIT {
            return;
        }
        self.pieces.push((offset, end));
        if self.octets.len() < offset + packet.payload.len() {
            self.octets.resize(offset + packet.payload.len(), 0);
        }
        self.octets[offset..offset + packet.payload.len()].copy_from_slice(packet.payload);
    }

    fn complete(&mut self) -> bool {
        let Some(total) = self.total else {
            return false;
        };
        self.pieces.sort_unstable();
        let mut reached = 0;
        for &(from, to) in &self.pieces {
            if from > reached {
                return false;
            }
            reached = reached.max(to);
        }
        reached >= total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ip::Fragment;
    use std::net::Ipv4Addr;

    fn piece(identification: u32, offset: usize, more: bool, payload: &[u8]) -> Packet<'_> {
        Packet {
            source: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
            destination: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2)),
            ttl: 64,
            identification,
            protocol: GRE,
            fragment: Some(Fragment {
                identification,
                offset,
                more,
            }),
            dont_fragment: false,
            length: 20 + payload.len() as u32,
            payload_len: payload.len(),
            payload,
        }
    }

    #[test]
    fn pieces_in_any_order_become_one() {
        let mut fragments = Fragments::default();
        let place = Place::default();
        assert!(fragments
            .take(&piece(1, 8, false, b"world"), place)
            .is_none());
        let whole = fragments
            .take(&piece(1, 0, true, b"hello---"), place)
            .unwrap();
        assert_eq!(
            (whole.octets.as_slice(), whole.length),
            (&b"hello---world"[..], 13)
        );
        let counts = fragments.counts();
        assert_eq!((counts[0].fragments, counts[0].whole), (2, 1));
    }

    #[test]
    fn an_overlapping_piece_changes_nothing() {
        let mut fragments = Fragments::default();
        let place = Place::default();
        fragments.take(&piece(1, 0, true, b"hello---"), place);
        assert!(fragments
            .take(&piece(1, 0, true, b"EVIL----"), place)
            .is_none());
        assert_eq!(
            fragments
                .take(&piece(1, 8, false, b"x"), place)
                .unwrap()
                .octets,
            b"hello---x"
        );
    }

    #[test]
    fn a_flood_of_first_pieces_stays_bounded() {
        let mut fragments = Fragments::default();
        let payload = vec![0; 1480];
        for identification in 0..20_000 {
            fragments.take(&piece(identification, 0, true, &payload), Place::default());
        }
        assert!(fragments.open.len() <= DATAGRAM_LIMIT && fragments.order.len() <= DATAGRAM_LIMIT);
        assert!(fragments.held <= OCTET_LIMIT + payload.len());
    }
}
