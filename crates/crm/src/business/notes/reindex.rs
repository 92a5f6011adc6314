//! Indexes notes again that an earlier version of the program has indexed, since this version indexes more: the
//! stems of words.
//!
//! Until a note is indexed again, it is found as before. The server's background work does this in small steps. Each
//! step computes the tokens of some notes in a read, and then writes them, unless a note has changed in between. A
//! row for each tenant says how far this has come.
//!
//! While servers are being upgraded, one of the previous version may index a note in the old form after the first pass.
//! So a second pass, a day later, indexes those notes again that have changed since the first pass began.

use zoop_db::{Param, ReadTx, Tenant, Timestamp, Uuid, Value, WriteTx, params};

use super::Note;
use super::store::{PAGE, Tokenizer};
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::clock::Moment;

/// The form in which this version indexes notes. A version that indexes them in another form has a greater number.
const FORM: i64 = 1;
/// Maximum number of notes that a step reads.
const NOTES: usize = 200;
/// A step ends with the note that makes its tokens longer than this: writing them takes about as long as the longest
/// note takes, and every other write waits.
const MAX_TOKEN_BYTES: usize = 128 * 1024;
/// How long after the first pass began the second one begins, in microseconds.
const BETWEEN_PASSES: i64 = 24 * 60 * 60 * 1_000_000;

crate::call::table::table! {
    /// How far each tenant's notes have been indexed in a newer form.
    pub(crate) const NOTE_REINDEXING = note_reindexing {
        shared: "say which tenants' notes have to be indexed again",
        key: { tenant_no: Integer },
        columns: { form: Integer, pass: Integer, last_id: Id, began_at: Time },
        exported: Internal,
        erased: [WithTenant],
    }
}

zoop_db::statements! {
    /// Writes the tokens of a note that is in the index and has not changed since they were computed.
    REPLACE = {
        sqlite: "UPDATE note_search SET tokens = $3 WHERE rowid = $2 AND EXISTS \
                 (SELECT 1 FROM notes WHERE tenant_no = $1 AND n = $2 AND updated_at = $4)",
        postgres: "UPDATE note_search \
                   SET tokens = array_to_tsvector(string_to_array(document.tokens, ' ')) \
                   FROM unnest($2::bigint[], $3::text[], $4::timestamptz[]) \
                   AS document (n, tokens, updated_at), notes x \
                   WHERE note_search.tenant_no = $1 AND note_search.n = document.n \
                   AND x.tenant_no = $1 AND x.n = document.n \
                   AND x.updated_at = document.updated_at",
    };
}

zoop_db::global_statements! {
    /// The first tenant, from `$1` on, with notes to index: no pass has begun, the first has not ended, or the
    /// second is due.
    DUE = "SELECT t.no, r.pass, r.last_id, r.began_at FROM tenants t \
           LEFT JOIN note_reindexing r ON r.tenant_no = t.no AND r.form >= $2 \
           WHERE t.no >= $1 AND (r.pass IS NULL OR r.pass = 0 OR (r.pass = 1 AND r.began_at <= $3)) \
           ORDER BY t.no LIMIT 1";
    /// Records progress, unless another process has come further.
    ADVANCE = "INSERT INTO note_reindexing (tenant_no, form, pass, last_id, began_at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_no) DO UPDATE \
               SET form = excluded.form, pass = excluded.pass, last_id = excluded.last_id, \
               began_at = excluded.began_at \
               WHERE (note_reindexing.form, note_reindexing.pass, note_reindexing.last_id) \
               < (excluded.form, excluded.pass, excluded.last_id)";
}

/// How far a tenant's notes have been indexed again.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The number of passes that have ended.
    pass: i64,
    /// The current pass has indexed the notes up to this id.
    after: Uuid,
    /// When the first pass began.
    began_at: Timestamp,
}

/// The notes of one step, with their tokens.
#[derive(Debug)]
pub struct Step {
    tenant: Tenant,
    documents: Vec<Document>,
    /// The progress once they are written.
    progress: Progress,
}

/// What the index is to contain for one note.
#[derive(Debug)]
struct Document {
    /// The note's number in the index.
    n: i64,
    tokens: String,
    /// When the note was last changed before the tokens were computed.
    updated_at: Moment,
}

impl Document {
    /// The parameters of [`REPLACE`].
    fn row(&self) -> Vec<Value<'_>> {
        vec![Value::Integer(self.n), Value::Text(&self.tokens), self.updated_at.value()]
    }
}

impl Step {
    /// The tenant whose notes these are.
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }
}

/// Computes the next step in the tenants from `from` on. `None` if no notes have to be indexed again.
///
/// # Errors
/// If the database fails.
pub fn next(tx: &mut ReadTx<'_>, from: Tenant, now: Timestamp) -> Result<Option<Step>> {
    let due_since = Timestamp(now.0 - BETWEEN_PASSES);
    let due = tx.global_first::<_, Error>(DUE, params![from.0, FORM, due_since], |row| {
        let tenant = Tenant(row.take()?);
        let (pass, after, began_at) = (row.take::<Option<i64>>()?, row.take()?, row.take()?);
        Ok((tenant, pass.zip(after).zip(began_at)))
    })?;
    let Some((tenant, progress)) = due else { return Ok(None) };
    let progress = match progress {
        Some(((pass, after), began_at)) => Progress { pass, after, began_at },
        None => Progress { pass: 0, after: Uuid::nil(), began_at: now },
    };
    tx.bind(tenant);
    step(tx, tenant, progress).map(Some)
}

fn step(tx: &mut ReadTx<'_>, tenant: Tenant, progress: Progress) -> Result<Step> {
    let count = i64::try_from(NOTES).unwrap_or(i64::MAX);
    let page = tx.all::<_, Error>(PAGE, params![progress.after, count], Note::read)?;
    // The second pass leaves out what has not changed since the first one began.
    let changed_since = if progress.pass == 0 { i64::MIN } else { progress.began_at.0 };
    let mut tokenizer = Tokenizer::default();
    let (mut documents, mut bytes) = (Vec::new(), 0);
    let (mut after, mut is_end) = (progress.after, page.len() < NOTES);
    for note in page {
        tx.ensure_time()?;
        if bytes > MAX_TOKEN_BYTES {
            is_end = false;
            break;
        }
        after = note.id.uuid();
        if note.updated_at.0.0 >= changed_since
            && let Some(tokens) = tokenizer.tokens(tx, &note)?
        {
            bytes += tokens.len();
            documents.push(Document { n: note.n, tokens, updated_at: note.updated_at });
        }
    }
    let progress = if is_end {
        Progress { pass: progress.pass + 1, after: Uuid::nil(), ..progress }
    } else {
        Progress { after, ..progress }
    };
    Ok(Step { tenant, documents, progress })
}

/// Writes a step, and records the progress. A note that was changed or archived since the step was computed is left
/// out.
///
/// # Errors
/// If the database fails.
pub fn write(tx: &mut WriteTx<'_>, step: &Step) -> Result<()> {
    tx.bind(step.tenant);
    let rows: Vec<_> = step.documents.iter().map(Document::row).collect();
    tx.execute_each(REPLACE, &rows)?;
    let Progress { pass, after, began_at } = step.progress;
    tx.global_execute(ADVANCE, params![step.tenant.0, FORM, pass, after, began_at])?;
    Ok(())
}
