//! `zoop export` and `zoop restore-account`: writes all that a business has stored to a folder, and brings it back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::json;
use zoop_crm::call::proof::Proof;
use zoop_crm::export::manifest::{Manifest, Purpose};
use zoop_crm::export::{self, Written};
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Migrate;
use zoop_server::{ExportFolder, FileStore};

use crate::arguments::{Export, RestoreAccount};
use crate::config::Config;
use crate::database::{self, Missing};
use crate::file_store;
use crate::operator::{About, Operator, to_anyhow};
use crate::output::{self, Output};

/// The time limit for reading or writing all rows of a business.
const LONG_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs `zoop export`.
pub(crate) fn export(config: &Config, command: &Export, output: &mut Output<'_>) -> Result<()> {
    let Export { to, of } = command;
    let operator = Operator::open(config, Missing::Refuse)?;
    let account = operator.account(&About::Tenant(of.tenant.clone()))?;
    let store = config.files()?;
    let folder = ExportFolder::create(to)?;
    let (target, now) = (folder.clone(), operator.environment.clock.now());
    let bar = Bar::new("rows");
    let drawn = bar.clone();
    let written = operator.db().read(Instant::now() + LONG_TIMEOUT, move |tx| {
        target.write_rows(tx, account, now, &mut |done, all| drawn.show(done, all))
    });
    let written = written.wait();
    bar.finish();
    let mut written = written.map_err(|error| to_anyhow(&error))?;
    let (about, environment) =
        (About::Tenant(Some(account.id.to_string())), operator.environment.clone());
    operator.write(move |tx| {
        let access = about.access(tx, &environment)?;
        export::record(tx, &access, &environment)
    })?;
    let missing = write_contents(&folder, store.as_ref(), &mut written)?;
    folder.finish(&written.manifest)?;
    let Manifest { business, files, .. } = &written.manifest;
    let rows: u64 = data_rows(&written.manifest);
    let contents = written.files.len() - missing;
    let answer = json!({
        "exported": true, "tenant_id": business.id, "path": to, "rows": rows, "files": contents, "missing": missing,
    });
    output.answer(&answer, || {
        let shown = output::cell(&json!(business.name));
        let count = file_store::count(contents);
        format!(
            "exported {shown} to {}: {rows} rows and the content of {count} on notes, in {} files; README.txt says \
             what is in them",
            to.display(),
            files.len() + 1
        )
    })?;
    Ok(())
}

/// Writes the content of files on notes, and returns of how many it is missing.
fn write_contents(
    folder: &ExportFolder,
    store: Option<&FileStore>,
    written: &mut Written,
) -> Result<usize> {
    if written.files.is_empty() {
        return Ok(0);
    }
    let Some(store) = store else {
        output::note(&format!(
            "the content of {} on notes is not in the export, because files.url is not set",
            file_store::count(written.files.len())
        ));
        return Ok(written.files.len());
    };
    let bar = output::progress("files", written.files.iter().map(|file| file.size).sum());
    let progress = |size| bar.inc(size);
    let missing = file_store::wait(folder.write_contents(store, written, &progress));
    bar.finish_and_clear();
    let missing = missing?;
    if let Some(first) = missing.first() {
        output::note(&format!(
            "the content of {} is missing in {store}, so it is not in the export: {}",
            file_store::count(missing.len()),
            export::content(first)
        ));
    }
    Ok(missing.len())
}

/// Runs `zoop restore-account`.
pub(crate) fn restore(
    config: &Config,
    command: &RestoreAccount,
    output: &mut Output<'_>,
) -> Result<()> {
    let (folder, manifest) = ExportFolder::open(&command.from)?;
    check(&folder, &manifest)?;
    let database = database::open(
        &config.database,
        &config.sequential_options(),
        Missing::Create,
        Migrate::Refuse,
    )?;
    let operator = Operator::with_database(database, config)?;
    let into = match &command.tenant {
        Some(_) => operator.account(&About::Tenant(command.tenant.clone()))?.id,
        None => manifest.business.id,
    };
    let manifest = Arc::new(manifest);
    let of = manifest.clone();
    operator.read(move |tx| export::check_target(tx, &of, into))?;
    let files = put_contents(config, &folder, &manifest, into)?;
    let (environment, from) = (operator.environment.clone(), manifest.clone());
    let open = folder.reader();
    let bar = Bar::new("rows");
    let drawn = bar.clone();
    let brought = operator.db().write(Instant::now() + LONG_TIMEOUT, move |tx| {
        export::bring_back(tx, &environment, &from, into, &*open, &mut |done, all| {
            drawn.show(done, all);
        })
    });
    let brought = brought.wait();
    bar.finish();
    let brought = brought.map_err(|error| to_anyhow(&error)).context("nothing was brought back")?;
    let (rows, pending) = (data_rows(&manifest), brought.pending);
    let answer = json!({
        "restored": true, "tenant_id": into, "rows": rows, "files": files, "pending": pending,
    });
    output.answer(&answer, || {
        let shown = output::cell(&json!(manifest.business.name));
        let count = file_store::count(files);
        let people = match pending {
            0 => String::new(),
            _ => format!(
                "\n{pending} of its people are pending members: send each a link with `zoop user password-link`, or \
                 set a password with `zoop user set-password`"
            ),
        };
        format!(
            "brought {shown} back ({into}): {rows} rows and the content of {count} on notes. Its API keys are \
             revoked, and its programs have to be connected again{people}"
        )
    })?;
    Ok(())
}

/// Checks that the files are those that were exported.
fn check(folder: &ExportFolder, manifest: &Manifest) -> Result<()> {
    let data = manifest.files.iter().filter(|file| file.purpose == Purpose::Data);
    let bar = output::progress("checksums", data.map(|file| file.bytes).sum());
    let checked = export::check(manifest, &*folder.reader(), &mut |done| bar.set_position(done));
    bar.finish_and_clear();
    checked.map_err(|error| to_anyhow(&error))
}

/// Puts the content of files into the store before the rows need it. Content without a row is deleted after a day.
fn put_contents(
    config: &Config,
    folder: &ExportFolder,
    manifest: &Manifest,
    into: Id<kinds::Tenant>,
) -> Result<usize> {
    let contents = manifest.files.iter().filter(|file| file.name.starts_with("files/"));
    let bytes: Vec<_> = contents.map(|file| file.bytes).collect();
    if bytes.is_empty() {
        return Ok(0);
    }
    let Some(store) = config.files()? else {
        bail!(
            "the export has the content of {} on notes, and there is no store for it: set files.url first",
            file_store::count(bytes.len())
        );
    };
    let bar = output::progress("files", bytes.iter().sum());
    let progress = |size| bar.inc(size);
    let put = file_store::wait(folder.put_contents(manifest, &store, into, &progress));
    bar.finish_and_clear();
    put.context("nothing was brought back")
}

/// The number of rows that come back.
fn data_rows(manifest: &Manifest) -> u64 {
    let data = manifest.files.iter().filter(|file| file.purpose == Purpose::Data);
    data.filter_map(|file| file.rows).sum()
}

/// A progress bar that a database thread moves.
#[derive(Clone)]
struct Bar(Arc<Mutex<ProgressBar>>);

impl Bar {
    fn new(label: &'static str) -> Self {
        Self(Arc::new(Mutex::new(output::progress(label, 0))))
    }

    fn show(&self, done: u64, all: u64) {
        let bar = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bar.set_length(all);
        bar.set_position(done);
    }

    fn finish(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).finish_and_clear();
    }
}
