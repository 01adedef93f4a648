//! The block format: several interfaces, comments, sections in either byte order, and damage in the middle.

use crate::reader::{Findings, Pending, FRAME_LIMIT};
use crate::source::Window;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
/// Wireshark numbers a journal entry as a frame.
const SYSTEMD_JOURNAL: u32 = 9;

const BLOCK_LIMIT: usize = 16 << 20;
const INTERFACE_LIMIT: usize = 4096;
const RESYNC_LIMIT: usize = 64 << 20;
const RESYNC_STEP: usize = 1 << 16;

const OPTION_COMMENT: u16 = 1;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
const OPTION_DROPPED: u16 = 5;

struct Interface {
    link_type: u16,
    snap_length: u32,
    /// Units in a second.
    units: u64,
    offset: i64,
    dropped: u64,
}

pub(crate) struct Pcapng {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

enum Block {
    Frame(Pending),
    /// A record that Wireshark numbers although it is no frame.
    Counted,
    /// A frame whose block names no interface of the file, or lies about its length.
    Unreadable,
    Other,
}

impl Pcapng {
    pub(crate) fn begin(window: &mut Window) -> Option<Self> {
        let bytes = window.bytes();
        if bytes.get(..4)? != SECTION_HEADER.to_be_bytes() {
            return None;
        }
        let big_endian = byte_order(bytes)?;
        Some(Self {
            big_endian,
            interfaces: Vec::new(),
        })
    }

    pub(crate) fn locate(&mut self, window: &mut Window, found: &mut Findings) -> Option<Pending> {
        loop {
            let available = window.fill(12);
            if available < 12 {
                if available > 0 {
                    found.note("truncated", "the file ends inside a block header".into());
                }
                return None;
            }
            let Some((kind, total)) = self.block_head(window.bytes()) else {
                self.resync(window, found)?;
                continue;
            };
            if window.fill(total) < total {
                // No frame is so long: it is the length that is damaged, not the file that ends.
                if total > 2 * FRAME_LIMIT {
                    self.resync(window, found)?;
                    continue;
                }
                found.note(
                    "truncated",
                    "the last block is cut off; it was left out".into(),
                );
                return None;
            }
            if self.word(&window.bytes()[total - 4..]) as usize != total {
                self.resync(window, found)?;
                continue;
            }
            match self.block(kind, &window.bytes()[..total], found) {
                Block::Frame(pending) => return Some(pending),
                Block::Counted => found.frames += 1,
                Block::Unreadable => left_out(found),
                Block::Other => {}
            }
            window.consume(total);
        }
    }

    /// The type and whole length of the block at hand, or None when no block can begin like this.
    fn block_head(&mut self, bytes: &[u8]) -> Option<(u32, usize)> {
        if bytes[..4] == SECTION_HEADER.to_be_bytes() {
            self.big_endian = byte_order(bytes)?;
        }
        let (kind, total) = (self.word(bytes), self.word(&bytes[4..]) as usize);
        (total >= 12 && total % 4 == 0 && total <= BLOCK_LIMIT).then_some((kind, total))
    }

    fn block(&mut self, kind: u32, block: &[u8], found: &mut Findings) -> Block {
        let body = &block[8..block.len() - 4];
        match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                self.comments(body.get(16..), 0, found);
                Block::Other
            }
            INTERFACE_DESCRIPTION => {
                self.add_interface(body, found);
                Block::Other
            }
            INTERFACE_STATISTICS => {
                self.statistics(body, found);
                Block::Other
            }
            ENHANCED_PACKET => self.enhanced(body, block.len(), found),
            OLD_PACKET => self.old(body, block.len()),
            SIMPLE_PACKET => self.simple(body, block.len()),
            SYSTEMD_JOURNAL => Block::Counted,
            _ => Block::Other,
        }
    }

    fn add_interface(&mut self, body: &[u8], found: &mut Findings) {
        if body.len() < 8 || self.interfaces.len() >= INTERFACE_LIMIT {
            return;
        }
        let mut interface = Interface {
            link_type: self.half(body),
            snap_length: self.word(&body[4..]),
            units: 1_000_000,
            offset: 0,
            dropped: 0,
        };
        for (code, value) in self.options(&body[8..]) {
            match (code, value.len()) {
                (OPTION_COMMENT, _) => found.comment(0, value),
                (OPTION_RESOLUTION, 1..) => interface.units = resolution(value[0]),
                (OPTION_OFFSET, 8..) => interface.offset = self.long(value) as i64,
                _ => {}
            }
        }
        self.interfaces.push(interface);
    }

    /// Frames that the capturing machine itself lost: cumulative per interface.
    fn statistics(&mut self, body: &[u8], found: &mut Findings) {
        if body.len() < 12 {
            return;
        }
        let which = self.word(body) as usize;
        let dropped = self
            .options(&body[12..])
            .find(|(code, value)| *code == OPTION_DROPPED && value.len() >= 8);
        let dropped = dropped.map_or(0, |(_, value)| self.long(value));
        if let Some(interface) = self.interfaces.get_mut(which) {
            if dropped != u64::MAX && dropped > interface.dropped {
                found.dropped = found.dropped.saturating_add(dropped - interface.dropped);
                interface.dropped = dropped;
            }
        }
    }

    fn enhanced(&self, body: &[u8], total: usize, found: &mut Findings) -> Block {
        if body.len() < 20 {
            return Block::Other;
        }
        let Some(interface) = self.interfaces.get(self.word(body) as usize) else {
            return Block::Unreadable;
        };
        let (captured, wire_len) = (self.word(&body[12..]) as usize, self.word(&body[16..]));
        if captured > body.len() - 20 || captured > FRAME_LIMIT {
            return Block::Unreadable;
        }
        let padded = (captured + 3) & !3;
        self.comments(body.get(20 + padded..), found.frames + 1, found);
        let units = (u64::from(self.word(&body[4..])) << 32) | u64::from(self.word(&body[8..]));
        Block::Frame(Pending {
            time_ns: interface.nanoseconds(units),
            link_type: interface.link_type,
            wire_len: wire_len.max(captured as u32),
            begin: 28,
            end: 28 + captured,
            total,
        })
    }

    fn old(&self, body: &[u8], total: usize) -> Block {
        if body.len() < 20 {
            return Block::Other;
        }
        let Some(interface) = self.interfaces.get(usize::from(self.half(body))) else {
            return Block::Unreadable;
        };
        let captured = self.word(&body[12..]) as usize;
        if captured > body.len() - 20 || captured > FRAME_LIMIT {
            return Block::Unreadable;
        }
        let units = (u64::from(self.word(&body[4..])) << 32) | u64::from(self.word(&body[8..]));
        Block::Frame(Pending {
            time_ns: interface.nanoseconds(units),
            link_type: interface.link_type,
            wire_len: self.word(&body[16..]).max(captured as u32),
            begin: 28,
            end: 28 + captured,
            total,
        })
    }

    fn simple(&self, body: &[u8], total: usize) -> Block {
        let Some(interface) = self.interfaces.first().filter(|_| body.len() >= 4) else {
            return Block::Unreadable;
        };
        let wire_len = self.word(body);
        let snap = if interface.snap_length == 0 {
            u32::MAX
        } else {
            interface.snap_length
        };
        let captured = (wire_len.min(snap) as usize)
            .min(body.len() - 4)
            .min(FRAME_LIMIT);
        Block::Frame(Pending {
            time_ns: 0,
            link_type: interface.link_type,
            wire_len,
            begin: 12,
            end: 12 + captured,
            total,
        })
    }

    fn comments(&self, options: Option<&[u8]>, frame: u32, found: &mut Findings) {
        for (code, value) in self.options(options.unwrap_or_default()) {
            if code == OPTION_COMMENT {
                found.comment(frame, value);
            }
        }
    }

    fn options<'a>(&self, mut bytes: &'a [u8]) -> impl Iterator<Item = (u16, &'a [u8])> {
        let big_endian = self.big_endian;
        std::iter::from_fn(move || {
            let head = bytes.get(..4)?;
            let (code, length) = (
                half(head, big_endian),
                usize::from(half(&head[2..], big_endian)),
            );
            let value = bytes.get(4..4 + length)?;
            bytes = bytes.get(4 + ((length + 3) & !3)..).unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }

    /// Skip damage: go to the next place where a known block stands whole.
    fn resync(&mut self, window: &mut Window, found: &mut Findings) -> Option<()> {
        let from = window.offset();
        let mut skipped = 0;
        while skipped < RESYNC_LIMIT {
            let visible = window.fill(RESYNC_STEP + 2 * FRAME_LIMIT);
            let last = visible.min(RESYNC_STEP);
            if let Some(step) = (1..last).find(|&at| self.sound(&window.bytes()[at..])) {
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

    fn sound(&self, bytes: &[u8]) -> bool {
        if bytes.len() < 12 {
            return false;
        }
        if bytes[..4] == SECTION_HEADER.to_be_bytes() {
            return byte_order(bytes).is_some();
        }
        let (kind, total) = (self.word(bytes), self.word(&bytes[4..]) as usize);
        let known = matches!(kind, 1..=6);
        known
            && (12..=FRAME_LIMIT).contains(&total)
            && total % 4 == 0
            && bytes
                .get(total - 4..total)
                .is_some_and(|tail| self.word(tail) as usize == total)
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let field = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian {
            u32::from_be_bytes(field)
        } else {
            u32::from_le_bytes(field)
        }
    }

    fn half(&self, bytes: &[u8]) -> u16 {
        half(bytes, self.big_endian)
    }

    fn long(&self, bytes: &[u8]) -> u64 {
        let (first, second) = (
            u64::from(self.word(bytes)),
            u64::from(self.word(&bytes[4..])),
        );
        if self.big_endian {
            (first << 32) | second
        } else {
            (second << 32) | first
        }
    }
}

impl Interface {
    fn nanoseconds(&self, units: u64) -> i64 {
        let scaled = u128::from(units) * 1_000_000_000 / u128::from(self.units);
        let shifted = i128::from(self.offset) * 1_000_000_000 + scaled as i128;
        i64::try_from(shifted).unwrap_or(0)
    }
}

fn half(bytes: &[u8], big_endian: bool) -> u16 {
    let field = [bytes[0], bytes[1]];
    if big_endian {
        u16::from_be_bytes(field)
    } else {
        u16::from_le_bytes(field)
    }
}

/// Count a frame that cannot be read, and say so once.
fn left_out(found: &mut Findings) {
    found.frames += 1;
    const KIND: &str = "left-out";
    if found.notes.iter().all(|note| note.kind != KIND) {
        let first = found.frames;
        let text = format!("frames whose blocks are wrong were left out, first frame {first}");
        found.note(KIND, text);
    }
}

/// Units in a second, from if_tsresol: a power of ten, or of two when the high bit is set.
fn resolution(octet: u8) -> u64 {
    let exponent = u32::from(octet & 0x7f);
    let units = if octet & 0x80 == 0 {
        10u64.checked_pow(exponent)
    } else {
        1u64.checked_shl(exponent)
    };
    units.unwrap_or(1_000_000)
}

fn byte_order(bytes: &[u8]) -> Option<bool> {
    match bytes.get(8..12)? {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        _ => None,
    }
}
