//! Runs the steps of a reverted entry with the tools that people use, so that their rules and rights hold.

use serde_json::{Map, Value, json};
use zoop_db::Uuid;

use super::plan::{Kind, Step};
use crate::business::customers::contacts::tools as contacts;
use crate::business::customers::locations::tools as locations;
use crate::business::customers::tools as customers;
use crate::business::notes::tools as notes;
use crate::business::tags::{self, tools as tag_tools};
use crate::call::argument::{self, Json};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::perform;
use crate::call::tool::Command;

/// Runs one step.
pub(super) fn run(ctx: &mut WriteCtx<'_, '_>, step: &Step) -> Result<()> {
    match step {
        Step::BringBack(values) => tags::bring_back(ctx, values),
        Step::Restore(kind, id) => restore(ctx, *kind, *id),
        Step::Put { kind, id, customer, fields } => {
            let mut arguments = arguments_of(*kind, fields);
            arguments.extend(identifying(*id, *customer));
            match kind {
                Kind::Customer => call::<customers::UpdateCustomer>(ctx, arguments),
                Kind::Contact => call::<contacts::UpdateContact>(ctx, arguments),
                Kind::Location => call::<locations::UpdateLocation>(ctx, arguments),
                Kind::Note => call::<notes::UpdateNote>(ctx, arguments),
                Kind::Tag => call::<tag_tools::UpdateTag>(ctx, arguments),
            }
        }
        Step::Attach { tag, customer } => {
            call::<tag_tools::AttachTag>(ctx, assignment(tag, *customer))
        }
        Step::Detach { tag, customer } => {
            call::<tag_tools::DetachTag>(ctx, assignment(tag, *customer))
        }
        Step::Archive { kind, id, customer } => {
            let arguments = identifying(*id, *customer);
            match kind {
                Kind::Customer => call::<customers::ArchiveCustomer>(ctx, arguments),
                Kind::Contact => call::<contacts::ArchiveContact>(ctx, arguments),
                Kind::Location => call::<locations::ArchiveLocation>(ctx, arguments),
                Kind::Note => call::<notes::ArchiveNote>(ctx, arguments),
                Kind::Tag => call::<tag_tools::DeleteTag>(ctx, arguments),
            }
        }
        Step::DeleteTag(id) => call::<tag_tools::DeleteTag>(ctx, identifying(*id, None)),
    }
}

fn restore(ctx: &mut WriteCtx<'_, '_>, kind: Kind, id: Uuid) -> Result<()> {
    let arguments = identifying(id, None);
    match kind {
        Kind::Customer => call::<customers::RestoreCustomer>(ctx, arguments),
        Kind::Contact => call::<contacts::RestoreContact>(ctx, arguments),
        Kind::Location => call::<locations::RestoreLocation>(ctx, arguments),
        Kind::Note => call::<notes::RestoreNote>(ctx, arguments),
        // A tag is deleted, never archived.
        Kind::Tag => Ok(()),
    }
}

/// Runs a tool within the transaction. Its changes become part of this entry.
fn call<T: Command>(ctx: &mut WriteCtx<'_, '_>, arguments: Map<String, Value>) -> Result<()> {
    let object = arguments.into_iter().map(|(name, value)| (name, Json::from(value))).collect();
    let input = argument::read_filters::<T::Input>(object, perform::parse_context(ctx.access))?;
    let input = T::prepare(&mut ReadCtx::new(ctx.tx, ctx.access, ctx.environment), input)?;
    T::run(ctx, &input).map(drop)
}

/// The arguments that say which record is meant.
fn identifying(id: Uuid, customer: Option<Uuid>) -> Map<String, Value> {
    let mut arguments = Map::new();
    arguments.insert("id".to_owned(), json!(id));
    if let Some(customer) = customer {
        arguments.insert("customer_id".to_owned(), json!(customer));
    }
    arguments
}

fn assignment(tag: &Value, customer: Uuid) -> Map<String, Value> {
    let mut arguments = Map::new();
    arguments.insert("id".to_owned(), tag.clone());
    arguments.insert("customer_id".to_owned(), json!(customer));
    arguments
}

/// The arguments that put back fields. A contact stops being the primary one when another becomes it.
fn arguments_of(kind: Kind, fields: &Map<String, Value>) -> Map<String, Value> {
    let mut arguments = fields.clone();
    if kind == Kind::Contact && arguments.get("is_primary") == Some(&Value::Bool(false)) {
        arguments.shift_remove("is_primary");
    }
    arguments
}
