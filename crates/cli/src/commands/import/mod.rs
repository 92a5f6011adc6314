//! `zoop import`: adds the customers of a file to a business, after showing what it would do; and undoes an import.

mod preview;

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;
use zoop_crm::business::import::columns::{Column as SaidColumn, Meaning, Said};
use zoop_crm::business::import::preview::Preview;
use zoop_crm::business::import::sheet::MAX_BYTES;
use zoop_crm::business::import::{self, report, run as run_import, undo};
use zoop_crm::business::import::{Importer, Plan, Reading, Source, WhenRejected};
use zoop_crm::call::access::{Credential, Role, Source as CallSource};
use zoop_crm::call::proof::Proof as _;
use zoop_crm::identity::sign_in::ActingMember;
use zoop_crm::identity::users::tools::ListUsers;
use zoop_crm::values::id::Id;

use crate::arguments::{Confirmation, Import};
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator, to_anyhow};
use crate::output::{self, Output};
use crate::presence;
use crate::table::Column;

/// How many imports are listed.
const LISTED: usize = 50;
/// How long the command pauses between its writes. A process that locks a SQLite file again at once hardly ever lets a
/// server write: the lock has no queue, and those who wait for it look once a millisecond.
const PAUSE: Duration = Duration::from_millis(2);

const COLUMNS: &[Column] = &[
    Column::time("WHEN", "at"),
    Column::text("FILE", "file"),
    Column::word("STATE", "state"),
    Column::word("ADDED", "added"),
    Column::word("IMPORT", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Import, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    if command.list {
        return list(&operator, command, output);
    }
    let importer = importer(&operator, command)?;
    match (&command.file, &command.undo) {
        (_, Some(import)) => undo_import(&importer, import, output),
        (Some(file), None) => import_file(&operator, &importer, command, file, output),
        (None, None) => bail!("name the file to import"),
    }
}

/// The member in whose name customers are added: the one that `--user` names, otherwise the first owner.
fn importer(operator: &Operator, command: &Import) -> Result<Importer> {
    let about = About::Tenant(command.of.tenant.clone());
    let user = match &command.user {
        Some(named) => operator.find(&about, Kind::User, named)?.id,
        None => first_owner(operator, &about)?,
    };
    let tenant = operator.account(&about)?.id;
    let user = Id::parse(&user).context("the user has no id")?;
    let (credential, source) = (Credential::CommandLine, CallSource::default());
    let member = ActingMember { tenant, user, credential, source };
    Ok(Importer { db: operator.db(), environment: operator.environment.clone(), member })
}

fn first_owner(operator: &Operator, about: &About) -> Result<String> {
    let users = operator.all::<ListUsers>(about)?;
    let owner = users.iter().find(|user| user.member.role == Role::Owner && !user.is_waiting);
    let owner = owner.context("the business has no owner: name who imports with --user")?;
    Ok(owner.member.id.to_string())
}

/// The bytes of a file, up to one more than an import reads.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A new file, which is created before an import, so that it can be written afterwards.
fn create(path: &Path) -> Result<fs::File> {
    fs::File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

fn write(mut file: fs::File, table: &[u8]) -> Result<()> {
    file.write_all(table).context("the file cannot be written")
}

/// Lists the latest imports.
fn list(operator: &Operator, command: &Import, output: &mut Output<'_>) -> Result<()> {
    let about = About::Tenant(command.of.tenant.clone());
    let environment = operator.environment.clone();
    let imports = operator.read(move |tx| {
        let access = about.access(tx, &environment)?;
        if let Some(account) = access.account {
            tx.bind(account.number);
        }
        import::latest(tx, LISTED)
    })?;
    let rows: Vec<_> = imports
        .iter()
        .map(|it| {
            json!({
                "id": it.id, "file": it.file_name, "at": it.id.created_at(), "state": it.state, "added": it.added,
            })
        })
        .collect();
    output.answer(&json!({ "rows": rows }), || output::render_table(&rows, COLUMNS))?;
    Ok(())
}

fn import_file(
    operator: &Operator,
    importer: &Importer,
    command: &Import,
    file: &Path,
    output: &mut Output<'_>,
) -> Result<()> {
    let bytes = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    for written in [&command.report, &command.rejected].into_iter().flatten() {
        ensure!(
            !presence::is_one_file(written, file),
            "{} is the file to import",
            written.display()
        );
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let country = operator.account(&About::Tenant(command.of.tenant.clone()))?.country;
    let source = Source::read(&name, &bytes, reading(command)?, country);
    let source = source.map_err(|error| to_anyhow(&error))?;
    let plan =
        with_progress("looking up", || {}, |progress| Plan::make(importer, &source, progress))?;
    if let Some(path) = &command.report {
        write(create(path)?, &report::of_plan(&source, &plan))?;
    }
    let counts = plan.counts();
    if !is_wanted(command, &source, &plan, output)? {
        return Ok(());
    }
    if counts.added == 0 && counts.unusable == 0 {
        let answer = json!({ "import_id": null, "added": 0, "here": counts.here, "rejected": 0 });
        output.answer(&answer, || format!("nothing to import: {} there already", counts.here))?;
        return Ok(());
    }
    let rejected = command.rejected.as_deref().map(create).transpose()?;
    let when_rejected =
        if command.keep_going { WhenRejected::AddOthers } else { WhenRejected::AddNone };
    let outcome = with_progress("importing", let_others_write, |progress| {
        run_import(importer, &source, &plan, when_rejected, progress)
    })?;
    let import = &outcome.import;
    let answer = json!({
        "import_id": import.id, "added": import.added, "here": counts.here, "rejected": outcome.rejected.len(),
    });
    output.answer(&answer, || preview::done(&outcome, counts.here))?;
    if let Some(file) = rejected {
        write(file, &report::of_rejected(&source, &outcome.rejected))?;
    }
    Ok(())
}

/// Shows the plan, unless it was shown before, and asks whether to go on.
fn is_wanted(
    command: &Import,
    source: &Source,
    plan: &Plan,
    output: &mut Output<'_>,
) -> Result<bool> {
    if let Some(token) = &command.plan {
        if *token != plan.token {
            bail!(
                "the plan {token} does not hold any more, because the file or the business has changed since: \
                 run the command again without --plan to see the new one"
            );
        }
        return Ok(true);
    }
    if command.yes {
        return Ok(true);
    }
    let asks = io::stdin().is_terminal() && io::stderr().is_terminal() && !output.is_json();
    let columns: Vec<_> = source.columns().collect();
    let shown = Preview::of(source, plan, preview::SHOWN);
    let token = &plan.token;
    output.answer(&preview::json(&source.file_name, &columns, &shown, token), || {
        preview::text(&source.file_name, &columns, &shown, (!asks).then_some(token))
    })?;
    let counts = plan.counts();
    if !asks || counts.added == 0 {
        return Ok(false);
    }
    if counts.unusable > 0 && !command.keep_going {
        bail!("correct the file, or import the others with --keep-going");
    }
    let question = format!("Add {}?", preview::customers(counts.added));
    confirm(&Confirmation { yes: false }, &question)?;
    Ok(true)
}

fn undo_import(importer: &Importer, import: &str, output: &mut Output<'_>) -> Result<()> {
    let id = Id::parse(import).context("this is not the id of an import")?;
    let undone =
        with_progress("undoing", let_others_write, |progress| undo(importer, id, progress))?;
    let kept: Vec<_> = undone
        .kept
        .iter()
        .map(|it| json!({ "id": it.id, "name": it.name, "why": it.why }))
        .collect();
    let answer = json!({ "taken_back": undone.taken_back, "kept": kept });
    output.answer(&answer, || preview::undone(&undone))?;
    Ok(())
}

/// What the command says of columns.
fn reading(command: &Import) -> Result<Reading> {
    let mut reading = Reading::default();
    for said in &command.columns {
        let (column, word) = said.rsplit_once('=').with_context(|| {
            format!("--column {said}: write NAME=MEANING, such as --column 'Kunde=name'")
        })?;
        let meaning = if word == "none" { None } else { Some(meaning(word)?) };
        reading.columns.push(Said { column: SaidColumn::Named(column.to_owned()), meaning });
    }
    for said in &command.defaults {
        let (word, value) = said.split_once('=').with_context(|| {
            format!("--default {said}: write MEANING=VALUE, such as --default service_state=CA")
        })?;
        reading.defaults.push((meaning(word)?, value.to_owned()));
    }
    Ok(reading)
}

fn meaning(word: &str) -> Result<Meaning> {
    let words = || Meaning::ALL.iter().map(|it| it.word()).collect::<Vec<_>>().join(", ");
    Meaning::from_word(word)
        .with_context(|| format!("{word} is not what a column can mean: {}, or none", words()))
}

fn let_others_write() {
    thread::sleep(PAUSE);
}

/// Runs something with a progress bar, and something else between its parts.
fn with_progress<T>(
    label: &'static str,
    between: impl Fn() + Send + Sync,
    work: impl FnOnce(import::Progress<'_>) -> zoop_crm::call::error::Result<T>,
) -> Result<T> {
    let bar = output::progress(label, 0);
    let drawn = bar.clone();
    let done = work(&move |done, all| {
        drawn.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        drawn.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        between();
        Ok(())
    });
    bar.finish_and_clear();
    done.map_err(|error| to_anyhow(&error))
}
