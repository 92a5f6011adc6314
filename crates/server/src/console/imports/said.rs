//! What was done with a file, and numbers, in words.

use zoop_crm::business::import::State as Done;
use zoop_crm::business::import::jobs::Job;

use super::{customers, grouped};

/// What was done, in words. An import may be undone elsewhere, so its state decides, and not the job.
pub(super) fn said(job: &Job, state: Option<Done>) -> Vec<String> {
    let result = &job.result;
    let were =
        if result.taken_back == 1 { "customer or tag was" } else { "customers and tags were" };
    let taken_back = format!("{} {were} taken back.", number(result.taken_back));
    match state {
        Some(Done::Undone) if result.taken_back > 0 && result.kept_count == 0 => {
            return vec![format!("Undone: {taken_back}")];
        }
        Some(Done::Undone) => return vec!["The import was undone.".to_owned()],
        Some(Done::Undoing) if result.taken_back + result.kept_count > 0 => {
            return vec![format!("Not wholly undone: {taken_back}")];
        }
        Some(Done::Undoing) => return vec!["The import is not wholly undone.".to_owned()],
        Some(Done::Running | Done::Done | Done::Stopped) | None => {}
    }
    if !job.problem.is_empty() {
        return Vec::new();
    }
    let were = if result.added == 1 { "was" } else { "were" };
    let mut said = vec![format!("{} {were} added.", customers(result.added))];
    let here = job.preview.as_ref().map_or(0, |preview| preview.counts.here);
    if here > 0 {
        said.push(format!("{} there already.", are(here)));
    }
    if result.rejected.count > 0 {
        said.push(format!("{} left out.", are(result.rejected.count)));
    }
    said
}

pub(super) fn are(count: usize) -> String {
    format!("{} {}", number(count), if count == 1 { "is" } else { "are" })
}

pub(super) fn number(count: usize) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

pub(super) fn count(of: usize) -> String {
    customers(i64::try_from(of).unwrap_or(i64::MAX))
}
