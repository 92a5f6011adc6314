//! The tools for jobs.

pub mod cancel;
pub mod create;
pub mod get;
#[expect(non_snake_case, reason = "the product's documentation names the filter customerId")]
pub mod list;
pub mod restore;
pub mod update;

use cancel::CancelJob;
use create::CreateJob;
use get::GetJob;
use list::ListJobs;
use restore::RestoreJob;
use update::UpdateJob;

use crate::business::jobs::hints::HINTS;
use crate::call::argument::input;
use crate::call::definition::{Group, ToolDef};
use crate::call::tool::Receipt;
use crate::values::id::{Id, kinds};

/// The tools for jobs.
pub const GROUP: Group = Group {
    name: "jobs",
    about: "Jobs: the work at customers, when, by whom and for how much.",
    tools: &[
        ToolDef::query::<ListJobs>(),
        ToolDef::query::<GetJob>(),
        ToolDef::command::<CreateJob>(),
        ToolDef::command::<UpdateJob>(),
        ToolDef::command::<CancelJob>(),
        ToolDef::command::<RestoreJob>(),
    ],
};

input! {
    /// The job to act on.
    pub struct JobInput, hints = HINTS {
        /// The job's id.
        pub id: Id<kinds::Job>,
    }
}

/// What a caller who may not read jobs gets: what the call sent, without lines, with these keys.
const fn receipt(always: &'static [&'static str]) -> Receipt {
    let left_out = &["line_items"];
    let beside: &[(&str, &[&str])] = &[
        ("scheduled_start", &["scheduled_start_local", "time_zone"]),
        ("scheduled_end", &["scheduled_end_local", "time_zone"]),
    ];
    Receipt::Document { always, left_out, beside }
}
