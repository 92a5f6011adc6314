//! The tools for customers.

pub mod archive;
pub mod create;
pub mod get;
pub mod restore;
pub mod search;
pub mod update;

use archive::ArchiveCustomer;
use create::CreateCustomer;
use get::GetCustomer;
use restore::RestoreCustomer;
use search::SearchCustomers;
use update::UpdateCustomer;

use super::erase::EraseCustomer;
use super::merge::MergeCustomers;
use crate::business::customers::duplicates::different::MarkDifferent;
use crate::business::customers::duplicates::find_duplicates::FindDuplicates;
use crate::call::definition::{Group, ToolDef};

/// The tools for customers.
pub const GROUP: Group = Group {
    name: "customers",
    about: "Customers: the people and companies that the business works for.",
    tools: &[
        ToolDef::list::<SearchCustomers>(),
        ToolDef::query::<GetCustomer>(),
        ToolDef::list::<FindDuplicates>(),
        ToolDef::command::<CreateCustomer>(),
        ToolDef::command::<UpdateCustomer>(),
        ToolDef::command::<ArchiveCustomer>(),
        ToolDef::command::<RestoreCustomer>(),
        ToolDef::command::<MergeCustomers>(),
        ToolDef::command::<MarkDifferent>(),
        ToolDef::command::<EraseCustomer>(),
    ],
};
