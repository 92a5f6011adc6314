//! The random decisions of one operation, all derived from one seed. An operation depends only on its seed and the
//! current state, so leaving out earlier operations changes it little.

/// A source of reproducible decisions.
pub(super) struct Rng {
    state: u64,
    /// How much an operation does beyond the minimum. Shrinking lowers it, so that a failing operation
    /// loses irrelevant fields.
    richness: u8,
}

impl Rng {
    pub(super) const fn new(seed: u64, richness: u8) -> Self {
        Self { state: seed, richness }
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64: short, and good enough for small choices.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).expect("a number below a usize")
    }

    /// True in one of `times` cases, and less often at a low richness.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        let hit = self.roll(times) == 0;
        // A richness of 64 or more, three quarters of all values, changes nothing. Shrinking tries lower values.
        let rich = self.roll(64) < usize::from(self.richness);
        hit && rich
    }

    /// A random one of these items.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }
}
