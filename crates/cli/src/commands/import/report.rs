//! Files that say what becomes of every row, for a spreadsheet.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use zoop_crm::business::import::{Plan, Planned, Source, Unusable};
use zoop_crm::values::spreadsheet_cell::harmless;

/// Writes one row for each customer of the file.
pub(super) fn write(path: &Path, source: &Source, plan: &Plan) -> Result<()> {
    let mut rows = vec![["line", "customer", "what", "why"].map(str::to_owned).to_vec()];
    for (at, planned) in plan.customers.iter().enumerate() {
        let draft = source.draft(at);
        let name = draft.as_ref().map(|draft| draft.shown.name.clone()).unwrap_or_default();
        let said = draft.as_ref().map(|draft| draft.shown.said.join("; ")).unwrap_or_default();
        let lines = match &draft {
            Ok(draft) => &draft.lines,
            Err(unusable) => &unusable.lines,
        };
        let (what, why) = match planned {
            Planned::Add { similar: None } => ("added", said),
            Planned::Add { similar: Some(other) } => {
                ("added", format!("may be {}: {}; {said}", other.shown, other.why))
            }
            Planned::Here(found) => ("there already", format!("{}: {}", found.shown, found.why)),
            Planned::Unusable(unusable) => ("not added", unusable.why.clone()),
        };
        rows.push(vec![joined(lines), name, what.to_owned(), why]);
    }
    save(create(path)?, &rows)
}

/// A new file, which is created before an import, so that it can be written afterwards.
pub(super) fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the rows of the file that were not added, with a column that says why.
pub(super) fn write_rejected(file: File, source: &Source, rejected: &[Unusable]) -> Result<()> {
    let names = source.columns().map(|(name, _)| name.to_owned());
    let width = source.columns().count();
    let mut rows: Vec<Vec<String>> = vec![names.chain(["reason".to_owned()]).collect()];
    for Unusable { lines, why } in rejected {
        for line in lines {
            let mut cells = source.cells(*line).unwrap_or_default().to_vec();
            cells.resize(width, String::new());
            cells.push(why.clone());
            rows.push(cells);
        }
    }
    save(file, &rows)
}

fn joined(lines: &[u32]) -> String {
    lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn save(file: File, rows: &[Vec<String>]) -> Result<()> {
    let mut file = csv::Writer::from_writer(file);
    for row in rows {
        file.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    file.flush().context("the file cannot be written")
}
