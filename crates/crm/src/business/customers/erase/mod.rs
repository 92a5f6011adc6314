//! `customers.erase`: what identifies a person who asks to be forgotten goes from every table, for good.
//!
//! `records.rs` finds what is about a customer, `apply.rs` erases it in steps, and `store.rs` has the SQL. What an engine
//! still has of it in its files goes with [`zoop_db::engine::rewrite`], and the content of files with the file store: the
//! command line does all of it.

mod apply;
pub mod certificate;
mod records;
mod store;
#[cfg(test)]
mod tests;

pub use records::files;
pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::records::{Found, Records};
use crate::business::customers::{CustomerNumber, store as customers};
use crate::call::argument::{NotNull, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::history::erasing;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Step, Tool};
use crate::values::id::{Id, kinds};

input! {
    /// The customer to erase.
    pub struct EraseCustomerInput {
        /// The customer.
        pub id: Id<kinds::Customer>,
        /// Only count what would be erased.
        pub dry_run: NotNull<bool>,
        ..found: Found
    }
}

/// What an erasure erased, in numbers.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErasedCustomer {
    /// false if the call only asked what would be erased.
    pub erased: bool,
    /// The customer's id, which stays.
    pub id: Id<kinds::Customer>,
    /// The customer's number, which stays.
    pub customer_number: CustomerNumber,
    /// Customers: this one, and those that were merged into it.
    pub customers: usize,
    /// Contacts, with archived ones.
    pub contacts: usize,
    /// Locations, with archived ones.
    pub locations: usize,
    /// Jobs, quotes, invoices and estimates, of which only the words are erased.
    pub subjects: usize,
    /// Assignments of tags.
    pub tags: usize,
    /// Notes, with drafts and archived ones.
    pub notes: usize,
    /// Files on these notes.
    pub files: usize,
    /// Entries of the history whose values are erased.
    pub entries: usize,
}

/// `customers.erase`
pub struct EraseCustomer;

impl Tool for EraseCustomer {
    const NAME: &'static str = "customers.erase";
    const TITLE: &'static str = "Erase a customer";
    const ABOUT: &'static str = "Erases what identifies a customer from every table, for good: \
        nothing brings it back. `zoop erase` also removes what is left in the files of the \
        database, and the content of files.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = r#"{"id":"{customer}"}"#;
    type Input = EraseCustomerInput;
    type Output = ErasedCustomer;
}

impl Command for EraseCustomer {
    const EFFECT: Effect = Effect::Destroy;
    const RECEIPT: Receipt = Receipt::Whole;
    // A retry finds no customer to prepare for.
    const REPLAY: Replay<Self> = Replay::Read(|answer| Ok(serde_json::from_str(answer)?));

    fn prepare(
        ctx: &mut ReadCtx<'_, '_>,
        mut input: EraseCustomerInput,
    ) -> Result<EraseCustomerInput> {
        customers::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        input.found = Found::of(ctx.tx, input.id)?;
        Ok(input)
    }

    fn advance(ctx: &mut WriteCtx<'_, '_>, input: &EraseCustomerInput) -> Result<Step<()>> {
        if input.dry_run.0 == Some(true) {
            return Ok(Step::Done(()));
        }
        customers::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        if erasing::prepare(ctx)? || apply::notes(ctx, input.id)? {
            ctx.leave_no_history();
            return Ok(Step::Partial);
        }
        Ok(Step::Done(()))
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &EraseCustomerInput) -> Result<ErasedCustomer> {
        let customer = customers::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        let is_dry = input.dry_run.0 == Some(true);
        if is_dry {
            ctx.leave_no_history();
        } else {
            let records = Records::of(ctx.tx, input.id)?;
            apply::customers(ctx, &records)?;
        }
        let Found { customers, contacts, locations, subjects, tags, notes, files, entries } =
            input.found;
        Ok(ErasedCustomer {
            erased: !is_dry,
            id: customer.id,
            customer_number: customer.customer_number,
            customers,
            contacts,
            locations,
            subjects,
            tags,
            notes,
            files,
            entries,
        })
    }
}
