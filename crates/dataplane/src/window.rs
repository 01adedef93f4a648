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
    /// Too far from the highest, behind or ahead, to be believed on its own.
    Stray,
}

/// How many numbers below the highest one the window remembers.
pub const MEMORY: u32 = 128;
/// How far ahead of the highest a number may be: no loss that a session survives is longer, and a forger who does not
/// know the numbers has one chance in half a million to come so near.
pub const REACH: u32 = 8192;
/// As many strays in a row, each the successor of the one before, mean that the peer went on from there.
const RESTART_AFTER: u8 = 16;

/// Receive window of one call.
#[derive(Clone, Debug, Default)]
pub struct Window {
    highest: Option<u32>,
    seen: u128,
    stray_last: u32,
    stray_run: u8,
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
        if ahead != 0 && ahead <= REACH {
            return self.advance(sequence, ahead);
        }
        let back = highest.wrapping_sub(sequence);
        if back >= MEMORY {
            return self.stray(sequence);
        }
        self.stray_run = 0;
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
        self.stray_run = 0;
        if ahead == 1 {
            Verdict::Next
        } else {
            Verdict::Ahead(ahead - 1)
        }
    }

    /// A forged number must move nothing, and a peer that starts over, or that was cut off for long, must not be lost:
    /// a steady run of strays is taken up as the new truth.
    fn stray(&mut self, sequence: u32) -> Verdict {
        let follows = self.stray_run > 0 && sequence == self.stray_last.wrapping_add(1);
        self.stray_run = if follows { self.stray_run + 1 } else { 1 };
        self.stray_last = sequence;
        if self.stray_run < RESTART_AFTER {
            return Verdict::Stray;
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
            run(&[u32::MAX - 1, u32::MAX, 0, 2, 1, u32::MAX, 2 + REACH]),
            [
                Next,
                Next,
                Next,
                Ahead(1),
                Late,
                Duplicate,
                Ahead(REACH - 1)
            ]
        );
    }

    #[test]
    fn edges_of_the_memory() {
        let mut window = Window::new();
        window.accept(0);
        assert_eq!(window.accept(128), Verdict::Ahead(127));
        assert_eq!(window.accept(0), Verdict::Stray);
        assert_eq!(window.accept(1), Verdict::Late);
        assert_eq!(window.accept(1), Verdict::Duplicate);
        assert_eq!(window.accept(128 + 200), Verdict::Ahead(199));
        assert_eq!(window.accept(201), Verdict::Late);
        assert_eq!(window.accept(200), Verdict::Stray);
    }

    #[test]
    fn a_number_far_ahead_moves_nothing() {
        let mut window = Window::new();
        window.accept(10);
        for number in [11 + REACH, 2_000_000_000, u32::MAX - MEMORY] {
            assert_eq!(window.accept(number), Verdict::Stray);
        }
        assert_eq!(window.accept(11), Verdict::Next);
        for number in 1_000_000..1_000_015 {
            assert_eq!(window.accept(number), Verdict::Stray);
        }
        assert_eq!(window.accept(1_000_015), Verdict::Next);
        assert_eq!(window.accept(1_000_016), Verdict::Next);
    }

    #[test]
    fn a_peer_may_start_over() {
        let mut window = Window::new();
        window.accept(5_000_000);
        for number in 0..15 {
            assert_eq!(window.accept(number), Verdict::Stray);
        }
        assert_eq!(window.accept(15), Verdict::Next);
        assert_eq!(window.accept(16), Verdict::Next);
    }

    #[test]
    fn scattered_old_numbers_do_not_start_over() {
        let mut window = Window::new();
        window.accept(5_000_000);
        for number in 0..1000 {
            assert_eq!(window.accept(number * 2), Verdict::Stray);
        }
        assert_eq!(window.highest(), Some(5_000_000));
    }
}
