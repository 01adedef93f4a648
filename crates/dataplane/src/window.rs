//! The receive window: which sequence numbers came, with 32-bit wrap (RFC 2637 section 4.3).

/// What a sequence number means to the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first packet of the call, or the one after the highest so far.
    Next,
    /// Newer than expected; this many numbers before it are missing so far.
    Ahead(u32),
    /// Older than the highest and not seen before.
    Late,
    /// Seen before.
    Duplicate,
    /// So old that the window does not remember whether it came.
    Stale,
}

/// How many numbers below the highest one the window remembers.
pub const MEMORY: u32 = 128;
/// As many stale packets in a row, each the successor of the one before, mean that the peer started over.
const RESTART_AFTER: u8 = 16;

/// Receive window of one call.
#[derive(Clone, Debug, Default)]
pub struct Window {
    highest: Option<u32>,
    seen: u128,
    stale_last: u32,
    stale_run: u8,
}

impl Window {
    /// A window that takes whatever number comes first (peers start at 0 or at 1).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The highest number so far: what an acknowledgement says.
    #[must_use]
    pub fn highest(&self) -> Option<u32> {
        self.highest
    }

    /// Judge and remember one number.
    pub fn accept(&mut self, sequence: u32) -> Verdict {
        let Some(highest) = self.highest else {
            self.start(sequence);
            return Verdict::Next;
        };
        let ahead = sequence.wrapping_sub(highest);
        if ahead != 0 && ahead < 1 << 31 {
            return self.advance(sequence, ahead);
        }
        let back = highest.wrapping_sub(sequence);
        if back >= MEMORY {
            return self.stale(sequence);
        }
        self.stale_run = 0;
        let bit = 1u128 << back;
        if self.seen & bit != 0 {
            return Verdict::Duplicate;
        }
        self.seen |= bit;
        Verdict::Late
    }

    fn start(&mut self, sequence: u32) {
        *self = Self {
            highest: Some(sequence),
            seen: 1,
            ..Self::default()
        };
    }

    fn advance(&mut self, sequence: u32, ahead: u32) -> Verdict {
        self.seen = if ahead < MEMORY {
            self.seen << ahead | 1
        } else {
            1
        };
        self.highest = Some(sequence);
        self.stale_run = 0;
        if ahead == 1 {
            Verdict::Next
        } else {
            Verdict::Ahead(ahead - 1)
        }
    }

    /// A forged number far ahead, or a peer that starts over, must not end the session: take up a steady run of
    /// old numbers as the new truth.
    fn stale(&mut self, sequence: u32) -> Verdict {
        let follows = self.stale_run > 0 && sequence == self.stale_last.wrapping_add(1);
        self.stale_run = if follows { self.stale_run + 1 } else { 1 };
        self.stale_last = sequence;
        if self.stale_run < RESTART_AFTER {
            return Verdict::Stale;
        }
        self.start(sequence);
        Verdict::Next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(numbers: &[u32]) -> Vec<Verdict> {
        let mut window = Window::new();
        numbers
            .iter()
            .map(|&number| window.accept(number))
            .collect()
    }

    #[test]
    fn order_gaps_and_duplicates() {
        use Verdict::{Ahead, Duplicate, Late, Next};
        assert_eq!(
            run(&[1, 2, 4, 3, 3, 4, 7, 5, 1]),
            [
                Next,
                Next,
                Ahead(1),
                Late,
                Duplicate,
                Duplicate,
                Ahead(2),
                Late,
                Duplicate
            ]
        );
    }

    #[test]
    fn wraps() {
        use Verdict::{Ahead, Duplicate, Late, Next};
        assert_eq!(
            run(&[u32::MAX - 1, u32::MAX, 0, 2, 1, u32::MAX, 0x7fff_ffff]),
            [
                Next,
                Next,
                Next,
                Ahead(1),
                Late,
                Duplicate,
                Ahead(0x7fff_fffc)
            ]
        );
    }

    #[test]
    fn edges_of_the_memory() {
        let mut window = Window::new();
        window.accept(0);
        assert_eq!(window.accept(128), Verdict::Ahead(127));
        assert_eq!(window.accept(0), Verdict::Stale);
        assert_eq!(window.accept(1), Verdict::Late);
        assert_eq!(window.accept(1), Verdict::Duplicate);
        assert_eq!(window.accept(128 + 200), Verdict::Ahead(199));
        assert_eq!(window.accept(201), Verdict::Late);
        assert_eq!(window.accept(200), Verdict::Stale);
    }

    #[test]
    fn a_peer_may_start_over() {
        let mut window = Window::new();
        window.accept(5_000_000);
        for number in 0..15 {
            assert_eq!(window.accept(number), Verdict::Stale);
        }
        assert_eq!(window.accept(15), Verdict::Next);
        assert_eq!(window.accept(16), Verdict::Next);
    }

    #[test]
    fn scattered_old_numbers_do_not_start_over() {
        let mut window = Window::new();
        window.accept(5_000_000);
        for number in 0..1000 {
            assert_eq!(window.accept(number * 2), Verdict::Stale);
        }
        assert_eq!(window.highest(), Some(5_000_000));
    }
}
