//! How long acknowledgements took, counted in steps that grow with the time: any number of them in the same memory.

/// Times in steps of an eighth of an octave of microseconds; empty when nothing was measured.
///
/// Many programs acknowledge only along with data of their own, others after a while. So the time to an
/// acknowledgement is at most what the way took; what it took at least is the time to the last
/// acknowledgement before, which would have named the packet, had it been there.
#[derive(Debug, Clone, Default)]
pub struct Lags {
    steps: Vec<u32>,
    sure: [u32; SURE_STEPS_MS.len()],
    /// The largest of what the way took at least, in nanoseconds.
    pub sure_most_ns: i64,
}

impl Lags {
    /// Count one: the time to the acknowledgement, and the part of it that the way took for sure.
    pub(crate) fn add(&mut self, lag_ns: i64, sure_ns: i64) {
        if self.steps.is_empty() {
            self.steps = vec![0; LAG_STEPS];
        }
        let step = lag_step(lag_ns);
        self.steps[step] = self.steps[step].saturating_add(1);
        self.sure_most_ns = self.sure_most_ns.max(sure_ns);
        let long = SURE_STEPS_MS
            .iter()
            .rposition(|&edge| sure_ns >= edge * 1_000_000);
        if let Some(step) = long {
            self.sure[step] = self.sure[step].saturating_add(1);
        }
    }

    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.steps.iter().map(|&count| u64::from(count)).sum()
    }

    /// The lag in nanoseconds below which that share (0 to 1) of the measured ones lies, to an eighth of an octave.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let total = self.count();
        let wanted = (share * total as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (step, &count) in self.steps.iter().enumerate() {
            sum += u64::from(count);
            if sum >= wanted && total > 0 {
                return Some((2f64.powf(step as f64 / 8.0) * 1000.0) as i64);
            }
        }
        None
    }

    /// What that share (0 to 1) of the measured ones took at least, in nanoseconds, to an octave; 0 below 125 ms.
    #[must_use]
    pub fn sure(&self, share: f64) -> i64 {
        let wanted = (share * self.count() as f64).ceil().max(1.0) as u64;
        let mut sum = 0;
        for (&edge, &count) in SURE_STEPS_MS.iter().zip(&self.sure).rev() {
            sum += u64::from(count);
            if sum >= wanted {
                return edge * 1_000_000;
            }
        }
        0
    }
}

const LAG_STEPS: usize = 256;
const SURE_STEPS_MS: [i64; 8] = [125, 250, 500, 1000, 2000, 4000, 8000, 16_000];

fn lag_step(lag_ns: i64) -> usize {
    let microseconds = (lag_ns as f64 / 1000.0).max(1.0);
    ((microseconds.log2() * 8.0) as usize).min(LAG_STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_an_eighth_of_an_octave() {
        let mut lags = Lags::default();
        assert_eq!((lags.count(), lags.quantile(0.5)), (0, None));
        for milliseconds in 1..=100 {
            lags.add(milliseconds * 1_000_000, milliseconds * 5_000_000);
        }
        assert_eq!((lags.count(), lags.sure_most_ns), (100, 500_000_000));
        assert_eq!(
            (lags.sure(0.01), lags.sure(0.05), lags.sure(1.0)),
            (500_000_000, 250_000_000, 0)
        );
        let median = lags.quantile(0.5).unwrap();
        assert!((45_000_000..=55_000_000).contains(&median), "{median}");
        assert!(lags.quantile(1.0).unwrap() <= 100_000_000);
    }

    #[test]
    fn nothing_is_too_long_or_too_short() {
        let mut lags = Lags::default();
        for lag in [i64::MIN, -1, 0, i64::MAX] {
            lags.add(lag, lag);
        }
        assert_eq!(lags.count(), 4);
    }
}
