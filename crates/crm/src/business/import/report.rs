//! Tables for spreadsheets: what becomes of every row, and the rows that were not added.

use super::plan::{Plan, Planned};
use super::sheet::Skipped;
use super::source::{Source, Unusable};
use crate::values::spreadsheet;

/// What becomes of each customer of a file, one in a row, and below them the rows that describe none.
#[must_use]
pub fn of_plan(source: &Source, plan: &Plan) -> Vec<u8> {
    let mut table = spreadsheet::begin(&["line", "customer", "what", "why"]);
    for (at, planned) in plan.customers.iter().enumerate() {
        let (lines, name, said) = match source.draft(at) {
            Ok(draft) => (draft.lines, draft.shown.name, draft.shown.said.join("; ")),
            Err(unusable) => (unusable.lines, String::new(), String::new()),
        };
        let (what, why) = match planned {
            Planned::Add { similar: None } => ("added", said),
            Planned::Add { similar: Some(other) } => {
                let alike = format!("may be {}: {}", other.shown, other.why);
                let parts: Vec<_> = [alike, said].into_iter().filter(|it| !it.is_empty()).collect();
                ("added", parts.join("; "))
            }
            Planned::Here(found) => ("there already", format!("{}: {}", found.shown, found.why)),
            Planned::Unusable(unusable) => ("not added", unusable.why.clone()),
        };
        let lines: Vec<_> = lines.iter().map(u32::to_string).collect();
        table.extend(spreadsheet::row([&*lines.join(", "), &name, what, &why]));
    }
    for Skipped { line, text, why } in source.skipped() {
        table.extend(spreadsheet::row([&*line.to_string(), text, "skipped", why]));
    }
    table
}

/// The rows of a file that were not added, with a column that says why.
#[must_use]
pub fn of_rejected(source: &Source, rejected: &[Unusable]) -> Vec<u8> {
    let mut names: Vec<_> = source.columns().map(|(name, _)| name).collect();
    let width = names.len();
    names.push("reason");
    let mut table = spreadsheet::begin(&names);
    for Unusable { lines, why } in rejected {
        for line in lines {
            let mut cells = source.cells(*line).unwrap_or_default().to_vec();
            cells.resize(width, String::new());
            cells.push(why.clone());
            table.extend(spreadsheet::row(cells.iter().map(String::as_str)));
        }
    }
    table
}
