//! Capture files: readers for pcap and pcapng, and a one-pass index of the PPTP flows in them.
//!
//! Everything here is bounded: a capture of any size, damaged or hostile, costs a fixed amount of memory, and
//! what could not be read becomes a [`Note`] beside what could.
#![forbid(unsafe_code)]

mod control;
mod fragments;
mod gre;
mod gre_header;
mod gre_stats;
mod icmp;
mod index;
mod ip;
mod lags;
mod link;
mod live;
mod merge;
mod pcap;
mod pcapng;
mod ppp_link;
mod radius;
mod reader;
mod sample;
mod sequence;
mod source;
mod tcp;
mod timeline;
mod tunnels;

pub use control::{ControlFlow, Endpoint, Segment};
pub use fragments::FragmentCount;
pub use gre::{frame_flags, Gap, GreFlow, GreFrame};
pub use gre_stats::{GreStats, Silence};
pub use icmp::IcmpNotice;
pub use index::{index, Counts, FileSummary, Index, Options};
pub use lags::Lags;
pub use live::Live;
pub use merge::Input;
pub use ppp_link::PppLinkFlow;
pub use radius::RadiusPacket;
pub use reader::{CaptureReader, Record};
pub use sample::Sample;
pub use source::open_stream;
pub use timeline::{Step, Timeline};

/// Why a capture cannot be read at all: a sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureError {
    /// What is wrong, in plain words.
    pub what: String,
    /// What the reader can do; may be empty.
    pub fix: String,
}

impl CaptureError {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl std::fmt::Display for CaptureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for CaptureError {}

/// Something about a file that limits what can be concluded from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which kind of trouble, a stable word: `truncated`, `damaged`, `link-type`, `expansion`, `read-error`.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
    /// The frame after which it was met (0: before the first).
    pub frame: u32,
}

/// Where and when something was seen: the unit of evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Nanoseconds since the epoch, as the file says.
    pub time_ns: i64,
    /// Which input, counted from 0 in the order given.
    pub file: u16,
    /// Frame number in that file, counted from 1 as Wireshark does.
    pub frame: u32,
}
