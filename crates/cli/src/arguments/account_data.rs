//! The grammar of the commands that bring in, take out and erase the data of a business.

use std::path::PathBuf;

use clap::Args;

use super::{Confirmation, OfTenant};

/// `zoop import`
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file
    #[arg(required_unless_present_any = ["undo", "list"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of: OfTenant,
    /// The member in whose name it is done; the first owner if omitted
    #[arg(long, value_name = "ID|NAME|EMAIL")]
    pub(crate) user: Option<String>,
    /// What a column means: name, phone, notes and so on, or none
    #[arg(long = "column", value_name = "NAME=MEANING")]
    pub(crate) columns: Vec<String>,
    /// What blank cells have, such as the state of all addresses
    #[arg(long = "default", value_name = "MEANING=VALUE")]
    pub(crate) defaults: Vec<String>,
    /// Do exactly what was shown with this token, or nothing if something has changed since
    #[arg(long, value_name = "TOKEN", conflicts_with = "yes")]
    pub(crate) plan: Option<String>,
    /// Import without showing and asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Add the others if some cannot be added
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Write the rows that were not added to this file, with the reason
    #[arg(long, value_name = "FILE", requires = "keep_going")]
    pub(crate) rejected: Option<PathBuf>,
    /// Write what becomes of every row to this file, as CSV
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// List the latest imports instead
    #[arg(long, conflicts_with_all = ["file", "plan", "yes", "keep_going", "report"])]
    pub(crate) list: bool,
    /// Undo this import instead, but for what was changed since
    #[arg(long, value_name = "IMPORT", conflicts_with_all = ["file", "plan", "yes", "keep_going", "report"])]
    pub(crate) undo: Option<String>,
}

/// `zoop erase`
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The customer, by number or id
    #[arg(long, value_name = "CUSTOMER", required_unless_present = "finish")]
    pub(crate) customer: Option<String>,
    #[command(flatten)]
    pub(crate) of: OfTenant,
    /// Only show what would be erased
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) confirmation: Confirmation,
    /// Also write the certificate to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// Only write the database again, after an erasure that was interrupted
    #[arg(long, conflicts_with_all = ["customer", "dry_run", "certificate"])]
    pub(crate) finish: bool,
}

/// `zoop export`
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A new folder, or an empty one
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) of: OfTenant,
}

/// `zoop restore-account`
#[derive(Debug, Args)]
pub(crate) struct RestoreAccount {
    /// The folder that `zoop export` wrote
    #[arg(value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// An empty business that gets the records [default: the one with the id that it had]
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) tenant: Option<String>,
}
