//! Entries of the history in words: who did what, with old and new values. The labels are those of the forms.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use zoop_crm::arguments;
use zoop_crm::business::catalog_items::tools::get::GetCatalogItem;
use zoop_crm::business::customers::erase::EraseCustomer;
use zoop_crm::business::customers::named::{MAX_RECORDS, NamedRecord, NamedRecords};
use zoop_crm::business::history::revert::RevertChanges;
use zoop_crm::business::tags::tools::ListTags;
use zoop_crm::business::tax_rates::tools::GetTaxRate;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::context::Change;
use zoop_crm::call::error::Error;
use zoop_crm::call::history::HistoryEntry;
use zoop_crm::call::tool::Tool;
use zoop_crm::identity::keys::tools::ListKeys;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::identity::users::team::ListTeam;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};
use zoop_crm::values::phone;
use zoop_db::Uuid;

use super::labels::{self, Shown};
use super::undo::Undo;
use super::{links, rows::Link};
use crate::web::tenant_context::Snapshot;

/// How many lines of an entry are shown, so that a page with entries about hundreds of records stays short.
const MAX_LINES: usize = 12;
/// How many records of an entry are named.
const MAX_NAMED: usize = 3;
/// How many keys, the newest ones, are known by name.
const MAX_KEYS: u32 = 100;

/// An entry of the history.
pub(super) struct EntryRow {
    pub(super) at: Moment,
    pub(super) who: String,
    /// The program that was used.
    pub(super) via: Option<String>,
    /// The customer that it is about.
    pub(super) about: Option<Link>,
    /// What was done. There is at least one line.
    pub(super) lines: Vec<Line>,
    /// How many changes are not shown.
    pub(super) more: usize,
    /// The button that undoes it.
    pub(super) undo: Option<Undo>,
}

/// One thing that was done.
#[derive(Default)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
    /// The texts that are too long for a line, each with its heading.
    pub(super) wholes: Vec<(String, String)>,
}

/// A part of a line: the page's own words, or a text from the records.
pub(super) enum Piece {
    Words(String),
    Data(String),
}

impl Line {
    fn words(mut self, words: &str) -> Self {
        self.pieces.push(Piece::Words(words.to_owned()));
        self
    }

    fn data(mut self, text: &str) -> Self {
        self.pieces.push(Piece::Data(text.to_owned()));
        self
    }

    /// A value, cut if it is long; then the whole is added under the heading.
    fn value(mut self, value: Shown, heading: &str) -> Self {
        let Shown { line, whole } = value;
        self.wholes.extend(whole.map(|whole| (heading.to_owned(), whole)));
        self.data(&line)
    }

    fn name(self, name: Option<&str>) -> Self {
        match name {
            Some(name) => self.words(" ").data(name),
            None => self,
        }
    }

    /// The beginning of a note.
    fn quoted(self, note: Option<&str>) -> Self {
        match note {
            Some(note) => self.words(": “").data(&labels::beginning(note)).words("”"),
            None => self,
        }
    }
}

/// What the names in the history are.
pub(super) struct Names {
    pub(super) people: HashMap<Id<kinds::User>, String>,
    pub(super) tags: HashMap<String, String>,
    pub(super) records: HashMap<Uuid, NamedRecord>,
    pub(super) keys: HashMap<Uuid, String>,
    /// Tax rates and catalog items.
    pub(super) priced: HashMap<Uuid, String>,
}

impl Names {
    fn who(&self, entry: &HistoryEntry) -> String {
        match (entry.actor_kind.as_str(), entry.user_id) {
            // Whoever it was had not proved it.
            _ if entry.tool == "sign_in_refused" => "Somebody".to_owned(),
            (_, Some(user)) => {
                self.people.get(&user).cloned().unwrap_or_else(|| "Someone who left".to_owned())
            }
            ("tenant", None) => "An API key of the business".to_owned(),
            _ => "An administrator of the server".to_owned(),
        }
    }

    /// The name of a contact, location, tax rate or catalog item now, or the one that the entry gave it.
    fn of_part(&self, record: &Record<'_>) -> Option<String> {
        let now = self.records.get(&record.id).and_then(|it| it.name.clone());
        let now = now.or_else(|| self.priced.get(&record.id).cloned());
        now.or_else(|| record.given_name())
    }
}

/// The names in these entries.
pub(super) fn names(
    snapshot: &mut Snapshot<'_, '_>,
    entries: &[HistoryEntry],
) -> Result<Names, Refusal> {
    let changes = || entries.iter().flat_map(|entry| &entry.changes);
    let tags = if changes().any(|change| change.field == "tag") {
        let tags = snapshot.list(Arguments::<ListTags>::none())?.rows;
        tags.into_iter().map(|tag| (tag.id.to_string(), tag.name)).collect()
    } else {
        HashMap::new()
    };
    let is_named = |change: &Change| change.field == "name";
    let nameless_keys = entries.iter().any(|entry| {
        Record::all_of(entry)
            .any(|record| record.kind == "key" && !record.changes.iter().any(is_named))
    });
    let keys = if nameless_keys {
        let keys = snapshot.list(Arguments::<ListKeys>::none().page(None, MAX_KEYS))?.rows;
        keys.into_iter().map(|key| (key.id.uuid(), key.name)).collect()
    } else {
        HashMap::new()
    };
    let seen = entries.iter().flat_map(|entry| Record::all_of(entry).take(MAX_NAMED));
    let seen = seen.filter(|record| labels::kind(record.kind).is_some());
    let ids: BTreeSet<_> = seen.map(|record| record.id).collect();
    let ids: Vec<_> = ids.into_iter().map(|id| id.to_string()).collect();
    let mut records = HashMap::new();
    for ids in ids.chunks(MAX_RECORDS) {
        let named = snapshot.query(arguments!(NamedRecords { records: ids.to_vec() }))?;
        records.extend(named.into_iter().map(|it| (it.id.uuid(), it)));
    }
    let priced = priced(snapshot, entries)?;
    Ok(Names { people: people(snapshot)?, tags, records, keys, priced })
}

/// The names of the tax rates and catalog items in these entries, also of archived ones, which no list has.
fn priced(
    snapshot: &mut Snapshot<'_, '_>,
    entries: &[HistoryEntry],
) -> Result<HashMap<Uuid, String>, Refusal> {
    let seen = entries.iter().flat_map(|entry| Record::all_of(entry).take(MAX_NAMED));
    let seen = seen.filter(|record| ["tax_rate", "catalog_item"].contains(&record.kind));
    let seen: BTreeSet<_> = seen.map(|record| (record.kind, record.id)).collect();
    let mut names = HashMap::new();
    for (kind, id) in seen {
        let name = match kind {
            "tax_rate" => snapshot
                .query(arguments!(GetTaxRate { id: Id::<kinds::TaxRate>::new(id) }))
                .map(|rate| rate.name),
            _ => snapshot
                .query(arguments!(GetCatalogItem { id: Id::<kinds::CatalogItem>::new(id) }))
                .map(|item| item.name),
        };
        match name {
            Ok(name) => _ = names.insert(id, name),
            Err(Refusal::Failed(Error::NotFound { .. })) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(names)
}

/// The names of everybody in the team.
pub(super) fn people(
    snapshot: &mut Snapshot<'_, '_>,
) -> Result<HashMap<Id<kinds::User>, String>, Refusal> {
    let (mut people, mut next) = (HashMap::new(), None);
    loop {
        let page = snapshot.list(Arguments::<ListTeam>::none().after(next))?;
        people.extend(page.rows.into_iter().map(|member| (member.id, member.name)));
        next = page.next_cursor;
        if next.is_none() {
            return Ok(people);
        }
    }
}

/// The length of an entry's texts, in bytes.
pub(super) fn length(entry: &HistoryEntry) -> usize {
    let text = |value: &Value| value.as_str().map_or(0, str::len);
    entry.changes.iter().map(|change| text(&change.old) + text(&change.new)).sum()
}

/// The entries on a page of the whole business, with its address.
pub(super) fn rows(
    entries: Vec<HistoryEntry>,
    names: &Names,
    business: &Membership,
    here: &str,
) -> Vec<EntryRow> {
    entries.into_iter().map(|entry| EntryRow::of(entry, names, business, None, here)).collect()
}

/// The changes of one record in an entry.
struct Record<'a> {
    kind: &'a str,
    id: Uuid,
    changes: &'a [Change],
}

impl<'a> Record<'a> {
    fn all_of(entry: &'a HistoryEntry) -> impl Iterator<Item = Self> {
        let groups = entry.changes.chunk_by(|a, b| a.record_id == b.record_id);
        groups.map(|changes| Self {
            kind: &changes[0].record_type,
            id: changes[0].record_id,
            changes,
        })
    }

    fn change(&self, field: &str) -> Option<&'a Change> {
        self.changes.iter().find(|change| change.field == field)
    }

    fn is_new(&self) -> bool {
        self.change("id").is_some_and(|id| id.old.is_null())
    }

    fn is_gone(&self) -> bool {
        self.change("id").is_some_and(|id| id.new.is_null())
    }

    /// A text in the changes of a record that was added or deleted.
    fn text(&self, field: &str) -> Option<&'a str> {
        let Change { old, new, .. } = self.change(field)?;
        new.as_str().or(old.as_str()).filter(|text| !text.is_empty())
    }

    /// The name in the changes of a record that was added or deleted.
    fn given_name(&self) -> Option<String> {
        let text = |field: &str| self.text(field);
        let person = || {
            let names: Vec<_> = ["first_name", "last_name"].into_iter().filter_map(text).collect();
            Some(names.join(" ")).filter(|name| !name.is_empty())
        };
        let own = ["company_name", "label", "address_line1", "name", "title"];
        person().or_else(|| own.into_iter().find_map(text).map(str::to_owned))
    }
}

impl EntryRow {
    /// Whether an entry tells of records that people work with, and not only of people, keys, programs or sign-ins.
    pub(super) fn is_about_records(entry: &HistoryEntry) -> bool {
        entry.changes.iter().any(|change| labels::kind(&change.record_type).is_some())
    }

    /// An entry on a page of this business, or of a customer whose link is left out. `here` is the page's address.
    pub(super) fn of(
        mut entry: HistoryEntry,
        names: &Names,
        business: &Membership,
        page: Option<Id<kinds::Customer>>,
        here: &str,
    ) -> Self {
        rewrite_numbers(&mut entry, business.account.country.numbering_plan());
        let about = Record::all_of(&entry)
            .find_map(|record| names.records.get(&record.id)?.customer.as_ref());
        let about = about
            .filter(|it| Some(it.id) != page)
            .map(|it| Link { address: links::customer(business, it.id), text: it.name.clone() });
        let customer = Record::all_of(&entry).find(|record| record.kind == "customer");
        let mut records: Vec<_> = Record::all_of(&entry).collect();
        // What a merge changed follows from the merge.
        records.sort_by_key(|record| record.change("merged_into").is_none());
        let mut lines: Vec<_> = records
            .into_iter()
            .flat_map(|record| lines(&record, customer.as_ref(), names))
            .collect();
        // Each of its records says only that it was erased.
        if entry.tool == EraseCustomer::NAME {
            lines.clear();
        }
        if lines.is_empty() {
            lines.push(event(&entry, names));
        }
        let more = lines.len().saturating_sub(MAX_LINES) + entry.more_changes.unwrap_or_default();
        lines.truncate(MAX_LINES);
        if entry.tool == RevertChanges::NAME {
            lines[0].pieces.insert(0, Piece::Words("undid a change: ".to_owned()));
        }
        let undo = entry.can_revert.then(|| Undo::of(entry.id, business, here));
        Self { at: entry.at, who: names.who(&entry), via: entry.client, about, lines, more, undo }
    }
}

/// Writes numbers as the other pages do, not as somebody typed them.
fn rewrite_numbers(entry: &mut HistoryEntry, plan: phone::NumberingPlan) {
    let is_number = |change: &Change| change.field == "phone_raw";
    for change in entry.changes.iter_mut().filter(|change| is_number(change)) {
        for value in [&mut change.old, &mut change.new] {
            if let Some(raw) = value.as_str() {
                *value = Value::from(phone::rewritten(raw, plan));
            }
        }
    }
    entry.changes.retain(|change| !is_number(change) || change.old != change.new);
}

/// What was done that is not about records that people work with: to whom or what, if that is known.
fn event(entry: &HistoryEntry, names: &Names) -> Line {
    let about = Record::all_of(entry).find_map(|record| {
        let known = match record.kind {
            "key" => names.keys.get(&record.id).cloned(),
            "user" => names.people.get(&Id::new(record.id)).cloned(),
            _ => None,
        };
        let given = ["name", "client_name", "email"];
        let given = given.into_iter().find_map(|field| record.text(field));
        Some((record, known.or_else(|| given.map(str::to_owned))?))
    });
    let words = labels::event_about(&entry.tool);
    let (Some((record, name)), Some(words)) = (about, words) else {
        return Line::default().words(&labels::event(&entry.tool));
    };
    let line = Line::default().words(words).name(Some(&name));
    let role = record.change("role").filter(|role| !role.old.is_null());
    match role.and_then(|role| role.new.as_str()) {
        Some(role) => line.words(" to ").words(role),
        None => line,
    }
}

/// What was done to a record. Nothing if it is not a record that people see, or for what was done in the same way to the
/// customer of the entry: a person's contact has the fields of the customer.
fn lines(record: &Record<'_>, customer: Option<&Record<'_>>, names: &Names) -> Vec<Line> {
    if record.kind == "tenant" && !record.is_new() {
        let changes = record.changes.iter();
        return changes.filter_map(|change| changed(record, change, None, names)).collect();
    }
    let Some(kind) = labels::kind(record.kind) else { return Vec::new() };
    let customer = customer.filter(|customer| customer.id != record.id);
    let is_same = |change: &Change| {
        let of_customer = customer.and_then(|customer| customer.change(&change.field));
        of_customer.is_some_and(|it| (&it.old, &it.new) == (&change.old, &change.new))
    };
    let name = names.of_part(record);
    let name = name.as_deref().filter(|_| record.kind != "customer" || record.is_new());
    let note = names.records.get(&record.id).and_then(|it| it.note.as_deref());
    let line =
        |done: &str| Line::default().words(&format!("{done} {kind}")).name(name).quoted(note);
    if record.is_new() {
        // A job, for example.
        let subject = record.change("subject_type").filter(|_| record.kind == "subject");
        if let Some(word) = subject.and_then(|it| it.new.as_str()) {
            let added = format!("added the {}", word.replace('_', " "));
            return vec![Line::default().words(&added).name(name)];
        }
        let is_person = customer.is_some_and(|it| it.given_name() == record.given_name());
        return if is_person { Vec::new() } else { vec![line("added")] };
    }
    if record.is_gone() {
        return vec![line(if record.kind == "file" { "removed" } else { "deleted" })];
    }
    // Of a customer that was merged, only that is told.
    let is_other = record.kind == "customer" && customer.is_some();
    let is_told = |change: &Change| !is_other || change.field == "merged_into";
    let changes = record.changes.iter().filter(|change| !is_same(change) && is_told(change));
    changes.filter_map(|change| changed(record, change, name, names)).collect()
}

/// What was done to a field. Nothing for fields that say the same as another one.
fn changed(
    record: &Record<'_>,
    change: &Change,
    name: Option<&str>,
    names: &Names,
) -> Option<Line> {
    let Change { field, old, new, .. } = change;
    let kind = labels::kind(record.kind).unwrap_or_default();
    let note = names.records.get(&record.id).and_then(|it| it.note.as_deref());
    let whole =
        |done: &str| Some(Line::default().words(&format!("{done} {kind}")).name(name).quoted(note));
    match (record.kind, field.as_str()) {
        ("customer", "merged_into") => Some(merged(record, change, names)),
        ("note", "subject_id") if record.changes.len() == 1 => whole("moved"),
        ("contact" | "location" | "subject", "customer_id") => whole("moved"),
        // Told by the line about the merge or the move.
        (_, "archived_at" | "is_primary")
            if record.change("merged_into").or(record.change("customer_id")).is_some() =>
        {
            None
        }
        // An archived rate is never the default.
        ("tax_rate", "is_default") if record.change("archived_at").is_some() => None,
        ("tax_rate", "is_default") => {
            let is_now =
                if *new == Value::Bool(true) { " the default" } else { " no longer the default" };
            whole("made").map(|line| line.words(is_now))
        }
        (_, "archived_at") if new.is_null() => whole("restored"),
        (_, "archived_at") => whole("archived"),
        ("customer", "tag") => {
            let (done, tag) =
                if new.is_null() { ("detached the tag", old) } else { ("attached the tag", new) };
            let known = tag.as_str().and_then(|id| names.tags.get(id));
            Some(match known {
                Some(tag) => Line::default().words(&format!("{done} ")).data(tag),
                None => Line::default().words(&done.replace("the tag", "a tag that was deleted")),
            })
        }
        (_, "erased") => Some(Line::default().words("erased what it said")),
        ("customer", "different_from") => Some(Line::default().words(if new.is_null() {
            "took back that the customer is different from another"
        } else {
            "said that the customer is different from another"
        })),
        ("note", "pinned") => whole(if *new == Value::Bool(true) { "pinned" } else { "unpinned" }),
        ("note", "body") => {
            let line = Line::default().words("edited a note, which said ");
            Some(line.value(labels::text(old), "The note before"))
        }
        (record_type, field) => {
            let label = labels::field(record_type, field)?;
            let [before, now] = ["before", "now"].map(|when| format!("{label} {when}"));
            let of = |line: Line| match (record_type, name) {
                ("customer" | "note" | "tenant", _) => line,
                _ => line.words(&format!(" of {kind}")).name(name),
            };
            let [old, new] = [old, new].map(|value| labels::value(record_type, field, value));
            Some(match (old, new) {
                (None, None) => return None,
                (None, Some(new)) => {
                    let line = of(Line::default().words("set ").words(&label));
                    line.words(" to ").value(new, &now)
                }
                (Some(old), None) => {
                    let line = of(Line::default().words("removed ").words(&label));
                    line.words(", which was ").value(old, &before)
                }
                (Some(old), Some(new)) => {
                    let line = of(Line::default().words("changed ").words(&label));
                    let line = line.words(" from ").value(old, &before);
                    line.words(" to ").value(new, &now)
                }
            })
        }
    }
}

/// That a customer was merged into another one, or is separate again.
fn merged(record: &Record<'_>, change: &Change, names: &Names) -> Line {
    let name = |id: Uuid| Some(names.records.get(&id)?.customer.as_ref()?.name.as_str());
    let kept = change.new.as_str().or(change.old.as_str());
    let kept = kept.and_then(|id| Uuid::try_parse(id).ok()).and_then(name);
    let (done, into) =
        if change.new.is_null() { ("separated", " from") } else { ("merged", " into") };
    Line::default().words(done).name(name(record.id)).words(into).name(kept)
}
