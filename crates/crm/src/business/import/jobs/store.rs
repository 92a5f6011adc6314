//! The SQL of jobs: what they are, their files, and when something is to be done for them.

use zoop_db::{ReadTx, Tenant, Timestamp, WriteTx, params, text};

use super::{DELETED_AT_ONCE, Due, Job, Listed, PART_BYTES, Stage, StoredFile};
use crate::call::error::{Error, Result};
use crate::call::table::Record;
use crate::values::id::{Id, kinds};

crate::call::table::record! {
    /// An import that a page prepares and runs.
    #[derive(Debug, Clone)]
    pub(super) struct JobRow {
        pub(super) id: Id<kinds::ImportJob> as fixed,
        /// Who does it: whoever sent the file, or decided last.
        pub(super) user_id: Id<kinds::User>,
        pub(super) session_id: Id<kinds::Session>,
        pub(super) file_name: String as fixed,
        pub(super) stage: Stage,
        /// How the file is read, as JSON.
        pub(super) reading: String,
        /// The columns of the file, as JSON.
        pub(super) columns: String,
        /// What was shown of the plan, as JSON.
        pub(super) preview: String,
        /// The token of the plan that was shown. Empty without a plan.
        pub(super) plan: String,
        pub(super) when_rejected: super::WhenRejected,
        pub(super) import_id: Option<Id<kinds::Import>>,
        /// What was done, as JSON.
        pub(super) result: String,
        /// Why the last step was not done. Empty if it was.
        pub(super) problem: String,
        pub(super) done: i64,
        pub(super) total: i64,
    }

    table import_jobs {
        key: [id],
        exported: Internal,
        erased: [WithCustomer, WithTenant, OnExpiry],
    }
}

crate::call::table::table! {
    /// The files of jobs, in pieces.
    pub(crate) const IMPORT_PARTS = import_parts {
        per_tenant,
        key: { job_id: Id, file: Text, part: Integer },
        columns: { bytes: Bytes as fixed },
        exported: Internal,
        erased: [WithCustomer, WithTenant, OnExpiry],
    }
}

crate::call::table::table! {
    /// When something is to be done for each job.
    pub(crate) const IMPORT_QUEUE = import_queue {
        shared: "say for which tenant something is to be done next",
        key: { tenant_no: Integer, job_id: Id },
        columns: { due_at: Time },
        exported: Internal,
        erased: [WithTenant, OnExpiry],
    }
}

pub(crate) const IMPORT_JOBS: crate::call::table::Table = JobRow::TABLE;

zoop_db::statements! {
    GREATEST_ID_BELOW = "SELECT id FROM import_jobs WHERE tenant_no = $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    INSERT = (JobRow::INSERT);
    UPDATE = (JobRow::UPDATE);
    GET = (text!("SELECT ", JobRow::SELECTED, " FROM import_jobs WHERE tenant_no = $1 AND id = $2"));
    LATEST = "SELECT id, file_name, stage, import_id FROM import_jobs WHERE tenant_no = $1 AND stage <> 'removed' \
              ORDER BY id DESC LIMIT $2";
    OLDEST = "SELECT id FROM import_jobs WHERE tenant_no = $1 ORDER BY id LIMIT 1";
    /// Some jobs whose files are stored.
    OPEN = "SELECT id FROM import_jobs WHERE tenant_no = $1 AND stage <> 'ended' ORDER BY id LIMIT $2";
    PROGRESS = "UPDATE import_jobs SET done = $3, total = $4 WHERE tenant_no = $1 AND id = $2";
    DELETE = "DELETE FROM import_jobs WHERE tenant_no = $1 AND id = $2";
    ADD_PART = "INSERT INTO import_parts (tenant_no, job_id, file, part, bytes) VALUES ($1, $2, $3, $4, $5)";
    PART = "SELECT bytes FROM import_parts WHERE tenant_no = $1 AND job_id = $2 AND file = $3 AND part = $4";
    /// The last parts of a file.
    DELETE_LAST_PARTS = "DELETE FROM import_parts WHERE tenant_no = $1 AND job_id = $2 AND file = $3 AND part IN \
        (SELECT p.part FROM import_parts p WHERE p.tenant_no = $1 AND p.job_id = $2 AND p.file = $3 \
        ORDER BY p.part DESC LIMIT $4)";
}

zoop_db::global_statements! {
    /// The job that is due the longest.
    DUE = "SELECT q.tenant_no, t.id, q.job_id, q.due_at FROM import_queue q JOIN tenants t ON t.no = q.tenant_no \
           WHERE q.due_at <= $1 AND q.tenant_no <> $2 ORDER BY q.due_at LIMIT 1";
    CLAIM = "UPDATE import_queue SET due_at = $4 WHERE tenant_no = $1 AND job_id = $2 AND due_at = $3";
    POSTPONE = "INSERT INTO import_queue (tenant_no, job_id, due_at) VALUES ($1, $2, $3) \
                ON CONFLICT (tenant_no, job_id) DO UPDATE SET due_at = excluded.due_at";
    FORGET = "DELETE FROM import_queue WHERE tenant_no = $1 AND job_id = $2";
}

pub(super) fn insert(tx: &mut WriteTx<'_>, job: &JobRow) -> Result<()> {
    tx.execute(INSERT, job.inserted().as_ref())?;
    Ok(())
}

pub(super) fn update(tx: &mut WriteTx<'_>, job: &JobRow) -> Result<()> {
    tx.execute(UPDATE, job.updated().as_ref())?;
    Ok(())
}

pub(super) fn get(tx: &mut ReadTx<'_>, id: Id<kinds::ImportJob>) -> Result<JobRow> {
    tx.first::<_, Error>(GET, params![id], JobRow::read)?.ok_or(Error::not_found("import"))
}

pub(super) fn latest(tx: &mut ReadTx<'_>, count: usize) -> Result<Vec<Listed>> {
    tx.all(LATEST, params![i64::try_from(count).unwrap_or(i64::MAX)], |row| {
        Ok(Listed {
            id: row.take()?,
            file_name: row.take()?,
            stage: row.take()?,
            import: row.take()?,
        })
    })
}

pub(super) fn oldest(tx: &mut ReadTx<'_>) -> Result<Option<Id<kinds::ImportJob>>> {
    tx.first::<_, Error>(OLDEST, &[], |row| Ok(row.take()?))
}

/// Whether so many jobs have files.
pub(super) fn has_open(tx: &mut ReadTx<'_>, count: usize) -> Result<bool> {
    let most = i64::try_from(count).unwrap_or(i64::MAX);
    let open: Vec<Id<kinds::ImportJob>> =
        tx.all::<_, Error>(OPEN, params![most], |row| Ok(row.take()?))?;
    Ok(open.len() >= count)
}

pub(super) fn set_progress(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::ImportJob>,
    done: usize,
    total: usize,
) -> Result<()> {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(PROGRESS, params![id, number(done), number(total)])?;
    Ok(())
}

pub(super) fn delete(tx: &mut WriteTx<'_>, id: Id<kinds::ImportJob>) -> Result<()> {
    tx.execute(DELETE, params![id])?;
    Ok(())
}

/// Adds some bytes of a file, from a part on.
pub(super) fn add_parts(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::ImportJob>,
    file: StoredFile,
    first: i64,
    bytes: &[u8],
) -> Result<()> {
    for (part, bytes) in (first..).zip(bytes.chunks(PART_BYTES)) {
        tx.execute(ADD_PART, params![id, file, part, *bytes])?;
    }
    Ok(())
}

pub(super) fn part(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::ImportJob>,
    file: StoredFile,
    part: i64,
) -> Result<Option<Vec<u8>>> {
    tx.first::<_, Error>(PART, params![id, file, part], |row| Ok(row.take()?))
}

/// Deletes the last parts of a file. Returns whether there may be more.
pub(super) fn delete_last_parts(
    tx: &mut WriteTx<'_>,
    id: Id<kinds::ImportJob>,
    file: StoredFile,
) -> Result<bool> {
    Ok(tx.execute(DELETE_LAST_PARTS, params![id, file, DELETED_AT_ONCE])? > 0)
}

/// The job that is due the longest, but for those of one tenant.
pub(super) fn next_due(
    tx: &mut ReadTx<'_>,
    now: Timestamp,
    except: Option<Tenant>,
) -> Result<Option<Due>> {
    let except = except.map_or(0, |tenant| tenant.0);
    tx.global_first(DUE, params![now, except], |row| {
        Ok(Due {
            number: Tenant(row.take()?),
            tenant: row.take()?,
            job: row.take()?,
            due_at: row.take()?,
        })
    })
}

/// Moves the time of a job, if it still is what it was: no one else has claimed the job or done something with it.
pub(super) fn claim(tx: &mut WriteTx<'_>, due: &Due, until: Timestamp) -> Result<bool> {
    let Due { number, job, due_at, .. } = due;
    Ok(tx.global_execute(CLAIM, params![number.0, job, due_at, until])? > 0)
}

/// Sets when something is to be done for a job next.
pub(super) fn postpone(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    job: Id<kinds::ImportJob>,
    until: Timestamp,
) -> Result<()> {
    tx.global_execute(POSTPONE, params![tenant.0, job, until])?;
    Ok(())
}

/// Takes a job that is not there any more out of the queue.
pub(super) fn forget(
    tx: &mut WriteTx<'_>,
    tenant: Tenant,
    job: Id<kinds::ImportJob>,
) -> Result<()> {
    tx.global_execute(FORGET, params![tenant.0, job])?;
    Ok(())
}

impl JobRow {
    /// The job as pages show it.
    pub(super) fn shown(self) -> Result<Job> {
        let part = |json: &str| serde_json::from_str(json).map_err(Error::internal);
        let preview = (!self.preview.is_empty()).then(|| part(&self.preview)).transpose()?;
        Ok(Job {
            id: self.id,
            file_name: self.file_name,
            stage: self.stage,
            reading: serde_json::from_str(&self.reading).map_err(Error::internal)?,
            columns: serde_json::from_str(&self.columns).map_err(Error::internal)?,
            preview,
            plan: self.plan,
            import: self.import_id,
            result: serde_json::from_str(&self.result).map_err(Error::internal)?,
            problem: self.problem,
            done: self.done,
            total: self.total,
        })
    }
}
