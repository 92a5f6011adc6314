//! Erases, in steps that are short enough for one transaction each.

use std::collections::BTreeSet;

use serde_json::Value;
use zoop_db::{Timestamp, Uuid};

use super::erasure::Erasure;
use super::records::{Found, Records};
use super::store;
use crate::business::customers::{self, Customer, CustomerType, MergedFrom, Status};
use crate::business::files;
use crate::business::notes::{self, Note};
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::call::history::change::ERASED;
use crate::call::history::erasing;
use crate::call::idempotency;
use crate::values::id;

/// How many notes one step erases.
const NOTES: usize = 25;
/// How many entries of the history one step erases the values of.
const ENTRIES: usize = 50;
/// How long before a run entries and answers may have been written that it did not find: by another server, whose clock
/// is late. In microseconds.
const LATE: i64 = 5 * 60 * 1_000_000;

/// What stands in place of a name or a title.
const NO_NAME: &str = "Erased customer";

/// Erases the values of some of the entries that were found, and in step with them the remembered answers. Returns
/// whether there were any entries.
pub(super) fn entries(
    ctx: &mut WriteCtx<'_, '_>,
    found: &Found,
    erasure: &mut Erasure,
) -> Result<bool> {
    let done =
        erasure.entries_after.map_or(0, |last| found.entries.partition_point(|it| *it <= last));
    let rest = found.entries.get(done..).unwrap_or_default();
    let few = rest.get(..ENTRIES).unwrap_or(rest);
    let Some(last) = few.last() else { return Ok(false) };
    erasure.counts.entries += erasing::erase(ctx, few, &found.ids, &found.lent)?;
    let answers = |entries: usize| found.answers.len() * entries / found.entries.len();
    idempotency::erase(ctx, &found.answers[answers(done)..answers(done + few.len())])?;
    erasure.entries_after = Some(*last);
    Ok(true)
}

/// Erases some notes about a customer and what belongs to it, with their files. Returns whether there were any.
pub(super) fn notes(
    ctx: &mut WriteCtx<'_, '_>,
    found: &Found,
    erasure: &mut Erasure,
) -> Result<bool> {
    let mut notes = some_notes(ctx, &found.with_notes)?;
    if notes.is_empty() {
        // Others may have been added since, also to records that are new themselves. All records are read only for
        // them.
        let records = Records::of(ctx.tx, erasure.customer_id)?.ids();
        notes = some_notes(ctx, &records)?;
    }
    if notes.is_empty() {
        return Ok(false);
    }
    let mut erased: BTreeSet<_> = notes.iter().map(|note| note.id.uuid()).collect();
    for note in &notes {
        for file in store::files(ctx.tx, note.id)? {
            ctx.erased(&file)?;
            files::store::delete(ctx.tx, file.id)?;
            erased.insert(file.id.uuid());
            erasure.counts.files += 1;
        }
        notes::erased(ctx, note)?;
        store::delete_note(ctx.tx, note)?;
        erasure.counts.notes += 1;
    }
    since(ctx, found, erasure, &erased)?;
    Ok(true)
}

/// The first notes about these records.
fn some_notes(ctx: &mut WriteCtx<'_, '_>, records: &BTreeSet<Uuid>) -> Result<Vec<Note>> {
    let mut notes = Vec::new();
    for record in records {
        notes.extend(store::notes(ctx.tx, *record, NOTES - notes.len())?);
        if notes.len() == NOTES {
            break;
        }
    }
    Ok(notes)
}

/// Erases the customers and what belongs to them, once no note is left.
pub(super) fn customers(
    ctx: &mut WriteCtx<'_, '_>,
    found: &Found,
    erasure: &mut Erasure,
) -> Result<()> {
    let records = Records::of(ctx.tx, erasure.customer_id)?;
    erasure.counts = erasure.counts.plus(records.counts(ctx.tx)?);
    for merged in records.customers.iter().skip(1) {
        erasure.take_over(ctx.tx, merged.id)?;
    }
    for contact in &records.contacts {
        ctx.erased(contact)?;
    }
    for location in &records.locations {
        ctx.erased(location)?;
    }
    records.documents.erase(ctx)?;
    for customer in &records.customers {
        customers::store::unindex(ctx.tx, customer)?;
        store::remove(ctx.tx, customer.id)?;
        customers::store::update(ctx.tx, &stub(ctx, customer))?;
        ctx.erased(customer)?;
    }
    since(ctx, found, erasure, &records.ids())?;
    // They were erased in step with the entries.
    if found.entries.is_empty() {
        idempotency::erase(ctx, &found.answers)?;
    }
    for customer in &records.customers {
        ctx.changed("customer", customer.id.uuid(), ERASED, Value::Null, true.into());
    }
    Ok(())
}

/// Erases what the history and the remembered answers have of these records since the run began.
fn since(
    ctx: &mut WriteCtx<'_, '_>,
    found: &Found,
    erasure: &mut Erasure,
    records: &BTreeSet<Uuid>,
) -> Result<()> {
    let start = Timestamp(found.at.0 - LATE);
    let first = id::lowest_at(start);
    let mut entries = BTreeSet::new();
    for record in records {
        entries.extend(erasing::entries(ctx.tx, *record, first)?);
    }
    // All ids are put together only if there is something: they may be many, and this is done in each step.
    if !entries.is_empty() {
        let entries: Vec<_> = entries.into_iter().collect();
        let all = records.union(&found.ids).copied().collect();
        for few in entries.chunks(ENTRIES) {
            erasure.counts.entries += erasing::erase(ctx, few, &all, &found.lent)?;
        }
    }
    let answers = idempotency::naming_since(ctx.tx, start, records)?;
    idempotency::erase(ctx, &answers)
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
