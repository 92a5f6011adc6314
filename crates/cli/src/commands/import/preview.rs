//! What an import would do, and what it did, in words.

use serde_json::{Value, json};
use zoop_crm::business::import::columns::Meaning;
use zoop_crm::business::import::preview::{Added, Preview, Remark, Remarks};
use zoop_crm::business::import::{Counts, Outcome, Undone};

use crate::output;
use crate::table::Column;

/// How many customers of each kind are shown.
pub(super) const SHOWN: usize = 8;

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

/// A column of the file, with what it means.
type NamedColumn<'c> = (&'c str, Option<Meaning>);

/// The plan for programs.
pub(super) fn json(file: &str, columns: &[NamedColumn<'_>], shown: &Preview, token: &str) -> Value {
    let Counts { added, similar, here, unusable } = shown.counts;
    let columns = columns.iter().map(|it| column(*it)).collect::<Vec<_>>();
    let sheets = (!shown.sheets.is_empty()).then_some(&shown.sheets);
    json!({
        "file": file, "rows": shown.rows, "customers": shown.customers, "columns": columns, "added": added,
        "similar": similar, "here": here, "unusable": unusable, "skipped": shown.skipped.count,
        "new_tags": shown.new_tags, "sheets": sheets, "plan": token,
    })
}

fn column((column, meaning): NamedColumn<'_>) -> Value {
    json!({ "column": column, "meaning": meaning.map(|it| it.word()) })
}

/// The plan for people. `token` is that of the plan, unless the command will ask whether to go on.
pub(super) fn text(
    file: &str,
    columns: &[NamedColumn<'_>],
    shown: &Preview,
    token: Option<&String>,
) -> String {
    let Counts { added, here, unusable, .. } = shown.counts;
    let mut parts = vec![
        format!("{file}: {} rows, {}", shown.rows, customers(shown.customers)),
        meanings(columns),
    ];
    if !shown.sheets.is_empty() {
        parts.insert(1, wrapped(&shown.sheets));
    }
    let first = shown.added.iter().map(|Added { line, shown }| {
        json!({ "line": line, "name": shown.name, "phone": shown.phone, "address": shown.address })
    });
    let first: Vec<_> = first.collect();
    parts.extend(section("The first of them as they would be added:", &first, 0, FIRST));
    let mut add = |heading: String, remarks: &Remarks| parts.extend(remarked(&heading, remarks));
    add(format!("{} in the account already:", are(here)), &shown.here);
    let similar = are(shown.counts.similar);
    add(format!("{similar} added and may be the same as another:"), &shown.similar);
    add("Cells that were taken apart or kept in a note:".to_owned(), &shown.said);
    add(format!("{unusable} cannot be added:"), &shown.unusable);
    let skipped = shown.skipped.count;
    let rows = if skipped == 1 { "row describes" } else { "rows describe" };
    add(format!("{skipped} {rows} no customer:"), &shown.skipped);
    if shown.without_state > 0 {
        parts.push("Addresses without a state: if all are in one, say so, such as --default service_state=CA".to_owned());
    }
    if !shown.new_tags.is_empty() {
        parts.push(format!("New tags: {}", shown.new_tags.join(", ")));
    }
    parts.push(format!(
        "{added} would be added, {here} are there already, {unusable} cannot be added.\nNothing is written yet."
    ));
    if let Some(token) = token.filter(|_| added > 0) {
        let keep_going = if unusable > 0 { " --keep-going" } else { "" };
        parts.push(format!("To do exactly this, add: --plan {token}{keep_going}"));
    }
    parts.join("\n\n")
}

fn are(count: usize) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

fn meanings(columns: &[NamedColumn<'_>]) -> String {
    let (used, unused): (Vec<NamedColumn<'_>>, Vec<_>) =
        columns.iter().copied().partition(|(_, meaning)| meaning.is_some());
    let used: Vec<_> = used.into_iter().map(column).collect();
    let used = output::render_table(&used, COLUMNS).trim_end().to_owned();
    let unused: Vec<_> =
        unused.into_iter().map(|(name, _)| name).filter(|it| !it.is_empty()).collect();
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

/// A heading with rows, if there are any, and how many more there are.
fn section(heading: &str, rows: &[Value], more: usize, columns: &[Column]) -> Option<String> {
    let more = if more > 0 {
        format!("(and {more} more; --report FILE writes all)")
    } else {
        String::new()
    };
    (!rows.is_empty()).then(|| {
        let table = output::render_table(rows, columns);
        format!("{heading}\n{table}{more}").trim_end().to_owned()
    })
}

fn remarked(heading: &str, Remarks { first, count }: &Remarks) -> Option<String> {
    let rows = first.iter().map(|Remark { line, name, text }| {
        json!({ "line": line, "name": (!name.is_empty()).then_some(name), "why": text })
    });
    section(heading, &rows.collect::<Vec<_>>(), count - first.len(), REASONS)
}

/// What an import did.
pub(super) fn done(outcome: &Outcome, here: usize) -> String {
    let import = &outcome.import;
    let mut parts = vec![format!(
        "{} added, {here} there already, {} not added",
        customers(usize::try_from(import.added).unwrap_or_default()),
        outcome.rejected.len()
    )];
    parts.extend(remarked("Not added:", &Remarks::of_unusable(&outcome.rejected, SHOWN)));
    parts.push(format!("To undo it: zoop import --undo {}", import.id));
    parts.join("\n")
}

/// What undoing an import did.
pub(super) fn undone(undone: &Undone) -> String {
    let rows = undone.kept.iter().take(SHOWN);
    let rows: Vec<_> = rows.map(|it| json!({ "name": it.name, "why": it.why })).collect();
    let columns = &[Column::text("WHAT", "name"), Column::text("WHY", "why")];
    let mut parts = vec![format!("taken back: {}", undone.taken_back)];
    parts.extend(section("Not taken back:", &rows, undone.kept.len() - rows.len(), columns));
    parts.join("\n")
}
