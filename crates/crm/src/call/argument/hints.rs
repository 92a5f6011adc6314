//! What the error about an unknown field suggests. Each group declares the other names under which callers send its
//! fields ([`Hint`]). A field with a similar spelling is suggested only if it is very similar.

/// Other names for something, and what to use instead.
#[derive(Debug, Clone, Copy)]
pub struct Hint {
    names: &'static [&'static str],
    instead: &'static [Instead],
}

/// What to use instead of an unknown field.
#[derive(Debug, Clone, Copy)]
pub enum Instead {
    /// All these fields, if the tool has them. `location.city` is the field `city` of the object `location`.
    Fields(&'static [&'static str]),
    /// One of these fields, if the tool has them.
    OneOf(&'static [&'static str]),
    /// Something else, for any tool: the end of a sentence.
    Advice(&'static str),
}

impl Hint {
    /// `names` are other names, in any case and with or without underscores. The first of `instead` that applies to
    /// the tool is suggested.
    pub const fn new(names: &'static [&'static str], instead: &'static [Instead]) -> Self {
        Self { names, instead }
    }

    /// The other names.
    #[cfg(test)]
    pub(crate) const fn names(&self) -> &'static [&'static str] {
        self.names
    }

    /// The suggestions, in order.
    #[cfg(test)]
    pub(crate) const fn instead(&self) -> &'static [Instead] {
        self.instead
    }

    /// The suggestion for a tool with the fields `known`.
    fn suggestion(&self, known: &[&'static str]) -> Option<String> {
        let is_known = |field: &&str| known.contains(&field.split('.').next().unwrap_or(field));
        let use_all = |fields: &[&str], and: &str| {
            fields.iter().all(is_known).then(|| format!("use {}", fields.join(and)))
        };
        self.instead.iter().find_map(|instead| match instead {
            Instead::Fields(fields) => use_all(fields, " and "),
            Instead::OneOf(fields) => use_all(fields, " or "),
            Instead::Advice(advice) => Some((*advice).to_owned()),
        })
    }
}

/// What to use instead of the unknown field `name`: the end of a sentence, or `None` if nothing is close.
pub(super) fn suggest(name: &str, known: &[&'static str], hints: &[Hint]) -> Option<String> {
    if let Some(same) = known.iter().find(|known| is_same_name(name, known)) {
        return Some(format!("use {same}"));
    }
    let is_meant = |hint: &&Hint| hint.names.iter().any(|other| is_same_name(name, other));
    let hinted = hints.iter().filter(is_meant).find_map(|hint| hint.suggestion(known));
    hinted.or_else(|| nearest(name, known).map(|nearest| format!("the nearest one is {nearest}")))
}

/// Whether two names differ only in case, underscores, hyphens and spaces: `phoneNumber` and `phone_number`.
fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name: &'_ str| -> Vec<char> {
        let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-' | ' '));
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

/// The known field with the most similar spelling, if it is similar enough to be meant.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let is_near = |(distance, known): &(usize, &str)| {
        let max_typos = match name.chars().count().min(known.len()) {
            0..3 => 0,
            3..8 => 1,
            8..12 => 2,
            _ => 3,
        };
        *distance <= max_typos
    };
    let distances = known.iter().map(|known| (strsim::osa_distance(name, known), *known));
    distances.filter(is_near).min().map(|(_, nearest)| nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HINTS: &[Hint] = &[
        Hint::new(
            &["name"],
            &[Instead::Fields(&["q"]), Instead::OneOf(&["first_name", "company"])],
        ),
        Hint::new(&["zip", "postcode"], &[Instead::Fields(&["location.postal_code"])]),
        Hint::new(&["note"], &[Instead::Advice("use notes.create")]),
    ];
    const KNOWN: &[&str] = &["id", "first_name", "company", "location", "phone", "email", "tags"];

    #[test]
    fn another_name_is_answered_with_the_right_one() {
        for (name, expected) in [
            ("firstName", "use first_name"),
            ("FIRST-NAME", "use first_name"),
            ("name", "use first_name or company"),
            ("ZipCode", ""),
            ("zip", "use location.postal_code"),
            ("postCode", "use location.postal_code"),
            ("note", "use notes.create"),
            ("emial", "the nearest one is email"),
            ("frist_nmae", "the nearest one is first_name"),
            ("tag", "the nearest one is tags"),
        ] {
            assert_eq!(suggest(name, KNOWN, HINTS).unwrap_or_default(), expected, "{name}");
        }
        assert_eq!(suggest("name", &["q"], HINTS).as_deref(), Some("use q"));
    }

    #[test]
    fn a_spelling_that_is_not_similar_is_not_suggested() {
        for name in ["x", "it", "ip", "nickname", "status", "last_name", "photo_url", "telephone"] {
            assert_eq!(suggest(name, KNOWN, &[]), None, "{name}");
        }
        assert_eq!(suggest("customer_type", &["customer_number"], &[]), None);
    }
}
