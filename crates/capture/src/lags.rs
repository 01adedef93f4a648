//! How long acknowledgements took, counted in steps that grow with the time: any number of them in the same memory.

/// Times in steps of an eighth of an octave of microseconds; empty when nothing was measured.
#[derive(Debug, Clone, Default)]
pub struct Lags {
    steps: Vec<u32>,
    /// The largest in nanoseconds.
    pub most_ns: i64,
}

impl Lags {
    /// Count one.
    pub(crate) fn add(&mut self, lag_ns: i64) {
        if self.steps.is_empty() {
            self.steps = vec![0; LAG_STEPS];
        }
        let step = lag_step(lag_ns);
        self.steps[step] = self.steps[step].saturating_add(1);
        self.most_ns = self.most_ns.max(lag_ns);
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
}

const LAG_STEPS: usize = 256;

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
            lags.add(milliseconds * 1_000_000);
        }
        assert_eq!((lags.count(), lags.most_ns), (100, 100_000_000));
        let median = lags.quantile(0.5).unwrap();
        assert!((45_000_000..=55_000_000).contains(&median), "{median}");
        assert!(lags.quantile(1.0).unwrap() <= 100_000_000);
    }

    #[test]
    fn nothing_is_too_long_or_too_short() {
        let mut lags = Lags::default();
        for lag in [i64::MIN, -1, 0, i64::MAX] {
            lags.add(lag);
        }
        assert_eq!(lags.count(), 4);
    }
}
