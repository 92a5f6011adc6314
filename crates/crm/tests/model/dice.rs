//! Decisions of one operation, all made from one number: what an operation does depends on nothing
//! but its seed and the state it meets, so dropping operations before it leaves it much the same.

/// A source of repeatable decisions.
pub(super) struct Dice {
    state: u64,
    /// How much more than the least an operation does. Shrinking lowers it, so that a failing
    /// operation loses the fields that do not matter.
    richness: u8,
}

impl Dice {
    pub(super) const fn new(seed: u64, richness: u8) -> Self {
        Self { state: seed, richness }
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        // SplitMix64: short, and good enough to choose between a few things.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).expect("it is below a usize")
    }

    /// True once in `times`, and less often for a plain operation.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        let hit = self.roll(times) == 0;
        // Most operations are as rich as can be, and shrinking passes through all the others.
        let rich = self.roll(64) < usize::from(self.richness);
        hit && rich
    }

    /// One of these.
    pub(super) fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }
}
