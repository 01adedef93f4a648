//! The classic capture format, in both byte orders, with microseconds or nanoseconds.

use crate::reader::{Findings, Pending, FRAME_LIMIT};
use crate::source::Window;

const FILE_HEADER: usize = 24;
/// How far ahead a whole record is looked for after damage.
const RESYNC_LIMIT: usize = 4 << 20;
const RESYNC_STEP: usize = 1 << 16;
/// Two records this many seconds apart are not taken for neighbours while looking for a sound one.
const RESYNC_SPAN: i64 = 30 * 86_400;

pub(crate) struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    record_header: usize,
    link_type: u16,
    last_second: Option<i64>,
}

struct RecordHeader {
    second: i64,
    fraction: u32,
    captured: usize,
    wire_len: u32,
}

impl Pcap {
    pub(crate) fn begin(window: &mut Window) -> Option<Self> {
        let bytes = window.bytes();
        let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
        let (big_endian, nanoseconds, record_header) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false, 16),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true, 16),
            // The patched libpcap of old Linux distributions: eight more octets in each record header.
            [0xa1, 0xb2, 0xcd, 0x34] => (true, false, 24),
            [0x34, 0xcd, 0xb2, 0xa1] => (false, false, 24),
            _ => return None,
        };
        let field = bytes.get(20..FILE_HEADER)?.try_into().ok()?;
        let link_type = word(field, big_endian) as u16;
        window.consume(FILE_HEADER);
        Some(Self {
            big_endian,
            nanoseconds,
            record_header,
            link_type,
            last_second: None,
        })
    }

    pub(crate) fn locate(&mut self, window: &mut Window, found: &mut Findings) -> Option<Pending> {
        loop {
            let available = window.fill(self.record_header);
            if available < self.record_header {
                if available > 0 {
                    found.note("truncated", "the file ends inside a record header".into());
                }
                return None;
            }
            let header = self.header(window.bytes());
            if header.captured > FRAME_LIMIT {
                self.resync(window, found)?;
                continue;
            }
            let total = self.record_header + header.captured;
            if window.fill(total) < total {
                found.note(
                    "truncated",
                    "the last record is cut off; it was left out".into(),
                );
                return None;
            }
            self.last_second = Some(header.second);
            return Some(self.pending(&header, total));
        }
    }

    fn pending(&self, header: &RecordHeader, total: usize) -> Pending {
        let scale = if self.nanoseconds { 1 } else { 1000 };
        Pending {
            time_ns: header.second * 1_000_000_000 + i64::from(header.fraction) * scale,
            link_type: self.link_type,
            wire_len: header.wire_len.max(header.captured as u32),
            begin: self.record_header,
            end: total,
            total,
        }
    }

    fn header(&self, bytes: &[u8]) -> RecordHeader {
        let at = |offset: usize| {
            let field = [
                bytes[offset],
                bytes[offset + 1],
                bytes[offset + 2],
                bytes[offset + 3],
            ];
            word(field, self.big_endian)
        };
        RecordHeader {
            second: i64::from(at(0)),
            fraction: at(4),
            captured: at(8) as usize,
            wire_len: at(12),
        }
    }

    /// Skip damage: go to the next place where two sound records follow each other.
    fn resync(&mut self, window: &mut Window, found: &mut Findings) -> Option<()> {
        let from = window.offset();
        let mut skipped = 0;
        while skipped < RESYNC_LIMIT {
            let visible = window.fill(RESYNC_STEP + 2 * FRAME_LIMIT);
            let bytes = window.bytes();
            let last = visible.min(RESYNC_STEP);
            if let Some(step) = (1..last).find(|&at| self.sound_pair(&bytes[at..])) {
                window.consume(step);
                let text = format!(
                    "{} octets from offset {from} are damaged and were skipped",
                    window.offset() - from
                );
                found.note("damaged", text);
                return Some(());
            }
            if visible <= RESYNC_STEP {
                break;
            }
            window.consume(last.saturating_sub(1));
            skipped += last;
        }
        found.note(
            "damaged",
            format!("from offset {from} on the file is damaged; nothing after it could be read"),
        );
        None
    }

    fn sound_pair(&self, bytes: &[u8]) -> bool {
        let Some(first) = self.sound(bytes) else {
            return false;
        };
        let second = bytes
            .get(self.record_header + first.captured..)
            .unwrap_or_default();
        second.is_empty()
            || self
                .sound(second)
                .is_some_and(|next| (next.second - first.second).abs() < RESYNC_SPAN)
    }

    fn sound(&self, bytes: &[u8]) -> Option<RecordHeader> {
        if bytes.len() < self.record_header {
            return None;
        }
        let header = self.header(bytes);
        let fractions = if self.nanoseconds {
            1_000_000_000
        } else {
            1_000_000
        };
        let near = self
            .last_second
            .is_none_or(|last| (header.second - last).abs() < RESYNC_SPAN);
        let sizes = (14..=FRAME_LIMIT).contains(&header.captured)
            && header.captured <= header.wire_len as usize;
        (sizes && near && header.fraction < fractions && header.wire_len as usize <= FRAME_LIMIT)
            .then_some(header)
    }
}

fn word(field: [u8; 4], big_endian: bool) -> u32 {
    if big_endian {
        u32::from_be_bytes(field)
    } else {
        u32::from_le_bytes(field)
    }
}
