//! The one pass over a capture: every frame is looked at once, PPTP is kept, the rest is counted.

use crate::control::{self, ControlFlow, ControlFlows};
use crate::fragments::{FragmentCount, Fragments};
use crate::gre::{GreFlow, Keep, Sighting};
use crate::gre_header::{self, Kind};
use crate::icmp::{IcmpNotice, IcmpNotices};
use crate::ip::{self, Packet};
use crate::link::{self, Carried, LinkFacts};
use crate::merge::{Input, Merge};
use crate::ppp_link::PppLinkFlow;
use crate::radius::{self, RadiusPacket};
use crate::reader::Record;
use crate::sample::Sample;
use crate::tunnels::Tunnels;
use crate::{CaptureError, Note, Place};

const CONTROL_LIMIT: usize = 250_000;
const GRE_LIMIT: usize = 100_000;
const REMEMBERED: usize = 256;
const TIMELINE_STEPS: usize = 256;
const PROGRESS_FRAMES: u64 = 1 << 15;
const RADIUS_HEAD: usize = 4096;
const RADIUS_TAIL: usize = 256;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Data frames kept from the beginning of each GRE flow.
    pub data_frames: usize,
    /// Octets kept of each data frame.
    pub data_octets: usize,
    /// Octets kept in all.
    pub budget: usize,
    /// GRE flows looked at; more are only counted.
    pub gre_flows: usize,
    /// TCP port of the control connections.
    pub port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data_frames: 256,
            data_octets: 96,
            budget: 96 << 20,
            gre_flows: GRE_LIMIT,
            port: control::PORT,
        }
    }
}

/// What was in the way through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames.
    pub frames: u64,
    /// Octets on the wire.
    pub octets: u64,
    /// TCP segments with PPTP's port on either side.
    pub control: u64,
    /// Another port on which PPTP was begun; 0: none.
    pub elsewhere: u16,
    /// Enhanced GRE packets.
    pub gre: u64,
    /// Enhanced GRE packets with a PPP frame.
    pub ppp: u64,
    /// Other GRE: version 0, or not PPP.
    pub foreign_gre: u64,
    /// GRE too short for its own header.
    pub malformed_gre: u64,
    /// ICMP errors and the like.
    pub icmp: u64,
    /// 802.11 frames that are encrypted on the air.
    pub protected: u64,
    /// Frames that were cut by the snap length.
    pub cut: u64,
    /// Frames of link types that are not understood.
    pub unknown_link: u64,
    /// Frames older than the one before.
    pub out_of_order: u64,
    /// The earliest and the latest time, in nanoseconds since the epoch.
    pub span_ns: Option<(i64, i64)>,
    /// Flows that were left out because there were too many.
    pub overflowed: u64,
}

/// One input after reading.
#[derive(Debug, Clone)]
pub struct FileSummary {
    /// Its name.
    pub name: String,
    /// `pcap`, `pcapng`, or empty when it could not be read.
    pub format: &'static str,
    /// Frames in it.
    pub frames: u32,
    /// Why it could not be read at all.
    pub error: Option<CaptureError>,
    /// What limits its use.
    pub notes: Vec<Note>,
    /// Comments of the people who made it, by frame (0: the file itself).
    pub comments: Vec<(u32, String)>,
    /// Frames that the capturing machine says it lost.
    pub dropped: u64,
    /// Link types that occur.
    pub link_types: Vec<u16>,
}

/// Everything about PPTP in some captures.
#[derive(Default)]
pub struct Index {
    /// The inputs in the order given.
    pub files: Vec<FileSummary>,
    /// Counts over all inputs.
    pub counts: Counts,
    /// TCP connections to PPTP's port.
    pub control: Vec<ControlFlow>,
    /// GRE flows, one for each direction of each call.
    pub gre: Vec<GreFlow>,
    /// ICMP errors about either.
    pub icmp: Vec<IcmpNotice>,
    /// RADIUS packets.
    pub radius: Option<Sample<RadiusPacket>>,
    /// PPP captured on a link itself: received, sent.
    pub ppp: Vec<PppLinkFlow>,
    /// GRE that came in IP fragments.
    pub fragments: Vec<FragmentCount>,
    /// Whether the caller stopped the pass before its end.
    pub stopped: bool,
}

/// Read all inputs as one capture.
///
/// `progress` hears now and then how many octets were taken, of how many; false stops the pass, and what was read
/// so far is returned.
///
/// # Errors
/// The sentence about the first input when none can be read.
pub fn index(
    inputs: Vec<Input>,
    options: Options,
    progress: &mut dyn FnMut(u64, Option<u64>) -> bool,
) -> Result<Index, CaptureError> {
    let mut files = Vec::new();
    let mut readers = Vec::new();
    for input in inputs {
        let name = input.name();
        let opened = input.open();
        files.push(FileSummary {
            name,
            format: opened.as_ref().map_or("", |reader| reader.format()),
            frames: 0,
            error: opened.as_ref().err().cloned(),
            notes: Vec::new(),
            comments: Vec::new(),
            dropped: 0,
            link_types: Vec::new(),
        });
        readers.push(opened.ok());
    }
    if readers.iter().all(Option::is_none) {
        let first = files.into_iter().find_map(|file| file.error);
        return Err(first.unwrap_or_else(|| CaptureError::new("no capture was named", "")));
    }
    let mut pass = Pass::new(options, files.len());
    let mut merge = Merge::new(readers);
    let stopped = pass.run(&mut merge, progress);
    Ok(pass.finish(files, &mut merge, stopped))
}

#[derive(Clone)]
pub(crate) struct Pass {
    room: usize,
    port: u16,
    counts: Counts,
    control: ControlFlows,
    gre: Tunnels,
    icmp: IcmpNotices,
    radius: Sample<RadiusPacket>,
    ppp: Vec<PppLinkFlow>,
    fragments: Fragments,
    link_types: Vec<Vec<u16>>,
    last_time: i64,
}

impl Pass {
    pub(crate) fn new(options: Options, files: usize) -> Self {
        let keep = Keep {
            data_frames: options.data_frames,
            data_octets: options.data_octets,
            remembered: REMEMBERED,
            steps: TIMELINE_STEPS,
        };
        Self {
            room: options.budget,
            port: options.port,
            counts: Counts::default(),
            control: ControlFlows::new(options.port),
            gre: Tunnels::new(keep, options.gre_flows),
            icmp: IcmpNotices::default(),
            radius: Sample::new(RADIUS_HEAD, RADIUS_TAIL),
            ppp: Vec::new(),
            fragments: Fragments::default(),
            link_types: vec![Vec::new(); files],
            last_time: i64::MIN,
        }
    }

    fn run(
        &mut self,
        merge: &mut Merge,
        progress: &mut dyn FnMut(u64, Option<u64>) -> bool,
    ) -> bool {
        while let Some((file, record)) = merge.next_record() {
            self.record(file, &record);
            if self.counts.frames.is_multiple_of(PROGRESS_FRAMES) {
                let (done, size) = merge.progress();
                if !progress(done, size) {
                    return true;
                }
            }
        }
        false
    }

    pub(crate) fn record(&mut self, file: u16, record: &Record<'_>) {
        let place = Place {
            time_ns: record.time_ns,
            file,
            frame: record.number,
        };
        self.count(record);
        let types = &mut self.link_types[usize::from(file)];
        if types.last() != Some(&record.link_type) && !types.contains(&record.link_type) {
            types.push(record.link_type);
        }
        let (carried, facts) = link::carried(record.link_type, record.data);
        self.counts.protected += u64::from(facts.protected);
        match carried {
            Carried::Ip(data) => {
                if let Some(packet) = ip::parse(data) {
                    self.packet(&packet, place, facts);
                }
            }
            Carried::Ppp { packet, outbound } => {
                self.link_ppp(packet, outbound, place, record.wire_len)
            }
            Carried::Nothing => {}
            Carried::Unknown => self.counts.unknown_link += 1,
        }
    }

    fn count(&mut self, record: &Record<'_>) {
        let (counts, time) = (&mut self.counts, record.time_ns);
        counts.frames += 1;
        counts.octets += u64::from(record.wire_len);
        counts.cut += u64::from((record.data.len() as u32) < record.wire_len);
        counts.out_of_order += u64::from(time < self.last_time);
        self.last_time = time;
        let span = counts.span_ns.unwrap_or((time, time));
        counts.span_ns = Some((span.0.min(time), span.1.max(time)));
    }

    fn packet(&mut self, packet: &Packet<'_>, place: Place, facts: LinkFacts) {
        if !matches!(
            packet.protocol,
            ip::GRE | ip::TCP | ip::UDP | ip::ICMP | ip::ICMP6
        ) {
            return;
        }
        if packet.fragment.is_none() {
            return self.transport(packet, place, facts);
        }
        if let Some(whole) = self.fragments.take(packet, place) {
            let packet = Packet {
                fragment: None,
                length: 20 + whole.length as u32,
                payload_len: whole.length,
                payload: &whole.octets,
                ..*packet
            };
            self.transport(&packet, place, facts);
        }
    }

    fn transport(&mut self, packet: &Packet<'_>, place: Place, facts: LinkFacts) {
        match packet.protocol {
            ip::TCP if self.control.concerns(packet) => self.segment(packet, place, facts),
            ip::TCP => {
                if let Some(port) = control::asks_for_pptp(packet) {
                    self.counts.elsewhere = port;
                }
            }
            ip::GRE => self.gre(packet, place, facts),
            ip::ICMP | ip::ICMP6 => {
                self.counts.icmp += 1;
                self.icmp.take(packet, place, self.port);
            }
            ip::UDP => {
                if let Some(found) = radius::read(packet, place) {
                    self.radius.push(found);
                }
            }
            _ => {}
        }
    }

    fn segment(&mut self, packet: &Packet<'_>, place: Place, facts: LinkFacts) {
        self.counts.control += 1;
        match self
            .control
            .take(packet, place, facts.retry, self.room, CONTROL_LIMIT)
        {
            Some((kept, call)) => {
                self.room = self.room.saturating_sub(kept);
                call.into_iter().for_each(|call| self.gre.learn(&call));
            }
            None => self.counts.overflowed += u64::from(self.control.flows.len() >= CONTROL_LIMIT),
        }
    }

    fn gre(&mut self, packet: &Packet<'_>, place: Place, facts: LinkFacts) {
        match gre_header::parse(packet.payload) {
            Kind::Enhanced(header) => {
                self.counts.gre += 1;
                self.counts.ppp += u64::from(!header.payload.is_empty());
                let seen = Sighting {
                    place,
                    packet,
                    wireless: facts.wireless,
                    retry: facts.retry,
                };
                match self.gre.take(&seen, &header, self.room) {
                    Some(kept) => self.room = self.room.saturating_sub(kept),
                    None => self.counts.overflowed += 1,
                }
            }
            Kind::Foreign => self.counts.foreign_gre += 1,
            Kind::Malformed => self.counts.malformed_gre += 1,
        }
    }

    fn link_ppp(&mut self, packet: &[u8], outbound: bool, place: Place, wire_len: u32) {
        let known = self.ppp.iter().position(|flow| flow.outbound == outbound);
        let index = known.unwrap_or_else(|| {
            self.ppp.push(PppLinkFlow::new(outbound));
            self.ppp.len() - 1
        });
        let captured = wire_len.min(u32::try_from(packet.len()).unwrap_or(u32::MAX));
        self.ppp[index].take(place, packet, captured);
    }

    fn finish(mut self, mut files: Vec<FileSummary>, merge: &mut Merge, stopped: bool) -> Index {
        for (index, (file, reader)) in files.iter_mut().zip(&mut merge.readers).enumerate() {
            file.link_types = std::mem::take(&mut self.link_types[index]);
            if let Some(reader) = reader {
                file.frames = reader.found.frames;
                file.notes = std::mem::take(&mut reader.found.notes);
                file.comments = std::mem::take(&mut reader.found.comments);
                file.dropped = reader.found.dropped;
            }
            for &kind in file
                .link_types
                .iter()
                .filter(|&&kind| !link::understood(kind))
            {
                let text =
                    format!("frames of link type {kind} are not understood and were skipped");
                file.notes.push(Note {
                    kind: "link-type",
                    text,
                    frame: 0,
                });
            }
        }
        self.into_index(files, stopped)
    }

    /// Everything found, the time until `now_ns` included: what is silent since then is silent.
    pub(crate) fn until(mut self, now_ns: i64, files: Vec<FileSummary>) -> Index {
        self.counts.span_ns = self
            .counts
            .span_ns
            .map(|(begin, end)| (begin, end.max(now_ns)));
        self.into_index(files, false)
    }

    fn into_index(mut self, files: Vec<FileSummary>, stopped: bool) -> Index {
        self.gre.flows.iter_mut().for_each(GreFlow::finish);
        Index {
            files,
            counts: self.counts,
            control: self
                .control
                .flows
                .into_iter()
                .filter(ControlFlow::relevant)
                .collect(),
            gre: self.gre.flows,
            icmp: self.icmp.notices,
            radius: Some(self.radius),
            ppp: self.ppp,
            fragments: self.fragments.counts(),
            stopped,
        }
    }
}
