//! The report: `docs/benchmarks.md` and its drawings, from the results of a run.
//!
//! | module | holds |
//! | --- | --- |
//! | [`goals`] | the goals, and whether they are reached |
//! | [`tables`] | a table for each theme |
//! | [`drawings`] | bar charts as SVG |
//! | [`mod@format`] | numbers formatted for people |
//!
//! Only the text between the two marks is replaced; text that people have written around them stays.

mod drawings;
mod format;
mod goals;
mod tables;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use tables::{console, duplicates, fairness, holds, moving};

use crate::results::Results;
use crate::say;

/// The report's file.
const DOCUMENT: &str = "benchmarks.md";
/// The folder of the drawings, next to the report.
const DRAWINGS: &str = "benchmarks";
/// The folder of the report, which people also write in.
pub(crate) const FOLDER: &str = "docs";
const BEGIN: &str = "<!-- figures: written by ./bench, not by hand -->";
const END: &str = "<!-- end of figures -->";

/// Writes the report into a folder.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    let written = fs::read_to_string(Path::new(FOLDER).join(DOCUMENT))
        .with_context(|| format!("no {FOLDER}/{DOCUMENT}: start in the repository's root"))?;
    let (before, rest) = written.split_once(BEGIN).context("the report has lost its first mark")?;
    let (_, after) = rest.split_once(END).context("the report has lost its second mark")?;
    let figures = [goals::table(results), tables::all(results)].join("\n");
    fs::write(folder.join(DOCUMENT), format!("{before}{BEGIN}\n\n{figures}\n{END}{after}"))?;
    let drawings = folder.join(DRAWINGS);
    fs::create_dir_all(&drawings)?;
    drawings::all(results, &drawings)?;
    say(&format!("the report: {}", folder.join(DOCUMENT).display()));
    Ok(())
}
