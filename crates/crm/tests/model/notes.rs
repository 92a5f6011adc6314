//! The model of notes.

use serde_json::{Value, json};

use super::arguments::Object;
use super::state::{
    CONFLICT, Customer, File, Fresh, INVALID, NOT_FOUND, Note, Predicted, Refusal, Tenant,
    argument, argument_or, creation, invalid_field, time,
};
use zoop_crm::values::fold::{self, Kind};
use zoop_crm::values::stem::stem;

/// Lifetime of a draft and of a stored answer, in milliseconds.
pub(super) const DAY: i64 = 24 * 60 * 60 * 1_000;
/// Time during which a write counts against the limit, in milliseconds.
const MINUTE: i64 = 60 * 1_000;
/// The limit on note writes: low, so that sequences reach it.
pub(super) const WRITES_PER_MINUTE: u32 = 2;

impl Tenant {
    /// The answer, and whether the call adds a history entry.
    pub(super) fn notes(
        &mut self,
        verb: &str,
        arguments: &Object,
        caller: usize,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted<(Value, bool)> {
        let id = argument(arguments, "id");
        let user = self.callers[caller].user.clone();
        match verb {
            "list" => Ok((json!({ "rows": self.listed_notes(arguments) }), false)),
            "get" => {
                let index = self.visible_note(&id, user.as_deref(), now)?;
                Ok((self.with_names(&self.notes[index].shown), false))
            }
            "create" => self.create_note(arguments, &user.expect("a user"), fresh, now),
            "update" => self.update_note(arguments, caller, now),
            "archive" => {
                let index = self.changeable_note(&id, caller, now)?;
                self.count_write(&user.expect("a user"), now)?;
                let note = &mut self.notes[index];
                note.is_archived = true;
                note.shown["updated_at"] = json!(time(now));
                Ok((json!({ "archived": true, "id": id }), note.shown["draft"] == false))
            }
            "restore" => self.restore_note(&id, caller, now),
            "remove_file" => self.remove_file(&id, caller, now),
            other => panic!("notes.{other}"),
        }
    }

    /// A file of a note that is archived, or that the caller may not see, is as unknown as a removed one.
    fn remove_file(&mut self, id: &Value, caller: usize, now: i64) -> Predicted<(Value, bool)> {
        let is_there = |file: &File| file.id == *id && !file.is_removed;
        let file = self.files.iter().position(is_there).ok_or(NOT_FOUND)?;
        let index = self.changeable_note(&self.files[file].note.clone(), caller, now)?;
        let user = self.callers[caller].user.clone().expect("a user");
        self.count_write(&user, now)?;
        self.files[file].is_removed = true;
        let note = &mut self.notes[index];
        let attachments = note.shown["attachments"].as_array_mut().expect("attachments");
        attachments.retain(|attachment| attachment["id"] != *id);
        Ok((json!({ "removed": true, "id": id }), note.shown["draft"] == false))
    }

    fn create_note(
        &mut self,
        arguments: &Object,
        user: &str,
        fresh: &Fresh,
        now: i64,
    ) -> Predicted<(Value, bool)> {
        let (kind, subject) =
            (argument(arguments, "subject_type"), argument(arguments, "subject_id"));
        if !kind.is_null() && !self.can_be_subject(&kind, &subject) {
            return Err(NOT_FOUND);
        }
        self.count_write(user, now)?;
        let created = creation(now, self.notes.iter().map(|note| &note.shown));
        let draft = argument_or(arguments, "draft", false);
        let at = time(created);
        let shown = json!({
            "id": fresh.id, "body": argument_or(arguments, "body", ""),
            "pinned": argument_or(arguments, "pinned", false), "draft": draft, "created_by": user,
            "created_at": at, "updated_at": at, "subject_type": kind, "subject_id": subject,
            "attachments": [],
        });
        let answer = self.with_names(&shown);
        self.notes.push(Note { shown, created, is_archived: false });
        Ok((answer, draft == false))
    }

    fn update_note(
        &mut self,
        arguments: &Object,
        caller: usize,
        now: i64,
    ) -> Predicted<(Value, bool)> {
        let index = self.changeable_note(&argument(arguments, "id"), caller, now)?;
        let old = self.notes[index].shown.clone();
        let mut new = old.clone();
        for (field, value) in arguments {
            new[field.as_str()] = value.clone();
        }
        if old["draft"] == false && new["draft"] == true {
            return Err(invalid_field("draft"));
        }
        if new["draft"] == false && new["body"] == "" {
            return Err(invalid_field("body"));
        }
        let kind = &new["subject_type"];
        if !kind.is_null() && !self.can_be_subject(kind, &new["subject_id"]) {
            return Err(NOT_FOUND);
        }
        if new["draft"] == false {
            let user = self.callers[caller].user.clone().expect("a user");
            self.count_write(&user, now)?;
        }
        new["updated_at"] = json!(time(now));
        let (answer, leaves_history) = (self.with_names(&new), new["draft"] == false);
        self.notes[index].shown = new;
        Ok((answer, leaves_history))
    }

    /// Whether a note can be about a record: not about what was left with a customer that was merged into another one.
    fn can_be_subject(&self, kind: &Value, id: &Value) -> bool {
        self.customer_of(kind, id).is_some_and(|customer| customer.merged_into.is_none())
    }

    /// A note as shown: with the current names of its author and of its customer.
    fn with_names(&self, note: &Value) -> Value {
        let customer = self.customer_of(&note["subject_type"], &note["subject_id"]);
        let mut shown = note.clone();
        shown["created_by_name"] =
            json!(self.user_names[note["created_by"].as_str().expect("an id")]);
        shown["customer_id"] = json!(customer.map(Customer::id));
        shown["customer_name"] = json!(customer.map(Customer::display_name));
        shown
    }

    fn changeable_note(&mut self, id: &Value, caller: usize, now: i64) -> Predicted<usize> {
        let user = self.callers[caller].user.clone();
        let is_owner = self.is_owner(caller);
        let index = self.visible_note(id, user.as_deref(), now)?;
        let is_author = self.notes[index].shown["created_by"].as_str() == user.as_deref();
        if is_owner || is_author { Ok(index) } else { Err(INVALID) }
    }

    /// Counts a user's write, or rejects it. Writes a minute or more before or after `now` are dropped, so they do not
    /// count again when the clock goes back. No write is dated earlier than the write before it.
    fn count_write(&mut self, user: &str, now: i64) -> Predicted<()> {
        let limit = usize::try_from(WRITES_PER_MINUTE).expect("a small number");
        let writes = self.note_writes.entry(user.to_owned()).or_default();
        let counted: Vec<_> =
            writes.iter().copied().filter(|at| (now - at).abs() < MINUTE).collect();
        if counted.len() >= limit {
            let free = counted[counted.len() - limit] + MINUTE;
            let seconds = u64::try_from(free - now).expect("a time in the future").div_ceil(1_000);
            return Err(Refusal { retry_after_s: Some(seconds), ..CONFLICT });
        }
        *writes = counted;
        let last = writes.last().copied().unwrap_or(now);
        writes.push(last.max(now));
        Ok(())
    }

    /// Removes expired drafts and stored answers.
    pub(super) fn sweep(&mut self, now: i64) {
        self.notes.retain(|note| note.shown["draft"] == false || note.created + DAY > now);
        self.remembered.retain(|_, remembered| remembered.at + DAY > now);
    }

    fn listed_notes(&self, filters: &Object) -> Vec<Value> {
        let mut filters = filters.clone();
        for name in ["customer_id", "subject_id"] {
            if let Some(id) = filters.get_mut(name) {
                *id = self.resolved(id);
            }
        }
        let matches = |note: &&Note| {
            let is = |field: &str, shown: &str| {
                filters.get(field).is_none_or(|wanted| *wanted == note.shown[shown])
            };
            let subject = match filters.get("subject_type").and_then(Value::as_str) {
                Some("standalone") => note.shown["subject_type"].is_null(),
                _ => is("subject_type", "subject_type"),
            };
            let is_of_customer = filters.get("customer_id").is_none_or(|wanted| {
                let owner =
                    self.customer_of(&note.shown["subject_type"], &note.shown["subject_id"]);
                owner.is_some_and(|owner| *wanted == *owner.id())
            });
            let is_pinned =
                filters.get("pinned") != Some(&json!(true)) || note.shown["pinned"] == true;
            let time = |field: &str| filters.get(field).and_then(Value::as_i64);
            let body = note.shown["body"].as_str().expect("a string");
            !note.is_archived
                && note.shown["draft"] == false
                && subject
                && is_of_customer
                && is_pinned
                && is("subject_id", "subject_id")
                && is("created_by", "created_by")
                && time("created_after").is_none_or(|after| note.created >= after)
                && time("created_before").is_none_or(|before| note.created < before)
                && filters.get("q").is_none_or(|q| has_words(body, q.as_str().expect("a string")))
        };
        self.notes.iter().rev().filter(matches).map(|note| self.with_names(&note.shown)).collect()
    }

    fn restore_note(&mut self, id: &Value, caller: usize, now: i64) -> Predicted<(Value, bool)> {
        let user = self.callers[caller].user.clone();
        let is_trusted = self.is_owner(caller) || user.is_none();
        // Only its author may see a draft, archived or not, until it has expired.
        let found = self.notes.iter().position(|note| {
            let is_author = note.shown["created_by"].as_str() == user.as_deref();
            let is_seen = note.shown["draft"] == false || is_author && note.created + DAY > now;
            note.shown["id"] == *id && note.is_archived && is_seen && (is_trusted || is_author)
        });
        let index = found.ok_or(NOT_FOUND)?;
        if let Some(user) = user {
            self.count_write(&user, now)?;
        }
        let note = &mut self.notes[index];
        note.is_archived = false;
        note.shown["updated_at"] = json!(time(now));
        Ok((json!({ "restored": true, "id": id }), note.shown["draft"] == false))
    }

    /// The index of a note that the caller may see: not an archived note, nor a draft that has expired or belongs to
    /// another user.
    fn visible_note(&mut self, id: &Value, user: Option<&str>, now: i64) -> Predicted<usize> {
        let found = self.notes.iter().position(|note| note.shown["id"] == *id).ok_or(NOT_FOUND)?;
        let note = &self.notes[found];
        let is_own = note.shown["created_by"].as_str() == user;
        let is_hidden = note.shown["draft"] == true && !(is_own && note.created + DAY > now);
        if note.is_archived || is_hidden { Err(NOT_FOUND) } else { Ok(found) }
    }
}

/// Whether the body contains every word of the query: as the start of a word or of its stem, as the stem of either, or,
/// in scripts without spaces, as any part of a run of characters.
fn has_words(body: &str, q: &str) -> bool {
    let words = fold::words(body);
    fold::words(q).iter().all(|wanted| {
        words.iter().any(|word| {
            word.kind == wanted.kind
                && match word.kind {
                    Kind::Spaced => {
                        let forms = [Some(word.text.clone()), stem(&word.text)];
                        let stem = stem(&wanted.text);
                        forms.into_iter().flatten().any(|form| {
                            form.starts_with(&wanted.text) || stem.as_deref() == Some(&*form)
                        })
                    }
                    Kind::Run => word.text.contains(&wanted.text),
                }
        })
    })
}
