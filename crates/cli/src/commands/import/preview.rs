//! What an import would do, and what it did, in words.

use serde_json::{Value, json};
use zoop_crm::business::import::{Counts, Outcome, Plan, Planned, Source, Undone};

use crate::output;
use crate::table::Column;

/// How many customers of each kind are shown.
const SHOWN: usize = 8;

/// The width of a terminal.
const WIDTH: usize = 80;

const COLUMNS: &[Column] = &[Column::text("COLUMN", "column"), Column::word("MEANS", "meaning")];
const FIRST: &[Column] = &[
    Column::word("LINE", "line"),
    Column::text("CUSTOMER", "name"),
    Column::text("PHONE", "phone"),
    Column::text("ADDRESS", "address"),
];
const REASONS: &[Column] =
    &[Column::word("LINE", "line"), Column::text("CUSTOMER", "name"), Column::text("WHY", "why")];

/// A number of customers.
pub(super) fn customers(count: usize) -> String {
    if count == 1 { "1 customer".to_owned() } else { format!("{count} customers") }
}

/// The plan for programs.
pub(super) fn json(source: &Source, plan: &Plan) -> Value {
    let Counts { added, similar, here, unusable } = plan.counts();
    let columns: Vec<_> = source
        .columns()
        .map(
            |(column, meaning)| json!({ "column": column, "meaning": meaning.map(|it| it.word()) }),
        )
        .collect();
    json!({
        "file": source.file_name, "rows": source.rows(), "customers": source.customers(), "columns": columns,
        "added": added, "similar": similar, "here": here, "unusable": unusable, "new_tags": plan.new_tags,
        "plan": plan.token,
    })
}

/// The plan for people. `asks` says that the command will ask whether to go on.
pub(super) fn text(source: &Source, plan: &Plan, asks: bool) -> String {
    let Counts { added, similar, here, unusable } = plan.counts();
    let mut parts = vec![
        format!("{}: {} rows, {}", source.file_name, source.rows(), customers(source.customers())),
        columns(source),
    ];
    parts.extend(section("The first of them as they would be added:", first(source, plan), FIRST));
    let here_rows = here_rows(source, plan);
    parts.extend(section(&format!("{} in the account already:", are(here)), here_rows, REASONS));
    let alike = similar_rows(source, plan);
    parts.extend(section(
        &format!("{} added and may be the same as another:", are(similar)),
        alike,
        REASONS,
    ));
    let said = said(source, plan);
    let has_no_state =
        said.iter().any(|it| it["why"].as_str().is_some_and(|why| why.contains("without state")));
    parts.extend(section("Cells that were taken apart or kept in a note:", said, REASONS));
    if has_no_state {
        parts.push("Addresses without a state: if all are in one, say so, such as --default service_state=CA".to_owned());
    }
    let unusable_rows = unusable_rows(plan);
    parts.extend(section(&format!("{unusable} cannot be added:"), unusable_rows, REASONS));
    if !plan.new_tags.is_empty() {
        parts.push(format!("New tags: {}", plan.new_tags.join(", ")));
    }
    parts.push(format!(
        "{added} would be added, {here} are there already, {unusable} cannot be added.\nNothing is written yet."
    ));
    if added > 0 && !asks {
        let keep_going = if unusable > 0 { " --keep-going" } else { "" };
        parts.push(format!("To do exactly this, add: --plan {}{keep_going}", plan.token));
    }
    parts.join("\n\n")
}

fn are(count: usize) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

fn columns(source: &Source) -> String {
    let (used, unused): (Vec<_>, Vec<_>) =
        source.columns().partition(|(_, meaning)| meaning.is_some());
    let used = used.iter().map(
        |(column, meaning)| json!({ "column": column, "meaning": meaning.map(|it| it.word()) }),
    );
    let used = output::render_table(&used.collect::<Vec<_>>(), COLUMNS).trim_end().to_owned();
    let unused: Vec<_> =
        unused.into_iter().map(|(column, _)| column).filter(|it| !it.is_empty()).collect();
    if unused.is_empty() {
        return used;
    }
    let unused = wrapped(&format!("Not imported: {}", unused.join(", ")));
    format!("{used}\n{unused}\n(--column 'NAME=MEANING' says what a column means.)")
}

/// A text in lines that fit a terminal.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(gap);
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// A heading with rows, if there are any.
fn section(heading: &str, rows: Vec<Value>, columns: &[Column]) -> Option<String> {
    let more = rows.len().saturating_sub(SHOWN);
    let shown = rows.get(..SHOWN).unwrap_or(&rows);
    let more = if more > 0 {
        format!("(and {more} more; --report FILE writes all)")
    } else {
        String::new()
    };
    (!rows.is_empty()).then(|| {
        let table = output::render_table(shown, columns);
        format!("{heading}\n{table}{more}").trim_end().to_owned()
    })
}

fn first(source: &Source, plan: &Plan) -> Vec<Value> {
    let added = plan.customers.iter().enumerate();
    let added = added.filter(|(_, it)| matches!(it, Planned::Add { .. }));
    let rows = added.take(SHOWN).filter_map(|(at, _)| {
        let draft = source.draft(at).ok()?;
        let shown = &draft.shown;
        Some(json!({
            "line": line(&draft.lines), "name": shown.name, "phone": shown.phone, "address": shown.address,
        }))
    });
    rows.collect()
}

fn line(lines: &[u32]) -> String {
    lines.first().map(u32::to_string).unwrap_or_default()
}

fn row(source: &Source, at: usize, why: &str) -> Option<Value> {
    let draft = source.draft(at).ok()?;
    Some(json!({ "line": line(&draft.lines), "name": draft.shown.name, "why": why }))
}

fn here_rows(source: &Source, plan: &Plan) -> Vec<Value> {
    let planned = plan.customers.iter().enumerate();
    let rows = planned.filter_map(|(at, it)| match it {
        Planned::Here(found) => row(source, at, &format!("{}: {}", found.shown, found.why)),
        _ => None,
    });
    rows.collect()
}

fn similar_rows(source: &Source, plan: &Plan) -> Vec<Value> {
    let planned = plan.customers.iter().enumerate();
    let rows = planned.filter_map(|(at, it)| match it {
        Planned::Add { similar: Some(found) } => {
            row(source, at, &format!("{}: {}", found.shown, found.why))
        }
        _ => None,
    });
    rows.collect()
}

fn said(source: &Source, plan: &Plan) -> Vec<Value> {
    let planned = plan.customers.iter().enumerate();
    let added = planned.filter(|(_, it)| matches!(it, Planned::Add { .. }));
    let rows = added.flat_map(|(at, _)| {
        let draft = source.draft(at).ok();
        draft.into_iter().flat_map(|draft| {
            let (line, shown) = (line(&draft.lines), draft.shown);
            let name = shown.name;
            shown.said.into_iter().map(move |why| json!({ "line": line, "name": name, "why": why }))
        })
    });
    rows.collect()
}

fn unusable_rows(plan: &Plan) -> Vec<Value> {
    let rows =
        plan.unusable().map(|it| json!({ "line": line(&it.lines), "name": null, "why": it.why }));
    rows.collect()
}

/// What an import did.
pub(super) fn done(outcome: &Outcome, here: usize) -> String {
    let import = &outcome.import;
    let mut parts = vec![format!(
        "{} added, {here} there already, {} not added",
        customers(usize::try_from(import.added).unwrap_or_default()),
        outcome.rejected.len()
    )];
    let rows = outcome.rejected.iter();
    let rows = rows.map(|it| json!({ "line": line(&it.lines), "name": null, "why": it.why }));
    parts.extend(section("Not added:", rows.collect(), REASONS));
    parts.push(format!("To undo it: zoop import --undo {}", import.id));
    parts.join("\n")
}

/// What undoing an import did.
pub(super) fn undone(undone: &Undone) -> String {
    let rows = undone.kept.iter().map(|it| json!({ "name": it.name, "why": it.why }));
    let rows: Vec<_> = rows.collect();
    let columns = &[Column::text("WHAT", "name"), Column::text("WHY", "why")];
    let mut parts = vec![format!("taken back: {}", undone.taken_back)];
    parts.extend(section("Not taken back:", rows, columns));
    parts.join("\n")
}
