//! RC4, also over four packets at a time: the key set-up waits on memory, so four of them cost little more than one.

/// The state of RC4. Its octets stand in words of 32 bits: with single octets the same code takes half as long again,
/// because each load has to wait for what was stored beside it.
type Table = [u32; 256];

const IDENTITY: Table = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = at as u32;
        at += 1;
    }
    table
};

/// A cipher in the middle of its key stream.
#[derive(Clone)]
pub struct Rc4 {
    table: Table,
    i: u8,
    j: u8,
}

impl Rc4 {
    /// Set up the table from a key of 1 to 256 octets.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut table = IDENTITY;
        let mut j = 0u8;
        for (i, octet) in (0..=255u8).zip(key.iter().cycle()) {
            swap(&mut table, i, &mut j, *octet);
        }
        Self { table, i: 0, j: 0 }
    }

    /// Combine `data` with the next octets of the key stream.
    pub fn apply(&mut self, data: &mut [u8]) {
        (self.i, self.j) = run(&mut self.table, self.i, self.j, data);
    }
}

#[inline(always)]
fn run(table: &mut Table, mut i: u8, mut j: u8, data: &mut [u8]) -> (u8, u8) {
    let mut words = data.chunks_exact_mut(WORD);
    for word in &mut words {
        // Octets collected in a register cost one store instead of eight.
        let stream = (0..WORD).fold(0, |word, at| {
            word | u64::from(step(table, &mut i, &mut j)) << (8 * at)
        });
        combine(word, stream);
    }
    for octet in words.into_remainder() {
        *octet ^= step(table, &mut i, &mut j) as u8;
    }
    (i, j)
}

/// Encrypt or decrypt one buffer with a fresh key.
#[inline(never)]
pub fn apply_one(key: &Key, data: &mut [u8]) {
    let mut table = IDENTITY;
    set_up_one(&mut table, key);
    run(&mut table, 0, 0, data);
}

/// One key set-up alone is a chain of loads that wait for stores. Here the next value is loaded before the two stores of
/// a step, and put right where one of them would have changed it.
#[inline(always)]
fn set_up_one(table: &mut Table, key: &Key) {
    let (mut j, mut value) = (0u8, table[0]);
    for i in 0..=255u8 {
        j = j
            .wrapping_add(value as u8)
            .wrapping_add(key[usize::from(i & 15)]);
        let next = i.wrapping_add(1);
        let (other, ahead) = (table[usize::from(j)], table[usize::from(next)]);
        table[usize::from(j)] = value;
        table[usize::from(i)] = other;
        value = if next == j { value } else { ahead };
    }
}

#[inline(always)]
fn step(table: &mut Table, i: &mut u8, j: &mut u8) -> u32 {
    *i = i.wrapping_add(1);
    let a = table[usize::from(*i)];
    *j = j.wrapping_add(a as u8);
    let b = table[usize::from(*j)];
    table[usize::from(*j)] = a;
    table[usize::from(*i)] = b;
    table[usize::from((a as u8).wrapping_add(b as u8))]
}

const WORD: usize = 8;

#[inline(always)]
fn combine(word: &mut [u8], stream: u64) {
    let mut octets = [0; WORD];
    octets.copy_from_slice(word);
    word.copy_from_slice(&(u64::from_le_bytes(octets) ^ stream).to_le_bytes());
}

#[inline(always)]
fn swap(table: &mut Table, i: u8, j: &mut u8, octet: u8) {
    let value = table[usize::from(i)];
    *j = j.wrapping_add(value as u8).wrapping_add(octet);
    table[usize::from(i)] = table[usize::from(*j)];
    table[usize::from(*j)] = value;
}

/// A 16-octet key, already repeated from a shorter one (8 octets repeated are the same key to RC4).
pub type Key = [u8; 16];

/// Encrypt or decrypt four buffers, each with a fresh key. Four set-ups side by side, then two streams: with more of either
/// the registers no longer suffice.
pub fn apply_four(keys: [&Key; 4], data: [&mut [u8]; 4]) {
    let mut ciphers: [Rc4; 4] = std::array::from_fn(|_| Rc4 {
        table: IDENTITY,
        i: 0,
        j: 0,
    });
    let [c0, c1, c2, c3] = &mut ciphers;
    let mut j = [0u8; 4];
    for i in 0..=255u8 {
        let at = usize::from(i & 15);
        swap(&mut c0.table, i, &mut j[0], keys[0][at]);
        swap(&mut c1.table, i, &mut j[1], keys[1][at]);
        swap(&mut c2.table, i, &mut j[2], keys[2][at]);
        swap(&mut c3.table, i, &mut j[3], keys[3][at]);
    }
    let [d0, d1, d2, d3] = data;
    apply_two(c0, d0, c1, d1);
    apply_two(c2, d2, c3, d3);
}

/// Two fresh key streams side by side: each alone waits for its own loads most of the time.
fn apply_two(a: &mut Rc4, data_a: &mut [u8], b: &mut Rc4, data_b: &mut [u8]) {
    let common = data_a.len().min(data_b.len()) / WORD * WORD;
    let (both_a, rest_a) = data_a.split_at_mut(common);
    let (both_b, rest_b) = data_b.split_at_mut(common);
    let (mut i, mut j_a, mut j_b) = (0u8, 0u8, 0u8);
    for (word_a, word_b) in both_a
        .chunks_exact_mut(WORD)
        .zip(both_b.chunks_exact_mut(WORD))
    {
        let (mut stream_a, mut stream_b) = (0u64, 0u64);
        for at in 0..WORD {
            let mut same = i;
            stream_a |= u64::from(step(&mut a.table, &mut same, &mut j_a)) << (8 * at);
            stream_b |= u64::from(step(&mut b.table, &mut i, &mut j_b)) << (8 * at);
        }
        combine(word_a, stream_a);
        combine(word_b, stream_b);
    }
    (a.i, a.j, b.i, b.j) = (i, j_a, i, j_b);
    a.apply(rest_a);
    b.apply(rest_b);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(key: &[u8], length: usize) -> Vec<u8> {
        let mut data = vec![0; length];
        Rc4::new(key).apply(&mut data);
        data
    }

    /// RFC 6229 section 2: offsets 0 and 16 of the key stream.
    #[test]
    fn vectors_of_rfc_6229() {
        let expected40 = [
            0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27, 0xcc, 0xc3, 0x52, 0x4a, 0x0a, 0x11,
            0x18, 0xa8,
        ];
        assert_eq!(stream(&[1, 2, 3, 4, 5], 16), expected40);
        let key: Vec<u8> = (1..=16).collect();
        let expected128 = [
            0x9a, 0xc7, 0xcc, 0x9a, 0x60, 0x9d, 0x1e, 0xf7, 0xb2, 0x93, 0x28, 0x99, 0xcd, 0xe4,
            0x1b, 0x97,
        ];
        assert_eq!(stream(&key, 16), expected128);
    }

    #[test]
    fn in_pieces_as_in_one() {
        let whole = stream(b"Key of some sort", 600);
        let mut cipher = Rc4::new(b"Key of some sort");
        let mut pieces = vec![0; 600];
        for piece in pieces.chunks_mut(7) {
            cipher.apply(piece);
        }
        assert_eq!(pieces, whole);
    }

    #[test]
    fn four_at_a_time_as_one_by_one() {
        let keys: Vec<Key> = (0..4u8)
            .map(|n| core::array::from_fn(|at| at as u8 * 7 + n))
            .collect();
        let mut buffers: Vec<Vec<u8>> = [1400, 3, 0, 999]
            .iter()
            .map(|&length| vec![0; length])
            .collect();
        let [a, b, c, d] = &mut buffers[..] else {
            unreachable!()
        };
        apply_four([&keys[0], &keys[1], &keys[2], &keys[3]], [a, b, c, d]);
        for (key, buffer) in keys.iter().zip(&buffers) {
            assert_eq!(*buffer, stream(key, buffer.len()));
        }
    }

    #[test]
    fn a_short_key_repeated_is_the_same_key() {
        let short = [9, 8, 7, 6, 5, 4, 3, 2];
        let long: Vec<u8> = short.iter().chain(&short).copied().collect();
        assert_eq!(stream(&short, 64), stream(&long, 64));
    }
}
