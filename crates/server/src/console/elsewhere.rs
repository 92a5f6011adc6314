//! What somebody else changed while a form of few fields was open. The form carries the values that it began with, so
//! that saving changes only what its user changed, and overwrites nothing that its user has not seen.

use super::problems::{News, Problems};

/// A value of a form, as it began, as it was sent, and as it is stored now.
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) was: &'a str,
    pub(super) typed: &'a str,
    pub(super) stored: &'a str,
    /// Whether two values mean the same.
    pub(super) is_same: fn(&str, &str) -> bool,
}

impl<'a> Field<'a> {
    /// What the user typed, if the user changed the value.
    pub(super) fn change(&self) -> Option<&'a str> {
        (!(self.is_same)(self.typed, self.was)).then_some(self.typed)
    }

    /// The value to show and to save: what the user changed, and otherwise what is stored.
    pub(super) fn merged(&self) -> &'a str {
        self.change().unwrap_or(self.stored)
    }

    /// Whether saving would overwrite what the user has not seen.
    fn is_news(&self) -> bool {
        let seen = |typed| [self.was, typed].iter().any(|it| (self.is_same)(it, self.stored));
        self.change().is_some_and(|typed| !seen(typed))
    }
}

pub(super) fn is_equal(one: &str, other: &str) -> bool {
    one == other
}

pub(super) fn is_equal_ignoring_case(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// What to say before anything is saved, if the form would overwrite what its user has not seen. `written` is how a
/// stored value is shown.
pub(super) fn problems(
    fields: &[Field<'_>],
    written: impl Fn(&Field<'_>) -> String,
) -> Option<Problems> {
    let news = fields.iter().filter(|field| field.is_news());
    let news: Vec<_> =
        news.map(|field| News { field: field.name, stored: written(field) }).collect();
    (!news.is_empty()).then(|| Problems::of_news(news))
}
