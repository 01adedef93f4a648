//! The GRE of all calls: which flow a packet belongs to, and which two flows are the directions of one call.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::control::CallPair;
use crate::gre::{GreFlow, Keep, Sighting};
use crate::gre_header::Header;
use crate::sequence::Verdict;

/// Flows beyond these are only counted, so that a flood of call IDs costs little memory.
const RICH_LIMIT: usize = 8192;
const PAIR_LIMIT: usize = 65_536;

/// Who sends to whom, and the receiver's call ID.
type Key = (IpAddr, IpAddr, u16);

const RECENT: usize = 256;

/// The flow of each key. Traffic comes in runs, so a small table without a strong hash in front of the map answers
/// nearly always; a flood that makes it useless costs what the map costs.
#[derive(Clone)]
struct Current {
    map: HashMap<Key, u32>,
    recent: Vec<Option<(Key, u32)>>,
}

impl Current {
    fn new() -> Self {
        Self {
            map: HashMap::new(),
            recent: vec![None; RECENT],
        }
    }

    fn slot(key: &Key) -> usize {
        let last = |address: &IpAddr| match address {
            IpAddr::V4(address) => address.octets()[3],
            IpAddr::V6(address) => address.octets()[15],
        };
        let mixed = u16::from(last(&key.0)) ^ u16::from(last(&key.1)).rotate_left(4);
        usize::from(mixed ^ key.2 ^ (key.2 >> 8)) % RECENT
    }

    fn get(&mut self, key: &Key) -> Option<u32> {
        let slot = Self::slot(key);
        if let Some((known, index)) = &self.recent[slot] {
            if known == key {
                return Some(*index);
            }
        }
        let index = *self.map.get(key)?;
        self.recent[slot] = Some((*key, index));
        Some(index)
    }

    fn insert(&mut self, key: Key, index: u32) {
        self.recent[Self::slot(&key)] = Some((key, index));
        self.map.insert(key, index);
    }
}

#[derive(Clone)]
pub(crate) struct Tunnels {
    keep: Keep,
    most: usize,
    pub(crate) flows: Vec<GreFlow>,
    current: Current,
    /// The flows between two addresses, in that direction.
    between: HashMap<(IpAddr, IpAddr), Vec<u32>>,
    calls: HashMap<Key, u16>,
}

impl Tunnels {
    pub(crate) fn new(keep: Keep, most: usize) -> Self {
        Self {
            keep,
            most,
            flows: Vec::new(),
            current: Current::new(),
            between: HashMap::new(),
            calls: HashMap::new(),
        }
    }

    /// A call ties the two directions of GRE together: each names the call by its receiver's ID.
    pub(crate) fn learn(&mut self, call: &CallPair) {
        if self.calls.len() < PAIR_LIMIT {
            self.calls
                .insert((call.pns, call.pac, call.pac_call_id), call.pns_call_id);
            self.calls
                .insert((call.pac, call.pns, call.pns_call_id), call.pac_call_id);
        }
    }

    /// Take a packet while `room` octets allow; returns how many were kept, None when its flow is one too many.
    pub(crate) fn take(
        &mut self,
        seen: &Sighting<'_>,
        header: &Header<'_>,
        room: usize,
    ) -> Option<usize> {
        let key = (seen.packet.source, seen.packet.destination, header.call_id);
        let known = self.current.get(&key);
        let mut index = known.or_else(|| self.new_flow(seen, header))?;
        let mut verdict = self.flows[index as usize].judge(seen, header);
        if verdict == Some(Verdict::Restart) {
            index = self.new_flow(seen, header)?;
            verdict = self.flows[index as usize].judge(seen, header);
        }
        let before = self.flows[index as usize].stats.acknowledged;
        if let Some(number) = header
            .acknowledgement
            .filter(|number| Some(*number) != before)
        {
            self.measure_lag(index, number, seen.place.time_ns);
        }
        Some(self.flows[index as usize].take(seen, header, verdict, room))
    }

    fn new_flow(&mut self, seen: &Sighting<'_>, header: &Header<'_>) -> Option<u32> {
        if self.flows.len() >= self.most {
            return None;
        }
        let poor = Keep {
            data_frames: 8,
            data_octets: 32,
            remembered: 8,
            steps: 8,
        };
        let keep = if self.flows.len() < RICH_LIMIT {
            self.keep
        } else {
            poor
        };
        let index = self.flows.len() as u32;
        let (source, destination) = (seen.packet.source, seen.packet.destination);
        self.flows
            .push(GreFlow::new(seen.packet, header.call_id, seen.place, keep));
        self.current
            .insert((source, destination, header.call_id), index);
        self.between
            .entry((source, destination))
            .or_default()
            .push(index);
        Some(index)
    }

    /// The other direction acknowledged a number of ours: how long after we sent it?
    fn measure_lag(&mut self, index: u32, number: u32, now_ns: i64) {
        let Some(partner) = self.partner(index) else {
            return;
        };
        let Some(sent) = self.flows[partner as usize].sent_at(number) else {
            self.flows[partner as usize].note_unseen(number);
            return;
        };
        let lag = now_ns.saturating_sub(sent);
        if (0..60_000_000_000).contains(&lag) {
            let flow = &mut self.flows[index as usize];
            let sure = flow.stats.acknowledged_ns.saturating_sub(sent).max(0);
            flow.lags.add(lag, sure);
        }
    }

    fn partner(&mut self, index: u32) -> Option<u32> {
        let flow = &self.flows[index as usize];
        if flow.partner.is_some() {
            return flow.partner;
        }
        let reverse = (flow.destination, flow.source);
        let partner = match self
            .calls
            .get(&(flow.source, flow.destination, flow.call_id))
        {
            Some(&id) => self.current.get(&(reverse.0, reverse.1, id)),
            None => match self.between.get(&reverse).map(Vec::as_slice) {
                Some([only]) => Some(*only),
                _ => None,
            },
        };
        self.flows[index as usize].partner = partner;
        partner
    }
}
