//! Idempotency keys: a write with a key happens once, even if the caller retries it.
//!
//! A call with the same key, tool and arguments from the same credential within a day gets the first
//! answer again and writes nothing. The key commits with the write. Failed calls are not remembered.
//!
//! Only a part and a hash of a long answer are stored. A retry then reads the record again.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use zoop_db::{ReadTx, Row, Timestamp, Uuid, params};

use crate::call::access::Access;
use crate::call::argument::{Field, Json, Object, is_blank};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, FieldProblem, Result};
use crate::call::storage::{self, Class};
use crate::call::sweep::{Sweep, few};

/// The name of the argument. Errors also use it for the `Idempotency-Key` header.
pub(crate) const FIELD: &str = "idempotency_key";
/// Maximum length of a key, in characters.
const MAX_KEY_CHARACTERS: usize = 255;
/// How long a key is remembered, in microseconds.
const RETENTION: u64 = 24 * 60 * 60 * 1_000_000;
/// Maximum length of an answer that is stored whole, in bytes.
pub(crate) const MAX_KEPT: usize = 2 * 1024;

crate::call::table::table! {
    /// The remembered answers.
    pub(crate) const IDEMPOTENCY = idempotency {
        per_tenant,
        key: { credential_id: Id, idempotency_key: Text },
        columns: {
            tool: Text, fingerprint: Bytes, answer: Text, answered_at: Time, whole_hash: Bytes,
        },
        exported: Internal,
        erased: [WithTenant, OnExpiry],
    }
}

zoop_db::statements! {
    /// The remembered answer under a key.
    FIND = "SELECT tool, fingerprint, answer, answered_at, whole_hash FROM idempotency \
            WHERE tenant_no = $1 AND credential_id = $2 AND idempotency_key = $3";
    /// Remembers an answer. Replaces the expired answer under the same key, if there is one.
    REMEMBER = "INSERT INTO idempotency \
                (tenant_no, credential_id, idempotency_key, tool, fingerprint, answer, answered_at, \
                whole_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                ON CONFLICT (tenant_no, credential_id, idempotency_key) DO UPDATE SET \
                tool = excluded.tool, fingerprint = excluded.fingerprint, \
                answer = excluded.answer, answered_at = excluded.answered_at, \
                whole_hash = excluded.whole_hash";
    /// The next answers after a key.
    NEXT = "SELECT credential_id, idempotency_key, answer FROM idempotency \
            WHERE tenant_no = $1 AND (credential_id, idempotency_key) > ($2, $3) \
            ORDER BY credential_id, idempotency_key LIMIT $4";
    /// The answers since a time. SQLite would look among all answers of the tenant.
    SINCE = {
        sqlite: "SELECT credential_id, idempotency_key, answer FROM idempotency INDEXED BY idempotency_by_age \
                 WHERE tenant_no = $1 AND answered_at >= $2",
        postgres: "SELECT credential_id, idempotency_key, answer FROM idempotency \
                   WHERE tenant_no = $1 AND answered_at >= $2",
    };
    /// The size of what [`ERASE`] erases.
    SIZE = "SELECT CAST(octet_length(tool) + octet_length(fingerprint) + octet_length(answer) \
            + coalesce(octet_length(whole_hash), 0) AS bigint) FROM idempotency \
            WHERE tenant_no = $1 AND credential_id = $2 AND idempotency_key = $3";
    /// Without a tool it answers no call, and no other call can use the key.
    ERASE = "UPDATE idempotency SET tool = '', fingerprint = $4, answer = '', whole_hash = NULL \
             WHERE tenant_no = $1 AND credential_id = $2 AND idempotency_key = $3";
}

/// Returns the tenant and the size in bytes of each removed row.
macro_rules! removed {
    () => {
        " RETURNING tenant_no, 60 + octet_length(idempotency_key) + octet_length(tool) \
         + octet_length(answer) + octet_length(fingerprint) + coalesce(octet_length(whole_hash), 0)"
    };
}

zoop_db::global_statements! {
    /// Removes expired answers, in every tenant.
    FORGET = (concat!("DELETE FROM idempotency", few!("idempotency",
              "tenant_no, credential_id, idempotency_key", "answered_at <= $1", "answered_at"), removed!()));
    /// Removes answers that a wrong clock dated a day or more into the future.
    FORGET_AHEAD = (concat!("DELETE FROM idempotency", few!("idempotency",
                    "tenant_no, credential_id, idempotency_key", "answered_at >= $1", "answered_at"), removed!()));
}

/// An idempotency key, with the tool and the fingerprint of the call that it identifies.
pub(crate) struct Claim {
    pub(crate) key: String,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) tool: &'static str,
}

/// An answer as it is stored: whole, or a part of it and a hash of the whole.
pub(crate) struct Remembered {
    /// The whole answer, or the part of it that every caller may see.
    pub(crate) answer: String,
    /// The hash of the whole answer, if only a part is stored.
    whole_hash: Option<Vec<u8>>,
}

impl Remembered {
    /// An answer that is stored whole.
    pub(crate) const fn whole(answer: String) -> Self {
        Self { answer, whole_hash: None }
    }

    /// An answer of which only `part` is stored. A retry gets `part` if `whole` cannot be produced again.
    pub(crate) fn part(part: String, whole: &str) -> Self {
        Self { answer: part, whole_hash: Some(Sha256::digest(whole).to_vec()) }
    }

    /// Whether only a part is stored.
    pub(crate) const fn is_part(&self) -> bool {
        self.whole_hash.is_some()
    }

    /// Whether `answer` is the whole answer of which a part is stored.
    pub(crate) fn is_part_of(&self, answer: &str) -> bool {
        self.whole_hash.as_deref() == Some(&*Sha256::digest(answer))
    }
}

/// The field that every write accepts.
pub(crate) fn fields() -> Vec<Field> {
    vec![Field {
        name: FIELD,
        about: "Retry with the same key to write once.".to_owned(),
        schema: serde_json::json!({ "type": "string", "maxLength": MAX_KEY_CHARACTERS }),
        required: false,
    }]
}

/// Takes the key from the arguments, or else from the header. If both have a key, the two must be equal.
pub(crate) fn take_key(
    arguments: &mut Object,
    header: Option<&str>,
) -> Result<Option<String>, FieldProblem> {
    let problem =
        |problem: &str| FieldProblem { field: FIELD.to_owned(), problem: problem.to_owned() };
    let index = arguments.iter().position(|(name, _)| name == FIELD);
    let sent = match index.map(|index| arguments.remove(index).1) {
        None | Some(Json::Null) => None,
        Some(Json::Text(key)) => Some(key),
        Some(other) => {
            return Err(problem(&format!("must be a string, not {}", other.type_name())));
        }
    };
    let sent = sent.as_deref().filter(|key| !is_blank(key)).map(str::trim);
    let header = header.filter(|key| !is_blank(key)).map(str::trim);
    let key = match (sent, header) {
        (Some(sent), Some(header)) if sent != header => {
            return Err(problem("differs from the Idempotency-Key header or _meta: send one"));
        }
        (Some(key), _) | (None, Some(key)) => key,
        (None, None) => return Ok(None),
    };
    if key.chars().count() > MAX_KEY_CHARACTERS || key.chars().any(char::is_control) {
        return Err(problem(&format!(
            "must be at most {MAX_KEY_CHARACTERS} characters, none of them control characters"
        )));
    }
    Ok(Some(key.to_owned()))
}

/// A hash of a call's arguments that depends neither on the order of the fields nor on those that differ in each try.
pub(crate) fn fingerprint(arguments: &Object, per_try: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest_object(&mut digest, arguments, per_try);
    digest.finalize().into()
}

fn digest_object(digest: &mut Sha256, object: &Object, per_try: &[&str]) {
    let compared = |(name, _): &&(String, Json)| !per_try.contains(&name.as_str());
    let mut members: Vec<_> = object.iter().filter(compared).collect();
    members.sort_by(|left, right| left.0.cmp(&right.0));
    digest.update(b"{");
    for (name, value) in members {
        digest_text(digest, name);
        digest_value(digest, value, per_try);
    }
    digest.update(b"}");
}

fn digest_value(digest: &mut Sha256, value: &Json, per_try: &[&str]) {
    match value {
        Json::Null => digest.update(b"n"),
        Json::Boolean(truth) => digest.update([b'b', u8::from(*truth)]),
        Json::Number(number) => digest_text(digest, &number.to_string()),
        // No tool accepts a huge number, so its value need not be part of the hash.
        Json::HugeNumber => digest.update(b"h"),
        Json::Text(text) => digest_text(digest, text),
        Json::List(items) => {
            digest.update(b"[");
            for item in items {
                digest_value(digest, item, per_try);
            }
            digest.update(b"]");
        }
        Json::Object(members) => digest_object(digest, members, per_try),
    }
}

/// Hashes the length first, so that two strings in a row are unambiguous.
fn digest_text(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text.as_bytes());
}

/// Whether a key of the tool has been answered, whatever the other arguments were.
///
/// # Errors
/// [`Error::InvalidInput`] if it is not a key.
pub(crate) fn is_answered(
    ctx: &mut ReadCtx<'_, '_>,
    tool: &'static str,
    key: &str,
) -> Result<bool> {
    let key = take_key(&mut Object::new(), Some(key)).map_err(|it| Error::fields(vec![it]))?;
    let Some(key) = key else { return Ok(false) };
    let known = find(ctx.tx, ctx.access, ctx.now, &key)?;
    Ok(known.is_some_and(|known| known.tool == tool))
}

/// A remembered answer, with what it is the answer to.
struct Known {
    tool: String,
    fingerprint: Vec<u8>,
    remembered: Remembered,
}

/// What is remembered under the claim's key.
fn find(tx: &mut ReadTx<'_>, access: &Access, now: Timestamp, key: &str) -> Result<Option<Known>> {
    let credential = access.credential.uuid();
    let known = tx.first::<_, Error>(FIND, params![credential, key], |row| {
        let (tool, fingerprint, answer) = (row.take()?, row.take()?, row.take()?);
        let answered_at: Timestamp = row.take()?;
        let remembered = Remembered { answer, whole_hash: row.take()? };
        Ok((Known { tool, fingerprint, remembered }, answered_at))
    })?;
    // A wrong clock may have dated the answer into the future. The answer is valid for less than a day before and after
    // its time.
    let is_valid = |at: Timestamp| now.0.abs_diff(at.0) < RETENTION;
    Ok(known.and_then(|(known, answered_at)| is_valid(answered_at).then_some(known)))
}

/// Returns the answer that is stored under the claim's key. It is an error if another call used the key.
pub(crate) fn recall(
    tx: &mut ReadTx<'_>,
    access: &Access,
    now: Timestamp,
    claim: &Claim,
) -> Result<Option<Remembered>> {
    match find(tx, access, now, &claim.key)? {
        Some(known) if known.tool == claim.tool && known.fingerprint == claim.fingerprint => {
            Ok(Some(known.remembered))
        }
        Some(_) => Err(Error::conflict(
            "This idempotency key was used for another call in the last 24 hours: use a new key.",
        )),
        None => Ok(None),
    }
}

/// Stores an answer in the write's own transaction.
pub(crate) fn remember(
    ctx: &mut WriteCtx<'_, '_>,
    claim: &Claim,
    remembered: &Remembered,
) -> Result<()> {
    let credential = ctx.access.credential.uuid();
    let Claim { key, fingerprint, tool } = claim;
    let (answer, whole_hash) = (&remembered.answer, remembered.whole_hash.as_deref());
    let params = params![credential, key, *tool, *fingerprint, answer, ctx.now, whole_hash];
    ctx.tx.execute(REMEMBER, params)?;
    let texts = storage::length(key) + storage::length(tool) + storage::length(answer);
    let hashes = fingerprint.len() + whole_hash.map_or(0, <[u8]>::len);
    let bytes = IDEMPOTENCY.row_size() + texts + i64::try_from(hashes).unwrap_or(0);
    ctx.stored.add(Class::Answers, bytes);
    Ok(())
}

/// How many answers are read at once.
const ANSWERS: i64 = 200;

/// The credential and the key that an answer is remembered under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerKey {
    credential: Uuid,
    key: String,
}

/// The remembered answers that name one of these records. Reads all answers of the tenant.
pub(crate) fn naming(tx: &mut ReadTx<'_>, records: &BTreeSet<Uuid>) -> Result<Vec<AnswerKey>> {
    let (mut found, mut after) = (Vec::new(), (Uuid::nil(), String::new()));
    loop {
        tx.ensure_time()?;
        let answers = tx.all::<_, Error>(NEXT, params![after.0, after.1, ANSWERS], read_answer)?;
        let Some((last, _)) = answers.last() else { return Ok(found) };
        after = (last.credential, last.key.clone());
        found.extend(answers.into_iter().filter(|it| names_any(&it.1, records)).map(|it| it.0));
    }
}

/// Those of the answers since a time that name one of these records.
pub(crate) fn naming_since(
    tx: &mut ReadTx<'_>,
    start: Timestamp,
    records: &BTreeSet<Uuid>,
) -> Result<Vec<AnswerKey>> {
    let answers = tx.all::<_, Error>(SINCE, params![start], |row| {
        let (key, answer) = read_answer(row)?;
        Ok(names_any(&answer, records).then_some(key))
    })?;
    Ok(answers.into_iter().flatten().collect())
}

fn read_answer(row: &mut Row<'_>) -> Result<(AnswerKey, String)> {
    Ok((AnswerKey { credential: row.take()?, key: row.take()? }, row.take()?))
}

/// Erases remembered answers. Their keys stay taken, so that a retry writes nothing.
pub(crate) fn erase(ctx: &mut WriteCtx<'_, '_>, answers: &[AnswerKey]) -> Result<()> {
    for AnswerKey { credential, key } in answers {
        let size =
            ctx.tx.first::<i64, Error>(SIZE, params![credential, key], |row| Ok(row.take()?))?;
        // A sweep may have removed it meanwhile.
        let Some(size) = size else { continue };
        ctx.tx.execute(ERASE, params![credential, key, b""[..]])?;
        ctx.stored.add(Class::Answers, -size);
    }
    Ok(())
}

/// Whether a JSON text has the id of one of the records as a string.
fn names_any(answer: &str, records: &BTreeSet<Uuid>) -> bool {
    let ids = answer.split('"').filter(|text| text.len() == 36);
    ids.filter_map(|text| Uuid::try_parse(text).ok()).any(|id| records.contains(&id))
}

/// The sweeps of answers that have expired.
pub(crate) const SWEEPS: &[Sweep] = &[
    Sweep {
        rows: "remembered answers",
        step: |tx, now| {
            let last = Timestamp(now.0.saturating_sub_unsigned(RETENTION));
            storage::sweep(tx, Class::Answers, FORGET, params![last])
        },
    },
    Sweep {
        rows: "remembered answers from the future",
        step: |tx, now| {
            let first = Timestamp(now.0.saturating_add_unsigned(RETENTION));
            storage::sweep(tx, Class::Answers, FORGET_AHEAD, params![first])
        },
    },
];
