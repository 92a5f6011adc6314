//! `customers.erase`: what identifies a person who asks to be forgotten goes from every table, for good.
//!
//! `records.rs` finds what is about a customer, `apply.rs` erases it in steps, `store.rs` has the SQL, and `erasure.rs`
//! stores how far it is and what was erased. What an engine still has of it in its files goes with
//! [`zoop_db::engine::rewrite`], for which erasures wait (`rewriting.rs`), and the content of files with the file
//! store: the server and the command line do both.

mod apply;
pub mod certificate;
mod erasure;
mod records;
pub mod rewriting;
mod store;
#[cfg(test)]
mod tests;

pub use erasure::{Counts, Erasure, contents_deleted, get, latest};
pub use records::{files, without_row};

pub(crate) use erasure::{ERASURES, STATEMENTS as ERASURE_STATEMENTS};
pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zoop_db::{ReadTx, Timestamp};

use self::records::Found;
use crate::business::customers::{Customer, CustomerNumber, store as customers};
use crate::business::import::jobs;
use crate::call::argument::{NotNull, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::history::erasing;
use crate::call::idempotency;
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
    /// How much, with what earlier calls erased that were interrupted.
    #[serde(flatten)]
    pub counts: Counts,
}

/// `customers.erase`
pub struct EraseCustomer;

impl Tool for EraseCustomer {
    const NAME: &'static str = "customers.erase";
    const TITLE: &'static str = "Erase a customer";
    const ABOUT: &'static str = "Erases what identifies a customer from every table, for good: \
        nothing brings it back. Pages and `zoop erase` also remove the content of files, and what \
        is left in the files of the database.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Admin;
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
        input.found = Found::of(ctx.tx, input.id, ctx.now)?;
        if !input.is_dry() {
            input.found.answers = idempotency::naming(ctx.tx, &input.found.ids)?;
        }
        Ok(input)
    }

    fn advance(ctx: &mut WriteCtx<'_, '_>, input: &EraseCustomerInput) -> Result<Step<()>> {
        if input.is_dry() {
            return Ok(Step::Done(()));
        }
        let customer = customers::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        input.found.require_same(ctx.tx, input.id)?;
        let mut erasure = Erasure::of_run(ctx, &customer, &input.found)?;
        let is_partial = erasing::prepare(ctx)?
            || jobs::erase_some(ctx)?
            || apply::entries(ctx, &input.found, &mut erasure)?
            || apply::notes(ctx, &input.found, &mut erasure)?;
        erasure.put(ctx.tx)?;
        if is_partial {
            ctx.leave_no_history();
            return Ok(Step::Partial);
        }
        Ok(Step::Done(()))
    }

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &EraseCustomerInput) -> Result<ErasedCustomer> {
        let customer = customers::get(ctx.tx, input.id)?.unless_merged(ctx.access)?;
        if input.is_dry() {
            ctx.leave_no_history();
            return counted(ctx.tx, &customer, &input.found);
        }
        input.found.require_same(ctx.tx, input.id)?;
        let mut erasure = Erasure::of_run(ctx, &customer, &input.found)?;
        apply::customers(ctx, &input.found, &mut erasure)?;
        let erasure = erasure.finish(ctx)?;
        Ok(ErasedCustomer {
            erased: true,
            id: customer.id,
            customer_number: customer.customer_number,
            counts: erasure.counts,
        })
    }
}

impl EraseCustomerInput {
    fn is_dry(&self) -> bool {
        self.dry_run.0 == Some(true)
    }
}

/// What an erasure of a customer would erase, with what an interrupted one erased before.
///
/// # Errors
/// If there is no such customer, or if it was merged into another one.
pub fn preview(
    tx: &mut ReadTx<'_>,
    id: Id<kinds::Customer>,
    now: Timestamp,
) -> Result<ErasedCustomer> {
    let customer = customers::get(tx, id)?;
    if customer.merged_into.is_some() {
        return Err(Error::not_found("customer"));
    }
    let found = Found::of(tx, id, now)?;
    counted(tx, &customer, &found)
}

fn counted(tx: &mut ReadTx<'_>, customer: &Customer, found: &Found) -> Result<ErasedCustomer> {
    let mut counts = found.counts;
    if let Some(before) = erasure::before(tx, found.customers.iter().map(|id| Id::new(*id)))? {
        // The entries stay, so those are found again whose values are erased already.
        counts.entries = erasing::count_whole(tx, &found.entries, &found.ids)?;
        counts = counts.plus(before);
    }
    Ok(ErasedCustomer {
        erased: false,
        id: customer.id,
        customer_number: customer.customer_number,
        counts,
    })
}
