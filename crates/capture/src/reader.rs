//! One capture, record after record, whatever its format.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::pcap::Pcap;
use crate::pcapng::Pcapng;
use crate::source::{Source, Window};
use crate::{CaptureError, Note};

/// The most octets a frame may hold; more means damage (the limit that Wireshark sets too).
pub(crate) const FRAME_LIMIT: usize = 262_144;
const NOTE_LIMIT: usize = 64;
const COMMENT_LIMIT: usize = 1000;

/// One frame as it lies in the file.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Counted from 1, as Wireshark counts.
    pub number: u32,
    /// Nanoseconds since the epoch.
    pub time_ns: i64,
    /// The registered LINKTYPE number.
    pub link_type: u16,
    /// Octets on the wire; `data` may hold fewer.
    pub wire_len: u32,
    /// The octets that were captured.
    pub data: &'a [u8],
}

/// A frame that was located in the window but not handed out yet.
pub(crate) struct Pending {
    pub(crate) time_ns: i64,
    pub(crate) link_type: u16,
    pub(crate) wire_len: u32,
    pub(crate) begin: usize,
    pub(crate) end: usize,
    /// Octets of the whole record in the file.
    pub(crate) total: usize,
}

/// What a format learns beside its frames.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) notes: Vec<Note>,
    pub(crate) comments: Vec<(u32, String)>,
    pub(crate) dropped: u64,
    pub(crate) frames: u32,
}

impl Findings {
    pub(crate) fn note(&mut self, kind: &'static str, text: String) {
        if self.notes.len() < NOTE_LIMIT {
            self.notes.push(Note {
                kind,
                text,
                frame: self.frames,
            });
        }
    }

    pub(crate) fn comment(&mut self, frame: u32, octets: &[u8]) {
        if self.comments.len() < COMMENT_LIMIT {
            let text = String::from_utf8_lossy(&octets[..octets.len().min(4096)]);
            self.comments
                .push((frame, text.trim_end_matches('\0').to_owned()));
        }
    }
}

enum Format {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

/// Reads the frames of one capture in order.
pub struct CaptureReader {
    window: Window,
    format: Format,
    pending: Option<Pending>,
    spent: usize,
    taken: Arc<AtomicU64>,
    size: Option<u64>,
    pub(crate) found: Findings,
}

impl CaptureReader {
    /// Open a file.
    ///
    /// # Errors
    /// A sentence when it is missing, forbidden, a directory or no capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::from_source(Source::open(path)?)
    }

    /// Read from any stream, for example standard input.
    ///
    /// # Errors
    /// A sentence when the stream does not begin like a capture.
    pub fn from_stream(stream: Box<dyn Read + Send>) -> Result<Self, CaptureError> {
        Self::from_source(Source::from_stream(stream, None)?)
    }

    fn from_source(source: Source) -> Result<Self, CaptureError> {
        let (taken, size) = (source.taken, source.size);
        let mut window = Window::new(source.octets);
        let format = recognise(&mut window)?;
        let found = Findings::default();
        Ok(Self {
            window,
            format,
            pending: None,
            spent: 0,
            taken,
            size,
            found,
        })
    }

    /// The time of the next frame, or None at the end.
    pub fn peek(&mut self) -> Option<i64> {
        if self.pending.is_none() {
            self.window.consume(std::mem::take(&mut self.spent));
            self.pending = match &mut self.format {
                Format::Pcap(pcap) => pcap.locate(&mut self.window, &mut self.found),
                Format::Pcapng(pcapng) => pcapng.locate(&mut self.window, &mut self.found),
            };
            if self.pending.is_none() {
                self.say_failure();
            }
        }
        self.pending.as_ref().map(|pending| pending.time_ns)
    }

    fn say_failure(&mut self) {
        if let Some(failure) = self.window.failure.take() {
            let kind = if failure.contains("expands more than") {
                "expansion"
            } else {
                "read-error"
            };
            self.found
                .note(kind, format!("reading stopped early: {failure}"));
        }
    }

    /// The next frame, or None at the end.
    pub fn next_record(&mut self) -> Option<Record<'_>> {
        self.peek()?;
        let pending = self.pending.take()?;
        self.spent = pending.total;
        self.found.frames += 1;
        Some(Record {
            number: self.found.frames,
            time_ns: pending.time_ns,
            link_type: pending.link_type,
            wire_len: pending.wire_len,
            data: &self.window.bytes()[pending.begin..pending.end],
        })
    }

    /// Octets taken from the file so far (compressed ones when compressed), and its size when known.
    #[must_use]
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.taken.load(Ordering::Relaxed), self.size)
    }

    /// `pcap` or `pcapng`.
    #[must_use]
    pub fn format(&self) -> &'static str {
        match self.format {
            Format::Pcap(_) => "pcap",
            Format::Pcapng(_) => "pcapng",
        }
    }
}

fn recognise(window: &mut Window) -> Result<Format, CaptureError> {
    let available = window.fill(64);
    if available == 0 {
        return Err(match window.failure.take() {
            Some(failure) => CaptureError::new(format!("it cannot be read: {failure}"), ""),
            None => CaptureError::new(
                "the file is empty",
                "Was the capture stopped before its first packet?",
            ),
        });
    }
    if let Some(pcap) = Pcap::begin(window) {
        return Ok(Format::Pcap(pcap));
    }
    if let Some(pcapng) = Pcapng::begin(window) {
        return Ok(Format::Pcapng(pcapng));
    }
    Err(unrecognised(window.bytes()))
}

fn unrecognised(bytes: &[u8]) -> CaptureError {
    const CONVERT: &str = "Convert it first: editcap -F pcapng INPUT OUTPUT.pcapng";
    const KNOWN: [(&[u8], &str); 7] = [
        (b"GMBU", "a Microsoft Network Monitor 2 file"),
        (b"RTSS", "a Microsoft Network Monitor 1 file"),
        (b"snoop\0\0\0", "a Solaris snoop file"),
        (b"\x07", "a pppd record file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"BZh", "a bzip2 archive"),
        (b"\xfd7zXZ", "an xz archive"),
    ];
    for (magic, name) in KNOWN {
        if bytes.starts_with(magic) {
            let fix = if name.ends_with("archive") {
                "Unpack it first."
            } else {
                CONVERT
            };
            return CaptureError::new(format!("this is {name}, which is not read here"), fix);
        }
    }
    CaptureError::new(
        "this is neither a pcap nor a pcapng capture",
        "Captures are made with: tcpdump -i any -s 0 -w FILE 'tcp port 1723 or proto 47 or icmp'",
    )
}
