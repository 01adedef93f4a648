//! Counts over time in a bounded number of steps that grow as the capture does.

const FIRST_STEP_NS: i64 = 100_000_000;

/// One stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Packets in it.
    pub packets: u32,
    /// Octets of IP in it.
    pub octets: u64,
    /// Sequence numbers that were missed in it.
    pub missing: u32,
}

/// Packets over time.
#[derive(Debug, Clone)]
pub struct Timeline {
    start_ns: i64,
    step_ns: i64,
    most: usize,
    steps: Vec<Step>,
}

impl Timeline {
    /// Begin at `start_ns`, with `most` steps at any time (at least one).
    pub(crate) fn new(start_ns: i64, most: usize) -> Self {
        Self {
            start_ns,
            step_ns: FIRST_STEP_NS,
            most: most.max(1),
            steps: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, time_ns: i64, octets: u32, missing: u32) {
        let elapsed = time_ns.saturating_sub(self.start_ns).max(0);
        let mut index = (elapsed / self.step_ns) as usize;
        while index >= self.most {
            self.widen();
            index = (elapsed / self.step_ns) as usize;
        }
        if self.steps.len() <= index {
            self.steps.resize(index + 1, Step::default());
        }
        let step = &mut self.steps[index];
        step.packets = step.packets.saturating_add(1);
        step.octets += u64::from(octets);
        step.missing = step.missing.saturating_add(missing);
    }

    fn widen(&mut self) {
        self.step_ns = self.step_ns.saturating_mul(2);
        self.steps = self.steps.chunks(2).map(sum).collect();
    }

    /// When the first step begins, in nanoseconds since the epoch.
    #[must_use]
    pub fn start_ns(&self) -> i64 {
        self.start_ns
    }

    /// How long a step is.
    #[must_use]
    pub fn step_ns(&self) -> i64 {
        self.step_ns
    }

    /// The steps from `start_ns` on.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

fn sum(pair: &[Step]) -> Step {
    pair.iter().fold(Step::default(), |total, step| Step {
        packets: total.packets.saturating_add(step.packets),
        octets: total.octets + step.octets,
        missing: total.missing.saturating_add(step.missing),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_and_nothing_is_lost() {
        let mut line = Timeline::new(1000, 256);
        for second in [
            0i64,
            1,
            100,
            10_000,
            1_000_000,
            -5,
            i64::MAX / 2_000_000_000,
        ] {
            line.add(1000 + second * 1_000_000_000, 100, 1);
        }
        assert!(line.steps().len() <= 256);
        assert_eq!(line.steps().iter().map(|step| step.packets).sum::<u32>(), 7);
        assert_eq!(
            line.steps().iter().map(|step| step.octets).sum::<u64>(),
            700
        );
    }
}
