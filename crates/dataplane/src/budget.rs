//! How much of one direction of a call may pass: a token bucket, kept by the one thread of that direction.

const SECOND: u64 = 1_000_000_000;
/// What may come at once: a quarter of a second's worth, and always two large packets.
const DEPTH: u64 = SECOND / 4;
const LARGE: u64 = 2 * 1500;

/// A rate, and how much of it is saved up.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Bits a second.
    rate: u64,
    /// Nanoseconds that may be saved up, and that are.
    depth: u64,
    credit: u64,
    at: u64,
}

impl Budget {
    /// A full one; nothing when there is no limit.
    #[must_use]
    pub fn new(bits_per_second: u64, now: u64) -> Option<Self> {
        let depth = DEPTH.max(cost(LARGE, bits_per_second)?);
        Some(Self {
            rate: bits_per_second,
            depth,
            credit: depth,
            at: now,
        })
    }

    /// Whether so many octets may pass now; then they are paid for.
    pub fn take(&mut self, octets: usize, now: u64) -> bool {
        self.credit = self
            .depth
            .min(self.credit.saturating_add(now.saturating_sub(self.at)));
        self.at = self.at.max(now);
        match cost(octets as u64, self.rate) {
            Some(cost) if cost <= self.credit => {
                self.credit -= cost;
                true
            }
            _ => false,
        }
    }
}

/// The nanoseconds that octets take at a rate.
fn cost(octets: u64, rate: u64) -> Option<u64> {
    let bits = u128::from(octets) * 8 * u128::from(SECOND);
    u64::try_from(bits.checked_div(u128::from(rate))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(budget: &mut Budget, packets: u64, every: u64) -> u64 {
        (0..packets)
            .filter(|number| budget.take(1000, number * every))
            .count() as u64
    }

    #[test]
    fn in_the_long_run_the_rate_passes() {
        // 16 Mbit/s offered, 8 allowed: a thousand packets of 1000 octets a second, and what is saved up at first
        let mut budget = Budget::new(8_000_000, 0).unwrap();
        let passed = passed(&mut budget, 20_000, SECOND / 2000);
        assert!((10_249..=10_251).contains(&passed), "{passed}");
    }

    #[test]
    fn what_is_slower_passes_whole() {
        let mut budget = Budget::new(8_000_000, 0).unwrap();
        assert_eq!(passed(&mut budget, 5000, SECOND / 900), 5000);
    }

    #[test]
    fn a_crawl_still_lets_a_packet_through() {
        let mut budget = Budget::new(8000, 0).unwrap();
        assert!(budget.take(1500, 0));
        assert!(budget.take(1500, 0));
        assert!(!budget.take(1500, 0));
        assert!(!budget.take(1500, SECOND));
        assert!(budget.take(1500, 2 * SECOND));
    }

    #[test]
    fn no_rate_is_no_limit_and_clocks_may_stand_still() {
        assert!(Budget::new(0, 0).is_none());
        let mut budget = Budget::new(u64::MAX, 5).unwrap();
        assert!(budget.take(0xffff, 0));
    }
}
