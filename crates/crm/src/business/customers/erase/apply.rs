//! Erases, in steps that are short enough for one transaction each.

use std::collections::BTreeSet;

use serde_json::Value;
use zoop_db::Uuid;

use super::records::Records;
use super::store;
use crate::business::customers::{self, Customer, CustomerType, MergedFrom, Status};
use crate::business::subjects::{self, Subject};
use crate::business::{files, notes};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::history::change::ERASED;
use crate::call::history::erasing;
use crate::call::idempotency;
use crate::values::id::{Id, kinds};

/// How many notes one step erases.
const NOTES: usize = 25;

/// What stands in place of a name or a title.
const NO_NAME: &str = "Erased customer";
const NO_TITLE: &str = "Erased";

/// Erases some notes about a customer and what belongs to it, with their files. Returns whether there may be more.
pub(super) fn notes(ctx: &mut WriteCtx<'_, '_>, customer: Id<kinds::Customer>) -> Result<bool> {
    let mut found = Vec::new();
    for record in Records::of(ctx.tx, customer)?.ids() {
        found.extend(store::notes(ctx.tx, record, NOTES - found.len())?);
        if found.len() == NOTES {
            break;
        }
    }
    if found.is_empty() {
        return Ok(false);
    }
    let mut erased: BTreeSet<_> = found.iter().map(|note| note.id.uuid()).collect();
    for note in &found {
        for file in store::files(ctx.tx, note.id)? {
            ctx.erased(&file)?;
            files::store::delete(ctx.tx, file.id)?;
            erased.insert(file.id.uuid());
        }
        notes::erased(ctx, note)?;
        store::delete_note(ctx.tx, note)?;
    }
    everywhere_else(ctx, &erased)?;
    Ok(found.len() == NOTES)
}

/// Erases the customers and what belongs to them, once no note is left.
pub(super) fn customers(ctx: &mut WriteCtx<'_, '_>, records: &Records) -> Result<()> {
    for contact in &records.contacts {
        ctx.erased(contact)?;
    }
    for location in &records.locations {
        ctx.erased(location)?;
    }
    for subject in &records.subjects {
        let title = NO_TITLE.to_owned();
        let status = NO_TITLE.to_owned();
        let stub = Subject { title, status, updated_at: ctx.moment(), ..subject.clone() };
        subjects::store::update(ctx.tx, &stub)?;
        ctx.erased(subject)?;
    }
    for customer in &records.customers {
        customers::store::unindex(ctx.tx, customer)?;
        store::remove(ctx.tx, customer.id)?;
        customers::store::update(ctx.tx, &stub(ctx, customer))?;
        ctx.erased(customer)?;
    }
    everywhere_else(ctx, &records.ids())?;
    for customer in &records.customers {
        ctx.changed("customer", customer.id.uuid(), ERASED, Value::Null, true.into());
    }
    Ok(())
}

fn everywhere_else(ctx: &mut WriteCtx<'_, '_>, erased: &BTreeSet<Uuid>) -> Result<()> {
    erasing::erase(ctx, erased)?;
    idempotency::erase(ctx, erased)?;
    Ok(())
}

/// What stays of a customer: that there was one, its number, and when it was added.
fn stub(ctx: &WriteCtx<'_, '_>, customer: &Customer) -> Customer {
    let name = |kind| (customer.customer_type == kind).then(|| NO_NAME.to_owned());
    let now = ctx.moment();
    Customer {
        id: customer.id,
        n: customer.n,
        customer_number: customer.customer_number,
        customer_type: customer.customer_type,
        first_name: name(CustomerType::Individual),
        last_name: None,
        company_name: name(CustomerType::Company),
        status: Status::Inactive,
        phone: None,
        phone_raw: None,
        email: None,
        notes_internal: None,
        is_vip: false,
        do_not_contact: false,
        do_not_contact_reason: None,
        source: None,
        external_id: None,
        created_at: customer.created_at,
        updated_at: now,
        archived_at: Some(now),
        merged_into: None,
        merged_from: MergedFrom::default(),
        erased_at: Some(now),
    }
}
