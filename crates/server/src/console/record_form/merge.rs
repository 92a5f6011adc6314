//! What to do about a record that somebody else changed while a form was open.
//!
//! The form carries a digest of each value that it began with. So it is known which fields its user changed, and which
//! were changed in between, without sending every text twice.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::declaration::{Declaration, Placed, Usage};
use super::values::{Values, normal};

/// The digests of the values that a form began with, as the form carries them.
pub(super) fn digests(declaration: &Declaration, values: &Values) -> String {
    let digests = declaration.placed(Usage::Edit).into_iter().map(|placed| {
        let digest = digest(&placed, values.get(&placed.path));
        format!("{}:{digest}", placed.path)
    });
    digests.collect::<Vec<_>>().join(" ")
}

/// Long enough that no two values of a field have the same by chance.
fn digest(placed: &Placed, value: &str) -> String {
    let hash = Sha256::digest(normal(placed, value));
    hash.iter().take(8).fold(String::new(), |mut digest, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}

/// What a form asks for, compared with the record as it is now.
pub(super) struct Merge {
    /// The values to show or to save: what was typed, and otherwise what is stored.
    pub(super) values: Values,
    /// The fields that differ from the record.
    pub(super) changed: Vec<Placed>,
    /// The names of the fields that somebody else changed to something else than what was typed.
    pub(super) news: Vec<String>,
}

impl Merge {
    /// `seen` are the digests that the form carries.
    pub(super) fn of(
        declaration: &Declaration,
        seen: &str,
        typed: &Values,
        stored: &Values,
    ) -> Self {
        let mut merge = Self { values: stored.clone(), changed: Vec::new(), news: Vec::new() };
        for placed in declaration.placed(Usage::Edit) {
            let (mine, theirs) = (typed.get(&placed.path), stored.get(&placed.path));
            if !placed.is_for(stored) || normal(&placed, mine) == normal(&placed, theirs) {
                continue;
            }
            let seen = seen.split(' ').filter_map(|pair| pair.split_once(':'));
            let seen = seen.into_iter().find(|(path, _)| *path == placed.path);
            let is_seen = |value: &str| seen.is_some_and(|(_, it)| it == digest(&placed, value));
            if !is_seen(theirs) {
                merge.news.push(placed.path.clone());
            }
            if !is_seen(mine) {
                merge.values.set(&placed.path, mine);
                merge.changed.push(placed);
            }
        }
        let is_together = |it: &Placed| declaration.together.contains(&it.field.name);
        if merge.changed.iter().any(is_together) {
            merge.changed.retain(|it| !is_together(it));
            merge.changed.extend(declaration.placed(Usage::Edit).into_iter().filter(is_together));
        }
        merge
    }
}
