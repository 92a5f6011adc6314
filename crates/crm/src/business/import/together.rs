//! What several rows about one customer say together.

use super::cells::name::PersonName;
use super::facts::{Colleague, Facts};
use crate::values::fold;

/// What rows of one customer say together. Where they differ, the first row decides, and what the others say is kept.
pub(super) fn together(rows: Vec<Facts>) -> Facts {
    let mut rows = rows.into_iter();
    let mut all = rows.next().unwrap_or_default();
    for mut row in rows {
        all.take_person(&mut row);
        let texts = [
            ("Company", &mut all.company, row.company),
            ("Job title", &mut all.job_title, row.job_title),
            ("Source", &mut all.source, row.source),
            ("Id", &mut all.external_id, row.external_id),
        ];
        let mut differing = Vec::new();
        for (column, own, other) in texts {
            if own.is_empty() {
                *own = other;
            } else if !other.is_empty() && !own.eq_ignore_ascii_case(&other) {
                differing.push((column, other));
            }
        }
        for (column, other) in differing {
            all.keep(column, &other);
        }
        all.without_state += row.without_state;
        all.is_company |= row.is_company;
        all.marks.is_vip |= row.marks.is_vip;
        all.marks.do_not_contact |= row.marks.do_not_contact;
        all.marks.is_archived &= row.marks.is_archived;
        add(&mut all.phones, row.phones, |one, other| one.phone.e164() == other.phone.e164());
        add(&mut all.emails, row.emails, |one, other| one.eq_ignore_ascii_case(other));
        add(&mut all.places, row.places, |one, other| one.address == other.address);
        add(&mut all.tags, row.tags, |one, other| one.eq_ignore_ascii_case(other));
        add(&mut all.notes, row.notes, |one, other| one == other);
        add(&mut all.kept, row.kept, |one, other| one == other);
    }
    all
}

impl Facts {
    /// Takes over who another row names. A further person at a company is a contact with the phones and addresses of
    /// that row.
    fn take_person(&mut self, row: &mut Self) {
        for person in [row.person.take(), row.second.take()].into_iter().flatten() {
            let known = [&self.person, &self.second].into_iter().flatten();
            let folded = |name: &PersonName| fold::caseless(&name.joined());
            if known.into_iter().any(|known| folded(known) == folded(&person)) {
                continue;
            }
            if self.person.is_none() {
                self.person = Some(person);
            } else if self.is_company {
                let phones = row.phones.drain(..);
                let phones = phones.filter(|it| {
                    !self.phones.iter().any(|own| own.phone.e164() == it.phone.e164())
                });
                let phones = phones.collect();
                let emails = row.emails.drain(..);
                let emails =
                    emails.filter(|it| !self.emails.iter().any(|own| own.eq_ignore_ascii_case(it)));
                let (emails, job_title) = (emails.collect(), std::mem::take(&mut row.job_title));
                self.colleagues.push(Colleague { name: person, job_title, phones, emails });
            } else {
                self.keep("Name", &person.joined());
            }
        }
    }
}

fn add<T>(own: &mut Vec<T>, others: Vec<T>, is_same: impl Fn(&T, &T) -> bool) {
    for other in others {
        if !own.iter().any(|known| is_same(known, &other)) {
            own.push(other);
        }
    }
}
