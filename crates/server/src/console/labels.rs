//! How the history's records, fields, values and events are called. Fields and values are called as in the forms.

use serde_json::Value;

use super::customer_form;
use super::parts::{Contacts, Locations, Part};
use super::record_form::{Declaration, Field, Input};

/// The greatest length of a value within a line, in characters.
const MAX_IN_LINE: usize = 120;

/// A value for a line, and the whole of it if the line shows only its beginning.
pub(super) struct Shown {
    pub(super) line: String,
    pub(super) whole: Option<String>,
}

/// A kind of record with its article. `None` for records that only those who manage the business know.
pub(super) fn kind(record_type: &str) -> Option<&'static str> {
    Some(match record_type {
        "customer" => "the customer",
        "contact" => "the contact",
        "location" => "the location",
        "tag" => "the tag",
        "tax_rate" => "the tax rate",
        "catalog_item" => "the catalog item",
        "job" => "the job",
        "note" => "a note",
        "file" => "the file",
        "subject" => "the record",
        _ => return None,
    })
}

/// The fields that the history has in another form than the forms: the phone as typed, for the phone.
const RENAMED: [(&str, &str); 1] = [("phone_raw", "phone")];
/// The fields that say the same as another one, or nothing to people.
const SILENT: [&str; 14] = [
    "id",
    "merged_from",
    "attachments",
    "customer_id",
    "note_id",
    "phone",
    "rate_decimal",
    "created_at",
    "updated_at",
    "created_by",
    "subject_type",
    "detached",
    "revived",
    "reverted",
];

fn declared(record_type: &str, field: &str) -> Option<&'static Field> {
    let form: &'static Declaration = match record_type {
        "customer" => &customer_form::FORM,
        "contact" => Contacts::FORM,
        "location" => Locations::FORM,
        _ => return None,
    };
    let own = form.groups.iter().filter(|group| group.within.is_none());
    own.flat_map(|group| group.fields).find(|known| known.name == field)
}

fn name_in_form(field: &str) -> &str {
    RENAMED.iter().find(|(stored, _)| *stored == field).map_or(field, |(_, name)| name)
}

/// The label of a field. `None` if a change of it is not worth a line.
pub(super) fn field(record_type: &str, field: &str) -> Option<String> {
    if SILENT.contains(&field) {
        return None;
    }
    let declared = declared(record_type, name_in_form(field));
    if (record_type, field) == ("tax_rate", "rate_percentage") {
        return Some("percentage".to_owned());
    }
    Some(declared.map_or_else(|| field.replace('_', " "), |field| field.label.to_owned()))
}

/// A value as the forms show it. `None` if there is none.
pub(super) fn value(record_type: &str, field: &str, value: &Value) -> Option<Shown> {
    let word = match value {
        Value::Null => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::Bool(is_set) => if *is_set { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(percent) if ["rate_percentage", "discount_percent"].contains(&field) => {
            format!("{percent} %")
        }
        Value::Array(parts) if field == "components" => match parts.len() {
            0 => return None,
            1 => "1 part".to_owned(),
            count => format!("{count} parts"),
        },
        other => other.to_string(),
    };
    let input = declared(record_type, name_in_form(field)).map(|field| field.input);
    if let Some(Input::Choice(choices) | Input::Radio(choices)) = input
        && let Some((_, label)) = choices().into_iter().find(|(known, _)| *known == word)
    {
        return Some(Shown { line: label.to_owned(), whole: None });
    }
    Some(shortened(word))
}

/// A text of the history.
pub(super) fn text(value: &Value) -> Shown {
    shortened(value.as_str().unwrap_or_default().to_owned())
}

fn shortened(text: String) -> Shown {
    let end = text.char_indices().nth(MAX_IN_LINE).map(|(end, _)| end);
    match end {
        None if !text.contains('\n') => Shown { line: text, whole: None },
        end => {
            let beginning = &text[..end.unwrap_or(text.len())];
            let line = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = if end.is_some() { line + "…" } else { line };
            Shown { line, whole: Some(text) }
        }
    }
}

/// The first words of a note, for a line.
pub(super) fn beginning(note: &str) -> String {
    const MAX: usize = 60;
    let words = note.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = words.char_indices().nth(MAX) else { return words };
    let end = words[..end].rfind(' ').unwrap_or(end);
    format!("{}…", words[..end].trim_end_matches(['.', ',', ';', ':']))
}

/// The tools and other events, each with what somebody did, to follow their name.
pub(super) const EVENTS: &[(&str, &str)] = &[
    ("customers.create", "added a customer"),
    ("customers.import", "imported a customer"),
    ("customers.import_archived", "archived an imported customer"),
    ("customers.update", "changed a customer"),
    ("customers.archive", "archived a customer"),
    ("customers.restore", "restored a customer"),
    ("customers.erase", "erased a customer"),
    ("contacts.create", "added a contact"),
    ("contacts.update", "changed a contact"),
    ("contacts.archive", "archived a contact"),
    ("contacts.restore", "restored a contact"),
    ("locations.create", "added a location"),
    ("locations.update", "changed a location"),
    ("locations.archive", "archived a location"),
    ("locations.restore", "restored a location"),
    ("notes.create", "added a note"),
    ("notes.update", "changed a note"),
    ("notes.archive", "archived a note"),
    ("notes.restore", "restored a note"),
    ("notes.add_files", "added files to a note"),
    ("notes.remove_file", "removed a file from a note"),
    ("tags.create", "added a tag"),
    ("tags.update", "changed a tag"),
    ("tags.delete", "deleted a tag"),
    ("tags.attach", "attached a tag"),
    ("tags.detach", "detached a tag"),
    ("tax_rates.create", "added a tax rate"),
    ("tax_rates.update", "changed a tax rate"),
    ("tax_rates.archive", "archived a tax rate"),
    ("tax_rates.restore", "restored a tax rate"),
    ("jobs.create", "added a job"),
    ("jobs.update", "changed a job"),
    ("jobs.cancel", "cancelled a job"),
    ("jobs.restore", "restored a job"),
    ("quotes.create", "added a quote"),
    ("quotes.update", "changed a quote"),
    ("quotes.set_lines", "changed the lines of a quote"),
    ("quotes.archive", "archived a quote"),
    ("quotes.restore", "restored a quote"),
    ("catalog_categories.create", "added a category of the price book"),
    ("catalog_categories.update", "changed a category of the price book"),
    ("catalog_categories.delete", "deleted a category of the price book"),
    ("catalog_items.create", "added a catalog item"),
    ("catalog_items.update", "changed a catalog item"),
    ("catalog_items.archive", "archived a catalog item"),
    ("catalog_items.restore", "restored a catalog item"),
];

/// The events that only those who manage the business see.
pub(super) const EVENTS_OF_ADMINISTRATION: &[(&str, &str)] = &[
    ("sign_in", "signed in"),
    ("sign_in_refused", "failed to sign in"),
    ("sign_out", "signed out"),
    ("session_ended", "ended a session"),
    ("password_set", "set a password"),
    ("password_removed", "removed a password"),
    ("password_link_sent", "was sent a link for a new password"),
    ("second_factor_on", "turned the second factor on"),
    ("second_factor_off", "turned the second factor off"),
    ("recovery_codes_renewed", "made new recovery codes"),
    ("name_changed", "changed their name"),
    ("identity_linked", "connected a company account"),
    ("email_changed", "changed their e-mail address"),
    ("membership_confirmed", "joined the team"),
    ("consent", "connected a program"),
    ("consent_refused", "refused to connect a program"),
    ("grant_revoked", "disconnected a program"),
    ("token_revoked", "ended a program's access"),
    ("token_replayed", "used a replaced token, so the program was disconnected"),
    ("grants.revoke", "disconnected a program"),
    ("keys.create", "created an API key"),
    ("keys.rotate", "replaced an API key"),
    ("keys.revoke", "revoked an API key"),
    ("invitations.create", "invited somebody"),
    ("invitations.revoke", "revoked an invitation"),
    ("invitation_accepted", "accepted an invitation"),
    ("users.create", "added a person"),
    ("users.set_role", "changed a person's role"),
    ("users.remove", "removed a person"),
    ("users.password_link", "made a link for a new password"),
    ("tenants.create", "created the business"),
    ("tenants.update", "changed the settings"),
    ("account.export", "exported everything"),
];

/// The same events about something or somebody whose name follows.
const EVENTS_ABOUT: &[(&str, &str)] = &[
    ("sign_in_refused", "failed to sign in as"),
    ("consent", "connected the program"),
    ("consent_refused", "refused to connect the program"),
    ("keys.create", "created the API key"),
    ("keys.rotate", "replaced the API key"),
    ("keys.revoke", "revoked the API key"),
    ("invitations.create", "invited"),
    ("invitations.revoke", "revoked the invitation of"),
    ("users.create", "added"),
    ("users.set_role", "changed the role of"),
    ("users.remove", "removed"),
    ("users.password_link", "made a link for a new password for"),
];

/// What somebody did to somebody or something whose name follows, for the events that are told with a name.
pub(super) fn event_about(name: &str) -> Option<&'static str> {
    EVENTS_ABOUT.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
}

/// What somebody did, to follow their name. An event without words of its own is called by its name.
pub(super) fn event(name: &str) -> String {
    let mut known = EVENTS.iter().chain(EVENTS_OF_ADMINISTRATION);
    let words = known.find(|(known, _)| *known == name).map(|(_, words)| *words);
    words.map_or_else(|| format!("did {}", name.replace(['_', '.'], " ")), str::to_owned)
}
