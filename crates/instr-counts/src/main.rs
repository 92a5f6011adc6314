//! Counts the instructions of the main calls, and compares them with the recorded counts.
//!
//! Instructions do not depend on how busy a machine is, so a change of a tenth is not chance. Each case runs
//! under `valgrind --tool=callgrind` twice, with few and with many repetitions of the same call; the
//! difference is what the calls themselves take.
//!
//! | module | holds |
//! | --- | --- |
//! | [`cases`] | the calls that are counted |
//! | [`fixture`] | their database, and its server in this process |
//! | [`callgrind`] | runs a case and reads its count |
//! | [`mod@record`] | `docs/instruction-counts.md`, and when growth is explained |
//!
//! What must not live here: time. The benchmark measures seconds.

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
    let recorded = recorded();
    let measured = judged(&recorded)?;
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
    let recorded = recorded();
    let measured = judged(&recorded)?;
    fs::write(page(), recorded.renewed(&measured).page())?;
    Ok(())
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/instruction-counts.md")
}

fn recorded() -> Counts {
    Counts::read(&fs::read_to_string(page()).unwrap_or_default())
}

/// Counts every case and prints the comparison.
///
/// # Errors
/// When one grew and the changelog does not explain it.
fn judged(recorded: &Counts) -> Result<Counts> {
    let changelog = page().with_file_name("../CHANGELOG.md");
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
            unexplained.push(record::line(name, before, now));
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
