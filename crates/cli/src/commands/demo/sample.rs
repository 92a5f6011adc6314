//! Reads the files with the sample data, and makes repeatable choices from them. [`super::business`] builds the
//! business; `data/README.md` says where the files come from.

use zoop_crm::values::clock::Entropy;

/// A real address.
pub(super) struct Address {
    pub(super) street: &'static str,
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) zip: &'static str,
    /// Latitude and longitude, if the source has them.
    pub(super) coordinates: Option<(f64, f64)>,
}

/// An invented person.
#[derive(Clone, Copy)]
pub(super) struct SamplePerson {
    pub(super) first_name: &'static str,
    pub(super) last_name: &'static str,
    pub(super) email_local: &'static str,
}

/// Text and its kind, such as a company's name and its kind of business, or a note and its kind of subject.
#[derive(Clone, Copy)]
pub(super) struct SampleText {
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
}

/// A job, quote, invoice or lawn estimate.
#[derive(Clone, Copy)]
pub(super) struct Work {
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    pub(super) status: &'static str,
}

/// The addresses of the business's own region.
pub(super) fn addresses() -> Vec<Address> {
    rows::<7>(include_str!("../../../data/addresses.tsv"))
        .filter(|[region, ..]| *region == "dc-metro")
        .map(|[_, street, city, state, zip, latitude, longitude]| Address {
            street,
            city,
            state,
            zip,
            coordinates: latitude.parse().ok().zip(longitude.parse().ok()),
        })
        .collect()
}

/// The people.
pub(super) fn people() -> Vec<SamplePerson> {
    rows::<4>(include_str!("../../../data/people.tsv"))
        .map(|[first_name, last_name, _, email_local]| SamplePerson {
            first_name,
            last_name,
            email_local,
        })
        .collect()
}

/// The companies, by kind.
pub(super) fn companies() -> Vec<SampleText> {
    rows::<2>(include_str!("../../../data/companies.tsv")).map(entry).collect()
}

/// The notes, by kind of subject.
pub(super) fn notes() -> Vec<SampleText> {
    with_language(include_str!("../../../data/notes.tsv"))
}

/// The texts of locations, by field.
pub(super) fn location_texts() -> Vec<SampleText> {
    with_language(include_str!("../../../data/access_notes.tsv"))
}

/// The titles of companies' contacts, by role.
pub(super) fn contact_titles() -> Vec<SampleText> {
    rows::<2>(include_str!("../../../data/contact_titles.tsv")).map(entry).collect()
}

/// The labels of locations, by type.
pub(super) fn location_labels() -> Vec<SampleText> {
    rows::<2>(include_str!("../../../data/location_labels.tsv")).map(entry).collect()
}

/// The tags: a name and a color.
pub(super) fn tags() -> Vec<[&'static str; 2]> {
    rows::<2>(include_str!("../../../data/tags.tsv")).collect()
}

/// Where customers come from, each repeated by its weight.
pub(super) fn sources() -> Vec<&'static str> {
    rows::<2>(include_str!("../../../data/sources.tsv"))
        .flat_map(|[source, weight]| std::iter::repeat_n(source, weight.parse().unwrap_or(1)))
        .collect()
}

/// Reasons not to contact a customer.
pub(super) fn do_not_contact() -> Vec<&'static str> {
    rows::<1>(include_str!("../../../data/do_not_contact.tsv")).map(|[reason]| reason).collect()
}

/// The work.
pub(super) fn work() -> Vec<Work> {
    rows::<4>(include_str!("../../../data/jobs.tsv"))
        .map(|[kind, _, title, status]| Work { kind, title, status })
        .collect()
}

fn entry([kind, text]: [&'static str; 2]) -> SampleText {
    SampleText { kind, text }
}

fn with_language(file: &'static str) -> Vec<SampleText> {
    rows::<3>(file).map(|[kind, _, text]| SampleText { kind, text }).collect()
}

/// The lines of a file after the heading, split into `N` cells. Lines with another number of cells are skipped; a
/// test below counts the lines that are used.
fn rows<const N: usize>(file: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    file.lines().skip(1).filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Makes repeatable choices.
pub(super) struct SampleRng(Entropy);

impl SampleRng {
    /// Makes the same choices for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(Entropy::seeded(seed))
    }

    /// A number below `count`, or 0 if `count` is 0.
    pub(super) fn below(&self, count: usize) -> usize {
        let bits = usize::try_from(self.0.bits() >> 96).unwrap_or_default();
        bits.checked_rem(count).unwrap_or_default()
    }

    /// True with this probability, in percent.
    pub(super) fn chance(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A random item; `None` if there are no items.
    pub(super) fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    /// The text of a random entry of this kind.
    pub(super) fn text(&self, from: &[SampleText], kind: &str) -> Option<&'static str> {
        let candidates: Vec<&SampleText> = from.iter().filter(|entry| entry.kind == kind).collect();
        self.pick(&candidates).map(|entry| entry.text)
    }

    /// Shuffles the items.
    pub(super) fn shuffle<T>(&self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_files_is_read() {
        assert_eq!(addresses().len(), 425);
        assert_eq!(addresses().iter().filter(|address| address.coordinates.is_some()).count(), 49);
        assert_eq!(people().len(), 460);
        assert_eq!(companies().len(), 98);
        assert_eq!(notes().len(), 169);
        assert_eq!(location_texts().len(), 60);
        assert_eq!(contact_titles().len(), 30);
        assert_eq!(location_labels().len(), 28);
        assert_eq!(tags().len(), 10);
        assert_eq!(sources().len(), 100);
        assert_eq!(do_not_contact().len(), 8);
        assert_eq!(work().len(), 60);
    }

    #[test]
    fn choices_are_repeatable() {
        let chosen = |seed| {
            let rng = SampleRng::new(seed);
            (0..20).map(|_| rng.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
    }
}
