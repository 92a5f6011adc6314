//! The one funnel: every call of every tool, from every front door, goes through here.
//!
//! Scope, then actor, then arguments, then the idempotency key, then the tool, then the history,
//! then the remembered answer: all in the caller's transaction, so that they stand or fall together.

use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use zoop_db::{ReadTx, WriteTx};

use crate::access::{Access, Actor, Scope};
use crate::argument::{self, Object, Setting};
use crate::clock::Environment;
use crate::context::{ReadCtx, WriteCtx};
use crate::error::{Error, FieldProblem, Result};
use crate::tool::{Action, ActorRule, Command, Query, Receipt, ToolDef};
use crate::{history, idempotency};

/// A command's call, its idempotency key taken out.
pub struct Call {
    /// The tool.
    pub(crate) tool: &'static ToolDef,
    /// The arguments.
    pub(crate) arguments: Object,
    /// The key under which the answer is remembered, if one was sent, or what is wrong with it.
    pub(crate) key: Result<Option<String>, FieldProblem>,
}

/// Runs a tool that reads; the answer's JSON.
///
/// # Errors
/// The caller's mistakes and the tool's refusals, and [`Error::Internal`] for a tool that writes.
pub fn read(
    tx: &mut ReadTx<'_>,
    access: &Access,
    environment: &Environment,
    tool: &ToolDef,
    arguments: &str,
) -> Result<String> {
    authorize(access, tool)?;
    let Action::Query { run, .. } = tool.action else {
        return Err(Error::internal(format!("{} writes; it was run as a read", tool.name)));
    };
    let object = parse(arguments, environment)?;
    if let Some(account) = access.account {
        tx.bind(account.number);
    }
    run(&mut ReadCtx { tx, access, now: environment.clock.now() }, object)
}

/// Runs a tool that writes; the answer's JSON. `header_key` is the `Idempotency-Key` header.
///
/// # Errors
/// The caller's mistakes and the tool's refusals, and [`Error::Internal`] for a tool that reads.
pub fn write(
    tx: &mut WriteTx<'_>,
    access: &Access,
    environment: &Environment,
    tool: &'static ToolDef,
    arguments: &str,
    header_key: Option<&str>,
) -> Result<String> {
    authorize(access, tool)?;
    let Action::Command { run, receipt, .. } = tool.action else {
        return Err(Error::internal(format!("{} reads; it was run as a write", tool.name)));
    };
    let mut arguments = parse(arguments, environment)?;
    let key = idempotency::take_key(&mut arguments, header_key);
    if let Some(account) = access.account {
        tx.bind(account.number);
    }
    tx.take_turn()?;
    let sent = needs_receipt(access, tool, receipt).then(|| arguments.clone());
    let now = environment.clock.now();
    let mut ctx = WriteCtx { tx, access, now, environment, changes: Vec::new(), is_private: false };
    let answer = run(&mut ctx, Call { tool, arguments, key })?;
    match sent {
        Some(sent) => receipt_of(&answer, receipt, &sent),
        None => Ok(answer),
    }
}

/// The arguments, without what clients add on their own, which is counted.
fn parse(arguments: &str, environment: &Environment) -> Result<Object> {
    let mut object = argument::parse_object(arguments)?;
    let sent = object.len();
    object.retain(|(name, _)| !argument::CLIENT_ARTEFACTS.contains(&name.as_str()));
    let dropped = u64::try_from(sent - object.len()).unwrap_or(0);
    environment.dropped_artefacts.fetch_add(dropped, Ordering::Relaxed);
    Ok(object)
}

/// Scope first, then the actor rule.
fn authorize(access: &Access, tool: &ToolDef) -> Result<()> {
    if !access.scopes.has(tool.scope) {
        let attainable = access.attainable.has(tool.scope);
        return Err(Error::InsufficientScope { required: vec![tool.scope], attainable });
    }
    if tool.actor == ActorRule::User && !matches!(access.actor, Actor::User { .. }) {
        return Err(Error::invalid(format!(
            "{} needs a person to act: use a user key (zoop_uk_) or an OAuth token instead of a \
             tenant key.",
            tool.name
        )));
    }
    Ok(())
}

/// The setting that arguments are read in.
fn setting(access: &Access) -> Setting {
    Setting { country: access.country() }
}

/// [`Action::Query`] of a tool that reads one thing.
pub(crate) fn query<T: Query>(ctx: &mut ReadCtx<'_, '_>, object: Object) -> Result<String> {
    let input = argument::read_filters::<T::Input>(object, setting(ctx.access))?;
    Ok(serde_json::to_string(&T::run(ctx, &input)?)?)
}

/// [`Action::Command`] of every tool that writes.
pub(crate) fn command<T: Command>(ctx: &mut WriteCtx<'_, '_>, call: Call) -> Result<String> {
    let has_key = matches!(call.key, Ok(Some(_)));
    let fingerprint = has_key.then(|| idempotency::fingerprint(&call.arguments));
    let setting = setting(ctx.access);
    let (input, key) = argument::read::<T::Input, _>(call.arguments, call.key, setting)?;
    let claim = match (key, fingerprint) {
        (Some(key), Some(fingerprint)) => {
            let claim = idempotency::Claim { key, fingerprint, tool: call.tool.name };
            if let Some(answer) = idempotency::replay(ctx, &claim)? {
                return Ok(answer);
            }
            Some(claim)
        }
        _ => None,
    };
    let answer = serde_json::to_string(&T::run(ctx, &input)?)?;
    history::record(ctx, call.tool.name)?;
    if let Some(claim) = claim {
        idempotency::remember(ctx, &claim, &answer)?;
    }
    Ok(answer)
}

/// Whether the caller may write this record but not read it.
fn needs_receipt(access: &Access, tool: &ToolDef, receipt: Receipt) -> bool {
    let read = match tool.scope {
        Scope::WriteCustomers => Scope::ReadCustomers,
        Scope::WriteNotes => Scope::ReadNotes,
        other => other,
    };
    receipt != Receipt::Whole && !access.scopes.has(read)
}

/// What such a caller is told of the answer. A replayed answer passes through here too, so that it
/// never shows more than the caller may see now.
fn receipt_of(answer: &str, receipt: Receipt, sent: &Object) -> Result<String> {
    let mut record: Map<String, Value> = serde_json::from_str(answer)?;
    let mut shown = Map::new();
    let mut show = |key: &str, value: Value| {
        shown.insert(key.to_owned(), value);
    };
    match receipt {
        Receipt::Whole => return Ok(answer.to_owned()),
        Receipt::Keys(keys) => {
            for key in keys {
                show(key, record.remove(*key).unwrap_or(Value::Null));
            }
        }
        Receipt::Sent { always, renamed } => {
            for key in always {
                show(key, record.remove(*key).unwrap_or(Value::Null));
            }
            for (name, value) in sent {
                let key = renamed.iter().find(|(sent, _)| sent == name).map_or(&**name, |r| r.1);
                if let Some(stored) = record.remove(key) {
                    // A cleared field shows nothing: the record may show another's value instead.
                    show(key, if value.is_blank() { Value::Null } else { stored });
                }
            }
        }
    }
    Ok(serde_json::to_string(&shown)?)
}
