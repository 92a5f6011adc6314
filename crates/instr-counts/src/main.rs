//! Counts the instructions of the main calls, and compares them with the recorded counts.
//!
//! Instructions do not depend on how busy a machine is, so a change of a tenth is not noise. Each case runs under
//! `valgrind --tool=callgrind` twice, with few and with many repetitions of the same call. The difference between
//! the two counts is the cost of the calls themselves.
//!
//! | module | holds |
//! | --- | --- |
//! | [`cases`] | the calls that are counted |
//! | [`fixture`] | their database, and its server in this process |
//! | [`callgrind`] | runs a case and reads its count |
//! | [`mod@record`] | `docs/instruction-counts.md`, and the rule for growth |
//!
//! This crate never measures time: the benchmark does.

mod callgrind;
mod cases;
mod fixture;
mod record;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};

use cases::Case;
use fixture::Fixture;
use record::{Counts, Verdict};

/// Counts the instructions of the main calls.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Counts every case and fails where one grew by more than a tenth without an explanation
    Check,
    /// Counts every case and rewrites docs/instruction-counts.md; unexplained growth is refused
    Record,
    /// Repeats one call: the program that runs under callgrind
    #[command(hide = true)]
    Repeat { folder: PathBuf, case: String, times: u32 },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Check => check(),
        Command::Record => record(),
        Command::Repeat { folder, case, times } => {
            let fixture = Fixture::open(&folder)?;
            fixture.repeat(Case::find(&case)?, times)?;
            Ok(writeln!(io::stdout(), "{}", callgrind::threads()?.join("\n"))?)
        }
    }
}

/// Counts and compares.
fn check() -> Result<()> {
    let recorded = read_record();
    let measured = measure(&recorded)?;
    let missing: Vec<_> = measured.names().filter(|name| recorded.get(name).is_none()).collect();
    ensure!(
        missing.is_empty(),
        "not in docs/instruction-counts.md: {}; record them",
        missing.join(", ")
    );
    Ok(())
}

/// Counts, compares and rewrites the record.
fn record() -> Result<()> {
    let recorded = read_record();
    let measured = measure(&recorded)?;
    fs::write(page_path(), recorded.renewed(&measured).page())?;
    Ok(())
}

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/instruction-counts.md")
}

fn read_record() -> Counts {
    Counts::read(&fs::read_to_string(page_path()).unwrap_or_default())
}

/// Counts every case and prints the comparison. Fails if there is growth that the changelog does not explain.
fn measure(recorded: &Counts) -> Result<Counts> {
    let changelog = page_path().with_file_name("../CHANGELOG.md");
    let changelog = fs::read_to_string(changelog).context("CHANGELOG.md")?;
    let measured = callgrind::count_all()?;
    let mut out = io::stdout().lock();
    let mut unexplained = Vec::new();
    for case in cases::ALL {
        let name = case.name;
        let now = measured.get(name).with_context(|| format!("{name} was not counted"))?;
        let verdict = Verdict::of(name, recorded.get(name), now, &changelog);
        writeln!(out, "{name:<24} {}", verdict.text(now))?;
        if let Verdict::Unexplained { before } = verdict {
            unexplained.push(record::changelog_line(name, before, now));
        }
    }
    ensure!(
        unexplained.is_empty(),
        "these grew by more than a tenth: make them smaller, or say why below \"Unreleased\" in \
         CHANGELOG.md and then record them (CONTRIBUTING.md)\n{}",
        unexplained.join("\n")
    );
    Ok(measured)
}
