//! `customers.merge`: two records of one customer become one.
//!
//! `fields.rs` decides the fields of the customer that is kept, `relatives.rs` which contacts and locations it gets, and
//! `lost.rs` says what is lost; `plan.rs` puts all changes together without writing, `apply.rs` writes them, and `again.rs`
//! says whether an undone merge can be done again. The merged customer stays in its table, archived and without relatives
//! of its own, so that its id and number still lead somewhere.

pub(crate) mod again;
mod apply;
mod fields;
mod lost;
mod plan;
pub mod preview;
mod relatives;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use self::plan::Plan;
use crate::business::customers::{CustomerRecord, store};
use crate::call::archive::Archivable;
use crate::call::argument::{List, NotNull, Text, choices, input};
use crate::call::context::WriteCtx;
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

choices! {
    /// The fields that the kept customer can take from the other one.
    pub enum TakenField {
        /// Given name.
        FirstName = "first_name",
        /// Family name.
        LastName = "last_name",
        /// A company's name.
        CompanyName = "company_name",
        /// Active or inactive.
        Status = "status",
        /// Its own telephone number.
        Phone = "phone",
        /// Its own e-mail address.
        Email = "email",
        /// Internal notes.
        NotesInternal = "notes_internal",
        /// VIP mark.
        IsVip = "is_vip",
        /// Whether the team must not contact it.
        DoNotContact = "do_not_contact",
        /// Why the team must not contact it.
        DoNotContactReason = "do_not_contact_reason",
        /// How it was acquired.
        Source = "source",
        /// Its id in another system.
        ExternalId = "external_id",
    }
}

input! {
    /// The customers to merge.
    pub struct MergeCustomersInput {
        /// The customer that stays.
        pub keep_id: Id<kinds::Customer>,
        /// The customer that is merged into it.
        pub merge_id: Id<kinds::Customer>,
        /// Fields whose values the other customer has right. Empty fields are filled anyway.
        pub take: Option<List<TakenField, 0, 12>>,
        /// Only show the result, and get its plan.
        pub dry_run: NotNull<bool>,
        /// From a dry run: refuse if anything has changed since.
        pub plan: Option<Text<64>>,
    }
}

/// The result of a merge.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MergedCustomers {
    /// false if the call only asked what would be done.
    pub merged: bool,
    /// For a dry run: send it, and exactly this is done, or nothing. Otherwise null.
    pub plan: Option<String>,
    /// The kept customer.
    pub customer: CustomerRecord,
    /// What the kept customer gets from the other one.
    pub moved: Moved,
    /// Contacts and locations that add nothing to those of the kept customer, so that it does not get them.
    pub dropped: Dropped,
    /// Values of the other customer that are only in its history then.
    pub not_kept: Vec<NotKept>,
}

/// A value that nothing of the kept customer has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotKept {
    /// The field of the other customer; for a name, its first part.
    pub field: TakenField,
    /// Its value.
    pub value: String,
}

/// What a merge moves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Moved {
    /// Contacts, with archived ones.
    pub contacts: Vec<Id<kinds::Contact>>,
    /// Locations, with archived ones.
    pub locations: Vec<Id<kinds::Location>>,
    /// How many notes, with archived ones. Only for a caller who may read notes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<usize>,
    /// How many jobs, quotes, invoices and estimates.
    pub subjects: usize,
    /// Tags that the kept customer did not have.
    pub tags: Vec<Id<kinds::Tag>>,
}

/// What a merge leaves with the merged customer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Dropped {
    /// Contacts.
    pub contacts: Vec<SameContact>,
    /// Locations.
    pub locations: Vec<SameLocation>,
}

/// A contact that the kept customer has already.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SameContact {
    /// The contact.
    pub id: Id<kinds::Contact>,
    /// The kept customer's contact, which gets its notes.
    pub same_as: Id<kinds::Contact>,
}

/// A location that the kept customer has already.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SameLocation {
    /// The location.
    pub id: Id<kinds::Location>,
    /// The kept customer's location, which gets its notes.
    pub same_as: Id<kinds::Location>,
}

/// `customers.merge`
pub struct MergeCustomers;

impl Tool for MergeCustomers {
    const NAME: &'static str = "customers.merge";
    const TITLE: &'static str = "Merge two customers";
    const ABOUT: &'static str = "Merges two records of one customer: contacts, locations, notes \
        and tags move to the kept one, and the other's id leads to it. Call with dry_run first, \
        show the result, then send its plan. changes.revert undoes it.";
    const SCOPE: Scope = Scope::WriteCustomers;
    const ACTOR: ActorRule = ActorRule::UserOrOperator;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str =
        r#"{"keep_id":"{customer}","merge_id":"{archived_customer}","take":["email"]}"#;
    type Input = MergeCustomersInput;
    type Output = MergedCustomers;
}

impl Command for MergeCustomers {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Keys(&["merged", "plan"]);
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &MergeCustomersInput) -> Result<MergedCustomers> {
        if input.keep_id == input.merge_id {
            return Err(Error::field("merge_id", "must be another customer than keep_id"));
        }
        if let Some(done) = done_before(ctx, input)? {
            ctx.leave_no_history();
            return Ok(done);
        }
        let now = ctx.moment();
        let plan = Plan::new(ctx.tx, ctx.access, now, input)?;
        if let Some(sent) = &input.plan
            && sent.0 != plan.id()?
        {
            return Err(Error::conflict(
                "Something in this plan has changed since: call with dry_run again and check the new plan.",
            ));
        }
        if input.dry_run.0 == Some(true) {
            ctx.leave_no_history();
            let id = plan.id()?;
            return Ok(plan.answer(ctx.access, Some(id)));
        }
        apply::apply(ctx, &plan)?;
        Ok(plan.answer(ctx.access, None))
    }
}

/// The answer to a call that asks for what is done already.
fn done_before(
    ctx: &mut WriteCtx<'_, '_>,
    input: &MergeCustomersInput,
) -> Result<Option<MergedCustomers>> {
    let merged = store::get(ctx.tx, input.merge_id)?;
    if merged.merged_into != Some(input.keep_id) {
        return Ok(None);
    }
    let kept = store::get(ctx.tx, input.keep_id)?.unless_archived(ctx.access)?;
    let moved =
        Moved { contacts: vec![], locations: vec![], notes: None, subjects: 0, tags: vec![] };
    Ok(Some(MergedCustomers {
        merged: true,
        plan: None,
        customer: store::record(ctx.tx, kept)?,
        moved,
        dropped: Dropped { contacts: vec![], locations: vec![] },
        not_kept: vec![],
    }))
}
