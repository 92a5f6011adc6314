//! Nicknames of given names, from a table that people made. `data/README.md` says where it comes from.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Lines of a given name, a tab, and its nicknames separated by spaces.
const TABLE: &str = include_str!("../../../../data/nicknames.tsv");

static NICKNAMES: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut names: HashMap<_, Vec<_>> = HashMap::new();
    for (name, nickname) in pairs() {
        for (one, other) in [(name, nickname), (nickname, name)] {
            let others = names.entry(one).or_default();
            if !others.contains(&other) {
                others.push(other);
            }
        }
    }
    names
});

/// The nicknames of a folded given name, and the given names that have this nickname.
pub(in crate::business::customers) fn of(name: &str) -> impl Iterator<Item = &'static str> {
    NICKNAMES.get(name).into_iter().flatten().copied()
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = TABLE.lines().filter_map(|line| line.split_once('\t'));
    lines.flat_map(|(name, nicknames)| nicknames.split(' ').map(move |nickname| (name, nickname)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_folded_names_and_bounded_families() {
        assert!((400..1_200).contains(&pairs().count()), "{}", pairs().count());
        for (name, nickname) in pairs() {
            for name in [name, nickname] {
                assert!(name.len() > 1 && name.bytes().all(|it| it.is_ascii_lowercase()), "{name}");
            }
            assert_ne!(name, nickname);
        }
        // Each of them is a token that a search looks up.
        assert!(NICKNAMES.values().all(|names| names.len() <= 24));
    }
}
