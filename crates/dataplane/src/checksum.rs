//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).

/// Sum of 16-bit words, not yet folded. Only the last of several summed pieces may have an odd length.
#[must_use]
pub fn sum(data: &[u8], initial: u64) -> u64 {
    let mut lanes = [initial, 0, 0, 0];
    let mut blocks = data.chunks_exact(16);
    for block in &mut blocks {
        for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(4)) {
            *lane += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        }
    }
    let mut words = blocks.remainder().chunks_exact(2);
    for word in &mut words {
        lanes[0] += u64::from(u16::from_ne_bytes([word[0], word[1]]));
    }
    if let [last] = words.remainder() {
        lanes[0] += u64::from(u16::from_ne_bytes([*last, 0]));
    }
    lanes.iter().sum()
}

/// The checksum of a sum, as two octets in the order of the wire. Zero when the data summed held a right checksum.
#[must_use]
pub fn finish(sum: u64) -> [u8; 2] {
    let mut sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    (!(sum as u16)).to_ne_bytes()
}

/// Sum of the pseudo-header: `addresses` are source and destination as they stand in the IP header.
#[must_use]
pub fn pseudo_header(addresses: &[u8], protocol: u8, length: usize) -> u64 {
    let length = (length as u32).to_be_bytes();
    let tail = [
        length[0], length[1], length[2], length[3], 0, 0, 0, protocol,
    ];
    sum(&tail, sum(addresses, 0))
}

/// Correct the checksum at `at` for a 16-bit field that changed from `old` to `new`.
pub fn update(packet: &mut [u8], at: usize, old: [u8; 2], new: [u8; 2]) {
    let word = |octets: [u8; 2]| u64::from(u16::from_ne_bytes(octets));
    let checksum = [packet[at], packet[at + 1]];
    let sum = (0xffff - word(checksum)) + (0xffff - word(old)) + word(new);
    packet[at..at + 2].copy_from_slice(&finish(sum));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_rfc_1071() {
        // Section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2.
        assert_eq!(
            finish(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0)),
            [!0xdd, !0xf2]
        );
    }

    #[test]
    fn any_length_as_word_by_word() {
        let data: Vec<u8> = (0..1500u32).map(|at| (at * 7 + at / 256) as u8).collect();
        for length in (0..80).chain([1399, 1400, 1500]) {
            let plain = data[..length].chunks(2).fold(0u64, |sum, pair| {
                sum + u64::from(u16::from_be_bytes([
                    pair[0],
                    pair.get(1).copied().unwrap_or(0),
                ]))
            });
            let folded = (plain % 0xffff) as u16;
            let got = u16::from_be_bytes(finish(sum(&data[..length], 0)));
            assert_eq!((!got) % 0xffff, folded, "length {length}");
        }
    }

    #[test]
    fn update_as_computing_anew() {
        for new in [0u16, 1, 1360, 0x8000, 0xffff] {
            let mut packet: Vec<u8> = (0..40).collect();
            packet[16..18].fill(0);
            let checksum = finish(sum(&packet, 0));
            packet[16..18].copy_from_slice(&checksum);
            let old = [packet[20], packet[21]];
            packet[20..22].copy_from_slice(&new.to_be_bytes());
            update(&mut packet, 16, old, new.to_be_bytes());
            assert_eq!(finish(sum(&packet, 0)), [0, 0]);
        }
    }
}
