//! The chain of the event log: see `holdfast.observe.chain`, which says what it is for.

use sha2::{Digest, Sha256};

/// Octets of a chain value.
pub const CHAIN: usize = 32;

const NUMBER: &[u8] = b",\"seq\":";
const VALUE: &[u8] = b",\"chain\":\"";
const END: &[u8] = b"\"}\n";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// JSON objects that are to become the lines behind line `seq`.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// The objects, each whole.
    pub texts: &'a [&'a [u8]],
    /// The number of the line before the first.
    pub seq: u64,
}

impl Lines<'_> {
    /// How many octets the lines take. None when the numbers run out.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        let last = self.seq.checked_add(self.texts.len() as u64)?;
        let fixed = NUMBER.len() + VALUE.len() + 2 * CHAIN + END.len();
        let numbers: usize = (self.seq + 1..=last).map(digits).sum();
        let texts: usize = self.texts.iter().map(|text| object(text).len()).sum();
        Some(numbers + texts + fixed * self.texts.len())
    }

    /// Write the lines into `out`, which has their `length`; return the chain value of the last.
    ///
    /// # Panics
    ///
    /// When `out` is shorter.
    #[must_use]
    pub fn write(&self, previous: [u8; CHAIN], out: &mut [u8]) -> [u8; CHAIN] {
        let mut place = Place { out, at: 0 };
        let (mut chain, mut seq) = (previous, self.seq);
        for text in self.texts {
            seq += 1;
            let octets = object(text);
            let mut hash = Sha256::new();
            hash.update(chain);
            hash.update(seq.to_be_bytes());
            hash.update(Sha256::digest(octets));
            chain = hash.finalize().into();
            place.put(octets);
            place.put(NUMBER);
            place.number(seq);
            place.put(VALUE);
            place.hexadecimal(&chain);
            place.put(END);
        }
        chain
    }
}

/// The object without its closing brace.
fn object(text: &[u8]) -> &[u8] {
    &text[..text.len().saturating_sub(1)]
}

fn digits(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

struct Place<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Place<'_> {
    fn put(&mut self, octets: &[u8]) {
        self.out[self.at..self.at + octets.len()].copy_from_slice(octets);
        self.at += octets.len();
    }

    fn number(&mut self, mut number: u64) {
        let end = self.at + digits(number);
        for digit in self.out[self.at..end].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.at = end;
    }

    fn hexadecimal(&mut self, octets: &[u8]) {
        let end = self.at + 2 * octets.len();
        let pairs = self.out[self.at..end].chunks_exact_mut(2);
        for (pair, octet) in pairs.zip(octets) {
            pair[0] = HEX[usize::from(octet >> 4)];
            pair[1] = HEX[usize::from(octet & 15)];
        }
        self.at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&[u8]], seq: u64) -> (String, [u8; CHAIN]) {
        let lines = Lines { texts, seq };
        let mut out = vec![0; lines.length().unwrap()];
        let chain = lines.write([0; CHAIN], &mut out);
        (String::from_utf8(out).unwrap(), chain)
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|octet| format!("{octet:02x}")).collect()
    }

    #[test]
    fn a_line_is_chained_as_the_page_says() {
        let (text, chain) = lines(&[b"{\"a\":1}"], 6);
        let digest = Sha256::digest(b"{\"a\":1");
        let expected = Sha256::new()
            .chain_update([0; CHAIN])
            .chain_update(7u64.to_be_bytes())
            .chain_update(digest)
            .finalize();
        assert_eq!(chain[..], expected[..]);
        let value = hex(&chain);
        assert_eq!(
            text,
            format!("{{\"a\":1,\"seq\":7,\"chain\":\"{value}\"}}\n")
        );
    }

    #[test]
    fn lines_follow_each_other_over_every_number_of_digits() {
        let texts = vec![&b"{\"n\":0}"[..]; 1200];
        let (text, last) = lines(&texts, 0);
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows.len(), 1200);
        assert!(rows[8].contains(",\"seq\":9,") && rows[1199].contains(",\"seq\":1200,"));
        assert!(rows[1199].contains(&hex(&last)));
    }

    #[test]
    fn none_are_nothing_and_the_chain_stays() {
        assert_eq!(lines(&[], 5), (String::new(), [0; CHAIN]));
    }

    #[test]
    fn numbers_that_run_out_are_said() {
        let texts: [&[u8]; 2] = [b"{}", b"{}"];
        let seq = u64::MAX - 1;
        assert_eq!(Lines { texts: &texts, seq }.length(), None);
    }

    #[test]
    fn nothing_at_all_is_no_reason_to_fail() {
        assert!(lines(&[b""], u64::MAX - 1)
            .0
            .starts_with(",\"seq\":18446744073709551615,"));
    }
}
