//! The filters of a list, of which each offers a choice.

/// A filter, with what can be chosen.
pub(super) struct Filter {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) choices: Vec<Choice>,
}

#[derive(Clone)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// The type of a day's box. Browsers leave a date box empty if its value is not a date, and the page must show what was
/// asked for.
pub(super) fn kind_of_day(day: &str) -> &'static str {
    let is_date = day.len() == 10 && day.parse::<jiff::civil::Date>().is_ok();
    if day.is_empty() || is_date { "date" } else { "text" }
}

impl Filter {
    pub(super) fn new(
        name: &'static str,
        label: &'static str,
        everything: &str,
        offered: impl Iterator<Item = (String, String)>,
        chosen: &str,
    ) -> Self {
        let everything = (String::new(), everything.to_owned());
        let mut choices: Vec<_> = std::iter::once(everything)
            .chain(offered)
            .map(|(value, label)| Choice { is_chosen: value == chosen, value, label })
            .collect();
        // The page must not claim to show everything if the address names, for example, a deleted tag.
        if !choices.iter().any(|choice| choice.is_chosen) {
            let label = "Unknown".to_owned();
            choices.push(Choice { value: chosen.to_owned(), label, is_chosen: true });
        }
        Self { name, label, choices }
    }
}
