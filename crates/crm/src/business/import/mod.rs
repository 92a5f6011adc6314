//! Import: customers from a file, with their contacts, locations, tags and notes. `docs/import.md` explains the rules.
//!
//! A [`Source`] is a file that was read: `sheet` reads its rows, `columns` says what its columns mean, `facts` and `cells`
//! what a row says, and `draft` makes a customer of the rows about it. A [`Plan`] says what an import would do, and
//! [`run()`] does it. Nothing here knows of a command line or of HTTP.

mod cells;
pub mod columns;
mod draft;
mod facts;
pub mod jobs;
mod matching;
mod plan;
pub mod preview;
pub mod report;
mod run;
pub mod sheet;
mod source;
pub(crate) mod store;
#[cfg(test)]
pub(crate) mod tests;
mod together;
mod undo;
mod write;

pub use draft::{Draft, Shown};
pub use matching::Found;
pub use plan::{Counts, Plan, Planned};
pub use run::{Outcome, WhenRejected, run};
pub use source::{Reading, Source, Unusable};
pub use store::{Import, State, get, latest};
pub use undo::{Kept, Undone, undo_as_member as undo};

pub(crate) use store::STATEMENTS;

use std::time::{Duration, Instant};

use zoop_db::{Db, ReadTx, WriteTx};

use crate::business::customers::tools::create::CreateCustomer;
use crate::business::notes::tools::create::CreateNote;
use crate::business::tags::tools::CreateTag;
use crate::call::access::Access;
use crate::call::definition::ToolDef;
use crate::call::error::Result;
use crate::call::proof::{enter_read, enter_write};
use crate::call::run::authorize;
use crate::identity::sign_in::ActingMember;
use crate::values::clock::Environment;

/// What the history calls the addition of an imported customer.
const EVENT: &str = "customers.import";
/// What it calls that a customer was archived because the file says so.
const ARCHIVED: &str = "customers.import_archived";
/// How long one step may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Is called with how many customers are done, and how many there are. An error ends the work where it is: a later
/// call goes on.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) -> Result<()> + Send + Sync);

/// Who imports, and where to.
#[derive(Clone)]
pub struct Importer {
    /// The database.
    pub db: Db,
    /// Clock, randomness and limits.
    pub environment: Environment,
    /// The member in whose name customers are added.
    pub member: ActingMember,
}

impl Importer {
    /// Reads something, if the member may import.
    fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut ReadTx<'_>, &Access) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Self { environment, member, .. } = self.clone();
        let read = self.db.read(Instant::now() + DEADLINE, move |tx| {
            let access = enter_read(tx, &environment, &member)?;
            may_import(&access)?;
            work(tx, &access)
        });
        read.wait()
    }

    /// Writes something, if the member may import.
    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteTx<'_>, &Access, &Environment) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Self { environment, member, .. } = self.clone();
        let write = self.db.write(Instant::now() + DEADLINE, move |tx| {
            let access = enter_write(tx, &environment, &member)?;
            may_import(&access)?;
            work(tx, &access, &environment)
        });
        write.wait()
    }
}

/// Whether the caller may add customers, notes and tags. Only a user may, because a note has an author.
fn may_import(access: &Access) -> Result<()> {
    authorize(access, const { &ToolDef::command::<CreateCustomer>() })?;
    authorize(access, const { &ToolDef::command::<CreateNote>() })?;
    authorize(access, const { &ToolDef::command::<CreateTag>() })
}
