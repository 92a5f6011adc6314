//! A file as each of the usual systems writes it, and the customers that become of it.

use std::fmt::Write as _;

use super::super::Draft;
use super::{sample, source};
use crate::business::customers::contacts::PrimaryContactInput;
use crate::business::customers::locations::LocationInput;

/// A text with all that a file becomes.
fn shown(name: &str) -> String {
    let source = source(name, &sample(name));
    let mut text = String::new();
    let unused = source.columns().filter(|(name, meaning)| meaning.is_none() && !name.is_empty());
    let unused: Vec<_> = unused.map(|(name, _)| name).collect();
    writeln!(text, "not imported: {}", unused.join(", ")).expect("a line");
    for at in 0..source.customers() {
        match source.draft(at) {
            Ok(draft) => write!(text, "{}", described(&draft)).expect("a line"),
            Err(unusable) => {
                writeln!(text, "{:?}: {}", unusable.lines, unusable.why).expect("a line");
            }
        }
    }
    text
}

/// A customer with all its parts, one in each line.
fn described(draft: &Draft) -> String {
    let input = &draft.customer;
    let text = |part: Option<&str>| part.unwrap_or("-").to_owned();
    let name =
        [input.first_name.as_ref().map(|it| &*it.0), input.last_name.as_ref().map(|it| &*it.0)];
    let mut lines = vec![format!(
        "{:?} {} {}{}{}{}",
        draft.lines,
        input.customer_type.word(),
        input.company_name.as_ref().map_or_else(|| name.map(text).join("|"), |it| it.0.clone()),
        if input.is_vip == Some(true) { " vip" } else { "" },
        if input.do_not_contact == Some(true) { " do-not-contact" } else { "" },
        if draft.is_archived { " archived" } else { "" },
    )];
    let person = |it: &PrimaryContactInput| {
        let phone = it.phone.as_ref().map(|it| it.0.e164());
        let email = it.email.as_ref().map(|it| &*it.0);
        let title = it.title.as_ref().map(|it| &*it.0);
        let rest = [title, phone, email].map(text).join(" ");
        format!("  contact {}|{} {rest}", it.first_name.0, it.last_name.0)
    };
    let location = |it: &LocationInput| {
        let kind = it.location_type.map_or("-", |it| it.word());
        let label = it.label.as_ref().map(|it| &*it.0);
        let unit = it.address_line2.as_ref().map(|it| &*it.0);
        let notes = it.service_notes.as_ref().map(|it| &*it.0);
        format!(
            "  {kind} {}: {} / {}, {}, {} {} ({})",
            text(label),
            it.address_line1.0,
            text(unit),
            it.city.0,
            it.state.0,
            it.postal_code.0,
            text(notes),
        )
    };
    let phone = input.phone.as_ref().map(|it| it.0.e164());
    let email = input.email.as_ref().map(|it| &*it.0);
    let others =
        [input.source.as_ref().map(|it| &*it.0), input.external_id.as_ref().map(|it| &*it.0)];
    lines.push(format!(
        "  {} {} source {} id {}",
        text(phone),
        text(email),
        text(others[0]),
        text(others[1])
    ));
    lines.extend(input.primary_contact.iter().chain(&draft.contacts).map(person));
    lines.extend(input.location.iter().chain(&draft.locations).map(location));
    lines.extend(
        Some(format!("  tags {}", draft.shown.tags.join(", ")))
            .filter(|_| !draft.shown.tags.is_empty()),
    );
    lines.extend(draft.notes.iter().map(|note| format!("  note {note:?}")));
    lines.extend(draft.shown.said.iter().map(|said| format!("  said {said:?}")));
    lines.join("\n") + "\n"
}

macro_rules! samples {
    ($($test:ident: $file:literal;)*) => { $(
        #[test]
        fn $test() {
            insta::assert_snapshot!(shown($file));
        }
    )* };
}

samples! {
    jobber: "jobber.csv";
    housecall_pro: "housecall_pro.csv";
    servicetitan: "servicetitan.xlsx";
    quickbooks_online: "quickbooks_online.xlsx";
    quickbooks_online_contact_list: "quickbooks_online_contact_list.csv";
    quickbooks_desktop: "quickbooks_desktop.csv";
    square: "square.csv";
    hubspot: "hubspot.csv";
    google_contacts: "google_contacts.csv";
    google_contacts_old: "google_contacts_old.csv";
    google_contacts_old_utf16: "google_contacts_old_utf16.csv";
    outlook: "outlook.csv";
    outlook_com: "outlook_com.csv";
    icloud: "icloud.vcf";
    vcard_4: "v4.vcf";
    spreadsheet: "spreadsheet.csv";
}
