//! `columns.csv`: what each column of each file is.

use super::people::SHARED;
use super::writer::Writer;
use super::{data, tables};
use crate::call::error::{Error, Result};

const FILE: &str = "columns.csv";
const COLUMNS: &[&str] = &["File", "Column", "Description"];

/// What the column of one file is, where other files have another column of this name.
const OF_FILE: &[(&str, &str, &str)] = &[
    ("data/business.jsonl", "name", "The business's name."),
    (
        "data/business.jsonl",
        "country",
        "Its country, by the ISO 3166-1 code: that of phone numbers without a country code.",
    ),
    ("data/members.jsonl", "name", "The person's name in the business."),
    ("data/members.jsonl", "email", "The e-mail address by which the person signs in."),
    ("data/members.jsonl", "role", "What the person may do: owner, office or tech."),
    (
        "data/members.jsonl",
        "removed_at",
        "When the person was removed; null for those who are members, also pending ones.",
    ),
    ("data/members.jsonl", "user_id", "The person's id, by which other files name them."),
    (
        "data/api_keys.jsonl",
        "user_id",
        "The person that the key acts for; null if it acts for the business.",
    ),
    ("data/api_keys.jsonl", "name", "The key's name."),
    ("data/connected_programs.jsonl", "user_id", "The person who connected the program."),
    ("data/invitations.jsonl", "name", "The invited person's name."),
    ("data/invitations.jsonl", "email", "The address that the invitation was sent to."),
    ("data/invitations.jsonl", "role", "What the person was invited to do: owner, office or tech."),
    (
        "data/contacts.jsonl",
        "role",
        "What to contact the person about: billing, service, decision_maker or general.",
    ),
    (
        "data/contacts.jsonl",
        "origin",
        "Where the contact's fields come from: own, customer (copied from an individual) or placeholder.",
    ),
    ("data/contacts.jsonl", "title", "The person's job title."),
    ("data/subjects.jsonl", "title", "The title of the invoice or lawn estimate."),
    ("data/subjects.jsonl", "status", "Its status, in the business's own words."),
    ("data/subjects.jsonl", "subject_type", "What it is: invoice or lawn_estimate."),
    (
        "data/customers.jsonl",
        "status",
        "active or inactive. An archived customer keeps the status that it had.",
    ),
    ("data/erasures.jsonl", "id", "The id of the customer that was erased."),
    (
        "data/erasures.jsonl",
        "erased_at",
        "When the last record was erased; null if that was interrupted.",
    ),
    (
        "data/erasures.jsonl",
        "customers",
        "How many customers were erased: it, and those merged into it.",
    ),
    ("data/tags.jsonl", "name", "The tag's name."),
    ("data/tax_rates.jsonl", "name", "The tax rate's name."),
    ("data/catalog_categories.jsonl", "name", "The category's name."),
    ("data/catalog_items.jsonl", "name", "The item's name."),
    ("data/catalog_items.jsonl", "currency", "The ISO 4217 currency of the price and the cost."),
    ("data/quotes.jsonl", "title", "What the work is."),
    ("data/job_assignees.jsonl", "user_id", "A person who works on the job."),
    ("data/jobs.jsonl", "title", "What the job is."),
    ("data/jobs.jsonl", "description", "What is to be done."),
    ("data/jobs.jsonl", "status", "unscheduled, scheduled, done or cancelled."),
    ("data/jobs.jsonl", "currency", "The ISO 4217 currency of its prices."),
    ("data/jobs.jsonl", "total", "What it comes to, without taxes, in the currency's minor units."),
    ("data/quotes.jsonl", "status", "draft, sent, accepted or declined."),
    ("data/quotes.jsonl", "currency", "The ISO 4217 currency of its amounts."),
    (
        "data/files.jsonl",
        "name",
        "The file's name. Its content is in files/, in the folder of its id.",
    ),
    ("data/files.jsonl", "removed_at", "Always null: removed files are not exported."),
    ("data/history_origins.jsonl", "user_id", "The person who acted, if a person did."),
    (
        "data/history_entries.jsonl",
        "changes",
        "What was changed, in the packed form of the program, base 64. tables/changes.csv has it in words.",
    ),
    (
        "data/history_entries.jsonl",
        "origin",
        "The number of the row in data/history_origins.jsonl that says who did it.",
    ),
    ("data/history.jsonl", "changes", "What was changed, as JSON in a text."),
    ("data/imports.jsonl", "user_id", "The person who imported the file."),
    ("data/history.jsonl", "user_id", "The person who acted, if a person did."),
    (
        "tables/contacts.csv",
        "Role",
        "What to contact the person about: billing, service, decision_maker or general.",
    ),
    ("tables/customers.csv", "Name", "The company's name, or the person's first and last name."),
    ("tables/customers.csv", "Type", "individual or company."),
    (
        "tables/locations.csv",
        "Type",
        "What the address is for: service, billing, mailing or other.",
    ),
    ("tables/locations.csv", "Service", "Notes about the work there."),
    ("tables/tags.csv", "Name", "The tag's name."),
    ("tables/tax_rates.csv", "Name", "The tax rate's name."),
    ("tables/catalog_categories.csv", "Name", "The category's name."),
    ("tables/catalog_categories.csv", "Category id", "The category's id."),
    ("tables/catalog_items.csv", "Name", "The item's name."),
    ("tables/catalog_items.csv", "Description", "A longer text about the item."),
    ("tables/catalog_items.csv", "Unit", "What is counted, such as hour."),
    ("tables/jobs.csv", "Total", "What it comes to, without taxes."),
    ("tables/jobs.csv", "Number", "The job's number, such as J-0042."),
    ("tables/jobs.csv", "Title", "What the job is."),
    ("tables/jobs.csv", "Description", "What is to be done."),
    ("tables/jobs.csv", "Status", "unscheduled, scheduled, done or cancelled."),
    ("tables/quotes.csv", "Number", "The quote's number, such as Q-0042."),
    ("tables/quotes.csv", "Title", "What the work is."),
    ("tables/quotes.csv", "Status", "draft, sent, accepted or declined."),
];

/// What a column is, in each file that has it.
const COMMON: &[(&str, &str)] = &[
    ("File", "The name of a file."),
    ("Column", "The name of a column of it; in JSON, of a member."),
    ("Description", "What the column is."),
    (
        "id",
        "The record's id, a UUID. Its first 48 bits are the milliseconds from 1970 to its creation.",
    ),
    ("time_zone", "The IANA time zone of the business's clocks; null if it was never set."),
    ("currency", "The ISO 4217 currency of amounts; null if it was never set."),
    (
        "last_customer_number",
        "The number of the newest customer. The next one gets the number after it.",
    ),
    ("notes_out_of_order", "Whether some notes were created while a clock was wrong."),
    ("actor_kind", "What acted: user, tenant (the business itself) or operator."),
    ("hint", "The first characters of the key, to recognize it."),
    ("scopes", "What it was allowed to do."),
    ("request_limit", "The most requests in a minute, if it had a limit of its own."),
    ("expires_at", "When it ends or ended by itself."),
    ("client_id", "The id of the program."),
    ("connected_at", "When the program was connected."),
    ("last_used_at", "When it was last used."),
    ("revoked_at", "When it was revoked."),
    ("invited_by", "The person who invited."),
    ("accepted_at", "When the invitation was accepted."),
    ("customer_id", "The customer that the record belongs to."),
    ("other_id", "The customer that a person said is another one. Each pair has two rows."),
    ("tag_id", "The tag that the customer has."),
    ("customer_number", "The customer's number in the business, shown as C-0042."),
    ("customer_type", "individual or company."),
    ("first_name", "Given name."),
    ("last_name", "Family name."),
    ("company_name", "A company's name."),
    ("phone", "Telephone number in the international form, E.164."),
    ("phone_raw", "Telephone number as it was typed."),
    ("email", "E-mail address."),
    ("notes_internal", "Internal notes about the customer."),
    ("is_vip", "Whether the team marked the customer as very important."),
    ("do_not_contact", "Whether the team must not contact the customer."),
    ("do_not_contact_reason", "Why the team must not contact the customer."),
    ("source", "How the customer was won."),
    ("external_id", "The customer's id in another system."),
    ("updated_at", "When the record was last changed."),
    ("archived_at", "When the record was archived; null if it is not."),
    ("merged_into", "The customer that this one was merged into."),
    ("merged_from", "The numbers and ids of the customers that were merged into this one."),
    ("is_primary", "Whether it is the first of its kind for its customer."),
    ("phone_can_sms", "Whether the number takes text messages."),
    ("location_type", "What the address is for: service, billing, mailing or other."),
    ("label", "A nickname of the address, such as Warehouse."),
    ("address_line1", "Street address."),
    ("address_line2", "Unit, suite and the like."),
    ("city", "City."),
    ("state", "State or province."),
    ("postal_code", "ZIP or postal code."),
    ("country", "ISO 3166-1 country code."),
    ("access_notes", "Gate codes, alarm codes and the like."),
    ("parking_notes", "Where to park."),
    ("service_notes", "Notes about the work there."),
    ("latitude", "Decimal degrees."),
    ("longitude", "Decimal degrees."),
    ("place_id", "The Google Places id."),
    ("name_key", "The tag's name in the form by which tags are sorted and compared."),
    ("color", "The tag's color, #RRGGBB."),
    ("created_by", "The person who created it."),
    ("rate_percentage", "The percentage in ten-thousandths of a percent: 82500 is 8.25 %."),
    ("is_default", "Whether new documents have the tax rate."),
    ("parent_id", "The category that this one is in; null if it is in none."),
    ("sort_order", "The place of the category among others; the lowest comes first."),
    ("kind", "service, product, labor, fee, bundle or discount."),
    ("sku", "The business's number for the item."),
    ("description", "A longer text about the item."),
    ("category_id", "The category that the item is in."),
    ("unit_label", "What is counted, such as hour."),
    (
        "price",
        "The price of one, or what a discount takes off, in 1/10,000 of the currency's main unit: 850000 is 85.00.",
    ),
    (
        "discount_percent",
        "What a discount takes off, in ten-thousandths of a percent: 100000 is 10 %.",
    ),
    ("taxable", "Whether the item is taxed; null for a discount."),
    ("components", "The parts of a bundle, as JSON in a text."),
    ("cost", "What one costs the business, in the unit of price."),
    ("name_folded", "The name in the form by which it is sorted and compared."),
    ("sku_folded", "The SKU in the form in which SKUs are compared."),
    (
        "letter",
        "The letter that the numbers of a kind of document begin with: Q for quotes, J for jobs.",
    ),
    ("last", "The last number of that kind."),
    ("quote_number", "The quote's number: 42 is Q-0042."),
    (
        "total",
        "What it comes to, with taxes, in the currency's minor units: 21250 is 212.50 US dollars.",
    ),
    ("job_number", "The job's number: 42 is J-0042."),
    ("job_id", "The job."),
    ("scheduled_start", "When the job starts; null while it is unscheduled."),
    ("scheduled_end", "When the job ends, if that is known."),
    ("list_order", "Where the job is in lists: its start, or the first moment of the year 9999."),
    ("assignee_ids", "The people who work on the job, in order."),
    ("title_folded", "The title in the form in which it is searched."),
    (
        "flat_price",
        "A single price instead of the sum of the lines, in ten-thousandths of the currency's main unit.",
    ),
    ("location_id", "The customer's location where the job is."),
    ("quote_id", "The quote that the job was made of."),
    ("cancel_reason", "Why the job was cancelled."),
    ("done_at", "When the job was done."),
    ("cancelled_at", "When the job was cancelled."),
    ("sent_at", "When it was sent."),
    ("decided_at", "When it was accepted or declined."),
    ("updated_by", "The person who last changed it."),
    ("tax_rate_id", "The tax rate of the lines that have none of their own."),
    ("tax_rate_name", "Its name, as the document keeps it."),
    (
        "tax_rate_percentage",
        "Its percentage, as the document keeps it, in ten-thousandths of a percent.",
    ),
    (
        "line_items",
        "The lines, as JSON in a text: quantities in thousandths, unit prices in ten-thousandths of the main unit, \
         percentages in ten-thousandths of a percent.",
    ),
    ("body", "The text of the note."),
    ("pinned", "Whether the note is pinned."),
    ("draft", "Always false: drafts are not exported, because only their authors may read them."),
    (
        "subject_type",
        "What the note is about: customer, customer_contact, customer_location, job, invoice, quote or lawn_estimate; null if it is about nothing.",
    ),
    ("subject_id", "The id of the record that the note is about."),
    ("note_id", "The note that the file is on."),
    ("media_type", "The type of the file's content, such as image/jpeg."),
    ("size", "The size of the file's content in bytes."),
    ("sha256", "The SHA-256 checksum of the file's content, in hexadecimal digits."),
    ("width", "An image's width in pixels, if it is known."),
    ("height", "An image's height in pixels, if it is known."),
    ("number", "The number of the row, which is computed from its other columns."),
    ("tool", "What was done: the tool, such as customers.update, or another event."),
    (
        "credential_id",
        "The API key, connected program or session that was used; zeros if none was.",
    ),
    ("client", "The program's own name."),
    ("address", "The IP address from which it was done."),
    ("record_id", "The record that was changed."),
    ("entry_id", "The entry of the history that changed it."),
    ("erased_at", "When the customer was erased; null if it was not."),
    ("began_at", "When the erasure began."),
    ("run_at", "When it went on last, if it was interrupted."),
    ("entries_after", "Up to which entry of the history it is; null if it is done."),
    ("due_at", "When the files of the database are to be written again; it does not come back."),
    ("rewritten_at", "When they were written again; null if they were not."),
    ("contents", "How many files' content was deleted at once."),
    ("contacts", "How many contacts were erased."),
    ("locations", "How many locations were erased."),
    ("subjects", "How many jobs, invoices, quotes and lawn estimates lost their words."),
    ("tags", "How many assignments of tags were erased."),
    ("notes", "How many notes were erased."),
    ("files", "How many files were erased."),
    ("entries", "How many entries of the history lost values."),
    ("file_name", "The name of an imported file."),
    ("state", "How far the import is: running, done, stopped or undone."),
    ("customers", "How many customers the import was to add."),
    ("added", "How many customers the import added."),
    ("import_id", "The import that added the record."),
    ("digest", "What tells the imported rows of the file from all others; empty for a tag."),
    ("Customer number", "The customer's number in the business."),
    ("Customer name", "The customer's name."),
    ("Customer id", "The customer's id."),
    ("Status", "active, inactive or archived."),
    ("First name", "Given name."),
    ("Last name", "Family name."),
    ("Company", "A company's name."),
    ("Phone", "Telephone number in the international form, E.164."),
    ("Phone as typed", "Telephone number as it was typed."),
    ("E-mail", "E-mail address."),
    ("Tags", "The names of the customer's tags."),
    ("VIP", "yes if the team marked the customer as very important."),
    ("Do not contact", "yes if the team must not contact the customer."),
    ("Why not to contact", "Why the team must not contact the customer."),
    ("Source", "How the customer was won."),
    ("Internal notes", "Internal notes about the customer."),
    ("External id", "The customer's id in another system."),
    ("Percent", "The percentage, such as 8.25."),
    ("Default", "yes if new documents have the tax rate."),
    ("Tax rate id", "The tax rate's id."),
    ("Kind", "service, product, labor, fee, bundle or discount."),
    ("SKU", "The business's number for the item."),
    ("Price", "The price of one, or what a discount takes off, such as 85.00."),
    ("Percent off", "What a discount takes off, such as 10."),
    ("Cost", "What one costs the business. That of a bundle follows from its parts."),
    ("Taxable", "yes if the item is taxed; empty for a discount."),
    ("In category id", "The category that this one is in; empty at the top."),
    ("Order", "The place of the category among others; the lowest comes first."),
    ("Parts", "How many of which items are in a bundle."),
    ("Category id", "The category that the item is in."),
    ("Catalog item id", "The item's id."),
    ("Total", "What it comes to, with taxes."),
    ("Currency", "The ISO 4217 currency of the amounts."),
    ("Start", "When the job starts, by the clocks of the business."),
    ("End", "When the job ends, by the clocks of the business."),
    ("Done", "When the job was done, by the clocks of the business."),
    ("Cancelled", "When the job was cancelled, by the clocks of the business."),
    ("Reason", "Why the job was cancelled."),
    ("Job id", "The job's id."),
    ("Sent", "When it was sent, by the clocks of the business."),
    ("Decided", "When it was accepted or declined, by the clocks of the business."),
    ("Quote id", "The quote's id."),
    ("Created", "When the record was created, by the clocks of the business."),
    ("Changed", "When the record was last changed, by the clocks of the business."),
    (
        "Archived",
        "When the record was archived, by the clocks of the business; empty if it is not.",
    ),
    ("Merged into", "The id of the customer that this one was merged into."),
    ("Title", "The person's job title."),
    ("Takes text messages", "yes if the number takes text messages."),
    ("Primary", "yes if it is the first of its kind for its customer."),
    ("Contact id", "The contact's id."),
    ("Label", "A nickname of the address, such as Warehouse."),
    ("Street", "Street address."),
    ("Unit", "Unit, suite and the like."),
    ("City", "City."),
    ("State", "State or province."),
    ("Postal code", "ZIP or postal code."),
    ("Country", "ISO 3166-1 country code."),
    ("Access", "Gate codes, alarm codes and the like."),
    ("Parking", "Where to park."),
    ("Latitude", "Decimal degrees."),
    ("Longitude", "Decimal degrees."),
    ("Place id", "The Google Places id."),
    ("Location id", "The location's id."),
    ("Author", "The name of the person who wrote the note."),
    ("Note", "The text of the note."),
    ("Pinned", "yes if the note is pinned."),
    (
        "About",
        "What the note is about: customer, customer_contact, customer_location, job, invoice, quote or lawn_estimate; empty if it is about nothing.",
    ),
    ("Files", "The names of the note's files, whose content is in files/."),
    ("Note id", "The note's id."),
    ("Author id", "The id of the person who wrote the note."),
    ("About id", "The id of the record that the note is about."),
    ("Color", "The tag's color, #RRGGBB."),
    ("Tag id", "The tag's id."),
    ("Creator id", "The id of the person who created the tag."),
    ("When", "When it was done, by the clocks of the business."),
    ("Who", "The name of the person who did it, if a person did."),
    ("Kind of actor", "What acted: user, tenant (the business itself) or operator."),
    ("Program", "The name of the program that was used."),
    ("API key", "The name of the API key that was used."),
    ("What", "What was done: the tool, such as customers.update, or another event."),
    ("Kind of record", "The kind of the record that was changed."),
    ("Record id", "The record that was changed."),
    ("Field", "The field of the record that was changed."),
    ("Before", "The value before the change."),
    ("After", "The value after the change."),
    ("Address", "The IP address from which it was done."),
    ("Change id", "The id of the entry in the history. Its changed fields have a row each."),
];

/// Every file that has columns, with their names.
pub(super) fn of_all_files() -> Vec<(String, Vec<&'static str>)> {
    let itself = (FILE.to_owned(), COLUMNS.to_vec());
    let shared = SHARED.iter().map(|shared| {
        (shared.file.to_owned(), shared.columns.iter().map(|(name, _)| *name).collect())
    });
    let data = data::tables()
        .map(|table| (data::file(table.name), table.lasting().map(|column| column.name).collect()));
    let tables =
        tables::COLUMNS.iter().map(|(file, columns)| ((*file).to_owned(), columns.to_vec()));
    std::iter::once(itself).chain(shared).chain(data).chain(tables).collect()
}

/// What a column of a file is.
pub(super) fn description(file: &str, column: &str) -> Option<&'static str> {
    let of_file = OF_FILE.iter().find(|(of, name, _)| (*of, *name) == (file, column));
    let common = COMMON.iter().find(|(name, _)| *name == column);
    of_file.map(|(_, _, text)| *text).or(common.map(|(_, text)| *text))
}

/// Writes the file.
pub(super) fn write(writer: &mut Writer<'_>) -> Result<()> {
    writer.spreadsheet(FILE, COLUMNS, |sheet| {
        for (file, columns) in of_all_files() {
            for column in columns {
                let text = description(&file, column).ok_or_else(|| {
                    Error::internal(format!("{file} {column} has no description"))
                })?;
                sheet.row([file.as_str(), column, text])?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_column_has_a_description_and_every_description_a_column() {
        let mut used = BTreeSet::new();
        for (file, columns) in of_all_files() {
            for column in columns {
                let text = description(&file, column);
                assert!(text.is_some(), "{file} {column}");
                let of_file = OF_FILE.iter().any(|(of, name, _)| *of == file && *name == column);
                used.insert((of_file.then(|| file.clone()), column));
            }
        }
        for (file, column, _) in OF_FILE {
            assert!(used.contains(&(Some((*file).to_owned()), *column)), "{file} {column}");
        }
        for (column, _) in COMMON {
            assert!(used.contains(&(None, *column)), "{column}");
        }
    }
}
