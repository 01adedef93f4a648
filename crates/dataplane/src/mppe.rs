//! MPPE (RFC 3078): key chain, coherency count, both modes.

use crate::rc4::{self, Key, Rc4};
use sha1::{Digest, Sha1};

const FLUSHED: u16 = 0x8000;
const ENCRYPTED: u16 = 0x1000;
const COUNT_MASK: u16 = 0x0fff;
/// Octets of the MPPE header: flags and coherency count.
pub const HEADER: usize = 2;
/// Undecipherable packets in a row, their counts in order, after which synchronisation counts as lost in stateless mode.
/// Packets of a forger have counts without order, however many there are.
const GARBLED_LIMIT: u32 = 32;
/// Counts are in order when they move on by at most so much: a few packets may be lost in between.
const IN_ORDER: u16 = 8;
/// Key changes that are tried for any packet whose count asks for them.
const CHEAP_STEPS: u16 = 64;
/// Packets until the count is the same again.
const ROUND: u32 = COUNT_MASK as u32 + 1;
/// How often it may have gone round during a loss that the window of GRE survives.
const MOST_ROUNDS: u32 = 2;
/// Loss of synchronisation is told with the first packet dropped for it and with every so many after that.
const RETELL: u32 = 32;

/// RFC 3078 section 7: how often the key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// With each packet.
    Stateless,
    /// When the low octet of the coherency count is 0xff.
    Stateful,
}

/// Effective key length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// 40 bit: 8 octets, three of them fixed.
    Bits40,
    /// 56 bit: 8 octets, one of them fixed.
    Bits56,
    /// 128 bit: 16 octets.
    Bits128,
}

impl Strength {
    /// The strength of so many bits: 40, 56 or 128.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            40 => Some(Self::Bits40),
            56 => Some(Self::Bits56),
            128 => Some(Self::Bits128),
            _ => None,
        }
    }

    /// Octets of a key.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::Bits40 | Self::Bits56 => 8,
            Self::Bits128 => 16,
        }
    }

    /// The salt that overwrites the first octets (RFC 3079 section 2).
    fn salt(self) -> &'static [u8] {
        match self {
            Self::Bits40 => &[0xd1, 0x26, 0x9e],
            Self::Bits56 => &[0xd1],
            Self::Bits128 => &[],
        }
    }
}

/// The keys of one direction, one after the other. No `Debug`: keys are not printed.
#[derive(Clone)]
pub struct KeyChain {
    start: Key,
    session: Key,
    strength: Strength,
}

impl Drop for KeyChain {
    fn drop(&mut self) {
        self.start = [0; 16];
        self.session = [0; 16];
        // Without a reader the compiler would leave the keys in memory.
        std::hint::black_box(&self.start);
        std::hint::black_box(&self.session);
    }
}

impl KeyChain {
    /// Begin with the start key of RFC 3079 (before any salt). None when its length does not fit the strength.
    #[must_use]
    pub fn new(start_key: &[u8], strength: Strength) -> Option<Self> {
        if start_key.len() != strength.key_length() {
            return None;
        }
        let mut start = [0; 16];
        start[..start_key.len()].copy_from_slice(start_key);
        let mut chain = Self {
            start,
            session: start,
            strength,
        };
        chain.session = chain.digest();
        chain.apply_salt();
        Some(chain)
    }

    /// GetNewKeyFromSHA of RFC 3078 section 7.3.
    fn digest(&self) -> Key {
        let length = self.strength.key_length();
        // In one piece: taken in four, the digest costs twice as much.
        let mut message = [0x00; 2 * (16 + 40)];
        message[..length].copy_from_slice(&self.start[..length]);
        message[length + 40..][..length].copy_from_slice(&self.session[..length]);
        message[2 * length + 40..][..40].fill(0xf2);
        let digest = Sha1::digest(&message[..2 * (length + 40)]);
        let mut key = [0; 16];
        key[..length].copy_from_slice(&digest[..length]);
        key
    }

    fn apply_salt(&mut self) {
        let salt = self.strength.salt();
        self.session[..salt.len()].copy_from_slice(salt);
    }

    /// Change the key (RFC 3078 section 7.3).
    pub fn advance(&mut self) {
        let length = self.strength.key_length();
        let mut key = self.digest();
        rc4::apply_one(&repeated(key, length), &mut key[..length]);
        self.session = key;
        self.apply_salt();
    }

    /// The current session key, repeated to 16 octets, which is the same key to RC4.
    #[must_use]
    pub fn key(&self) -> Key {
        repeated(self.session, self.strength.key_length())
    }

    fn cipher(&self) -> Box<Rc4> {
        Box::new(Rc4::new(&self.key()))
    }
}

/// A key of 8 octets twice, a key of 16 octets as it is.
fn repeated(mut key: Key, length: usize) -> Key {
    if length == 8 {
        key.copy_within(0..8, 8);
    }
    key
}

/// What is left to do with the data of a packet.
pub enum Work {
    /// Nothing: the data has been transformed in place.
    Done,
    /// Apply RC4 with this fresh key (left to the caller, who may do several packets at a time).
    Apply(Key),
}

/// The sending side of one call.
pub struct Sender {
    chain: KeyChain,
    count: u16,
    cipher: Option<Box<Rc4>>,
}

impl Sender {
    /// Start over with a fresh chain; the first packet has coherency count 0.
    #[must_use]
    pub fn new(chain: KeyChain, mode: Mode) -> Self {
        let cipher = (mode == Mode::Stateful).then(|| chain.cipher());
        Self {
            chain,
            count: COUNT_MASK,
            cipher,
        }
    }

    /// Make the header of the next packet, whose data begins with the PPP protocol field.
    pub fn seal(&mut self, data: &mut [u8]) -> ([u8; HEADER], Work) {
        self.count = (self.count + 1) & COUNT_MASK;
        let mut bits = ENCRYPTED;
        let mut work = Work::Done;
        if let Some(cipher) = &mut self.cipher {
            if self.count & 0xff == 0xff {
                self.chain.advance();
                *cipher = self.chain.cipher();
                bits |= FLUSHED;
            }
            cipher.apply(data);
        } else {
            self.chain.advance();
            bits |= FLUSHED;
            work = Work::Apply(self.chain.key());
        }
        ((bits | self.count).to_be_bytes(), work)
    }

    /// Answer a CCP Reset-Request (stateful mode). Peers disagree whether a FLUSHED packet comes with the current
    /// key (RFC 3078 section 8.2) or with the next one (Linux). Both read a "flag" packet the same way, so
    /// the count leaps to just before the next one; to the peer that is a gap in a stream it was discarding anyway.
    pub fn reset(&mut self) {
        if self.cipher.is_some() {
            let next = (self.count + 1) & COUNT_MASK;
            self.count = (next | 0xff) - 1;
        }
    }
}

/// What became of a received packet.
pub enum Opened {
    /// The data is clear now.
    Done,
    /// Apply RC4 with this key to the data.
    Apply(Key),
    /// The count does not fit, or the packet is not encrypted: drop it.
    Incoherent,
    /// Synchronisation is lost: drop it. `news` when that is found out with this packet, and now and then while it
    /// lasts: the packet that answered our Reset-Request may be lost as well.
    Desynchronised {
        /// Whether a Reset-Request is due.
        news: bool,
    },
}

/// The receiving side of one call.
pub struct Receiver {
    chain: KeyChain,
    count: u16,
    cipher: Option<Box<Rc4>>,
    /// Packets dropped since synchronisation was lost; 0 while in step.
    discarded: u32,
    /// The count of the last packet that could have been the peer's.
    heard: u16,
    /// Packets in a row, their counts in order, since the last one that made sense.
    garbled: u32,
    /// Whether it was told that stateless mode lost its way.
    told: bool,
}

impl Receiver {
    /// Start over with a fresh chain; the first packet is expected to have coherency count 0.
    #[must_use]
    pub fn new(chain: KeyChain, mode: Mode) -> Self {
        let cipher = (mode == Mode::Stateful).then(|| chain.cipher());
        Self {
            chain,
            count: COUNT_MASK,
            cipher,
            discarded: 0,
            heard: COUNT_MASK,
            garbled: 0,
            told: false,
        }
    }

    /// Whether a packet with this header would cost many key changes to judge. `most` as for `open`.
    #[must_use]
    pub fn is_costly(&self, header: [u8; HEADER], most: u32) -> bool {
        let steps = self.steps(header);
        self.cipher.is_none() && (steps > CHEAP_STEPS || rounds(steps, most) > 0)
    }

    /// A packet with this header was not tried at all: what its count says is known all the same.
    pub fn skip(&mut self, header: [u8; HEADER]) -> Option<Opened> {
        self.hear(u16::from_be_bytes(header) & COUNT_MASK);
        self.judge(false)
    }

    /// By how much the coherency count has moved on.
    fn steps(&self, header: [u8; HEADER]) -> u16 {
        u16::from_be_bytes(header).wrapping_sub(self.count) & COUNT_MASK
    }

    /// Judge a packet by its header. `most` is how far the count can have moved since the last packet, as far as
    /// the sequence numbers of GRE tell, `u32::MAX` when they do not: it bounds the work that a forged count can cause.
    pub fn open(&mut self, header: [u8; HEADER], data: &mut [u8], most: u32) -> Opened {
        let bits = u16::from_be_bytes(header);
        let steps = self.steps(header);
        let stateful = self.cipher.is_some();
        if bits & ENCRYPTED == 0 || (stateful && steps == 0) {
            return Opened::Incoherent;
        }
        if stateful {
            return self.open_stateful(bits & FLUSHED != 0, steps, data);
        }
        self.open_stateless(steps, data, most)
    }

    fn open_stateless(&mut self, steps: u16, data: &[u8], most: u32) -> Opened {
        let rounds = rounds(steps, most);
        if u32::from(steps) > most || (steps == 0 && rounds == 0) {
            return Opened::Incoherent;
        }
        let count = (self.count + steps) & COUNT_MASK;
        self.hear(count);
        if steps != 1 || rounds > 0 {
            return self.leap(steps, rounds, data);
        }
        self.chain.advance();
        self.count = count;
        Opened::Apply(self.chain.key())
    }

    /// Note whether the counts of packets that make no sense follow each other.
    fn hear(&mut self, count: u16) {
        let moved = count.wrapping_sub(self.heard) & COUNT_MASK;
        let in_order = (1..=IN_ORDER).contains(&moved);
        self.garbled = if in_order {
            self.garbled.saturating_add(1)
        } else {
            1
        };
        self.heard = count;
    }

    /// A gap, during which the count may have gone round, or a forged count: try it on a copy, and believe it when the
    /// packet decrypts to something. The key of the last packet is never tried again: that would be a replay.
    fn leap(&mut self, steps: u16, rounds: u32, data: &[u8]) -> Opened {
        let mut chain = self.chain.clone();
        for round in 0..=rounds {
            let further = if round == 0 { steps.into() } else { ROUND };
            for _ in 0..further {
                chain.advance();
            }
            if further > 0 && makes_sense(&chain.key(), data) {
                self.chain = chain;
                self.count = (self.count + steps) & COUNT_MASK;
                return Opened::Apply(self.chain.key());
            }
        }
        self.judge(false).unwrap_or(Opened::Incoherent)
    }

    /// Learn whether what was decrypted made sense; tell when stateless mode has lost its way for good.
    pub fn judge(&mut self, sensible: bool) -> Option<Opened> {
        if sensible || self.cipher.is_some() {
            self.garbled = 0;
            self.told = false;
            return None;
        }
        if self.garbled < GARBLED_LIMIT {
            return None;
        }
        let news = !self.told;
        self.told = true;
        Some(Opened::Desynchronised { news })
    }

    fn open_stateful(&mut self, flushed: bool, steps: u16, data: &mut [u8]) -> Opened {
        let in_step = steps == 1 && self.discarded == 0;
        if !flushed && !in_step {
            return self.desynchronised();
        }
        let flag = self.count.wrapping_add(steps) & 0xff == 0xff;
        let mut chain = self.chain.clone();
        for _ in 0..flag_packets(self.count, steps) {
            chain.advance();
        }
        if flushed && !(in_step && flag) {
            match settle_flush(chain, flag, data) {
                Some(settled) => chain = settled,
                None => return self.desynchronised(),
            }
        }
        self.chain = chain;
        self.count = (self.count + steps) & COUNT_MASK;
        self.discarded = 0;
        if flag || flushed {
            self.cipher = Some(self.chain.cipher());
        }
        if let Some(cipher) = &mut self.cipher {
            cipher.apply(data);
        }
        Opened::Done
    }

    fn desynchronised(&mut self) -> Opened {
        let news = self.discarded.is_multiple_of(RETELL);
        self.discarded = self.discarded.wrapping_add(1);
        Opened::Desynchronised { news }
    }
}

/// How often the count may have gone round besides moving on by `steps`, when it moved by `most` at most.
fn rounds(steps: u16, most: u32) -> u32 {
    if most == u32::MAX {
        return 0;
    }
    (most.saturating_sub(steps.into()) / ROUND).min(MOST_ROUNDS)
}

/// How many of the `steps` packets after `count` are "flag" packets.
fn flag_packets(count: u16, steps: u16) -> u32 {
    let before = u32::from(count) + 1;
    ((before + u32::from(steps)) >> 8) - (before >> 8)
}

/// FLUSHED away from a flag packet: RFC 3078 section 8.2 keeps the key, Linux changes it. The data tells which; when it
/// fits neither, the packet is forged or broken and must not move the key chain.
fn settle_flush(chain: KeyChain, flag: bool, data: &[u8]) -> Option<KeyChain> {
    if makes_sense(&chain.key(), data) {
        return Some(chain);
    }
    let mut changed = chain;
    changed.advance();
    (!flag && makes_sense(&changed.key(), data)).then_some(changed)
}

fn makes_sense(key: &Key, data: &[u8]) -> bool {
    let mut head = [0u8; 10];
    let length = data.len().min(head.len());
    head[..length].copy_from_slice(&data[..length]);
    rc4::apply_one(key, &mut head[..length]);
    is_sensible(&head[..length], data.len())
}

/// Whether decrypted octets look like a PPP frame of `length` octets with an IP packet or a control packet: the
/// only integrity there is.
#[must_use]
pub fn is_sensible(head: &[u8], length: usize) -> bool {
    let (protocol, at) = match head {
        [low, ..] if low & 1 == 1 => (u16::from(*low), 1),
        [high, low, ..] => (u16::from_be_bytes([*high, *low]), 2),
        _ => return false,
    };
    let left = length - at;
    let field = |offset: usize| {
        head.get(at + offset..at + offset + 2)
            .map(|f| usize::from(f[0]) << 8 | usize::from(f[1]))
    };
    let version = head.get(at).map_or(0, |octet| octet >> 4);
    match protocol {
        0x0021 => version == 4 && field(2).is_some_and(|total| total >= 20 && total <= left),
        0x0057 => version == 6 && field(4).is_some_and(|payload| payload + 40 <= left),
        0x8021 | 0x8057 | 0x80fd | 0xc021 | 0xc023 | 0xc223 => {
            field(2).is_some_and(|total| total >= 4 && total <= left)
        }
        _ => false,
    }
}
