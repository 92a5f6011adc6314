//! [`ToolDef`]: a [`Tool`] without its Rust types, so that one list can contain all tools.

use schemars::Schema;

use crate::call::argument::{Field, Input, Object, output_schema};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::page;
use crate::call::perform::{self, CommandCall, Prepared};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, List, Query, Receipt, Tool};

/// Maximum bytes of one record as JSON. The longest records are documents with 100 lines of 1,200 four-byte characters
/// and as many tax rates; a note has at most 100,000 such characters.
const MAX_RECORD_BYTES: usize = 600 * 1024;
/// Maximum bytes of any tool's answer, as JSON.
pub const LONGEST_ANSWER: usize = page::PAGE_BYTES + MAX_RECORD_BYTES;

/// A tool as the catalog lists it.
#[derive(Debug, Clone, Copy)]
pub struct ToolDef {
    /// [`Tool::NAME`].
    pub name: &'static str,
    /// [`Tool::TITLE`].
    pub title: &'static str,
    /// [`Tool::ABOUT`].
    pub about: &'static str,
    /// [`Tool::SCOPE`].
    pub scope: Scope,
    /// [`Tool::ACTOR`].
    pub actor: ActorRule,
    /// [`Tool::EXPOSURE`].
    pub exposure: Exposure,
    /// [`Tool::EXAMPLE`].
    pub example: &'static str,
    /// [`Input::ALIASES`].
    pub aliases: &'static [(&'static str, &'static str)],
    /// The declared fields of the input.
    declared: fn() -> Vec<Field>,
    /// The JSON schema of the answer.
    output: fn() -> Schema,
    /// Whether the tool reads or writes, and how to run it.
    pub kind: ToolKind,
}

/// Whether a tool reads or writes, and how to run it.
#[derive(Debug, Clone, Copy)]
pub enum ToolKind {
    /// The tool reads.
    Query {
        /// The fields `cursor` and `limit`, if the tool is a list.
        paging: Option<fn() -> Vec<Field>>,
        /// Runs the tool and returns the answer as JSON.
        run: fn(&mut ReadCtx<'_, '_>, Object) -> Result<String>,
    },
    /// The tool writes.
    Command {
        /// [`Command::EFFECT`].
        effect: Effect,
        /// [`Command::RECEIPT`].
        receipt: Receipt,
        /// Checks a call's arguments and prepares the write.
        prepare: fn(&mut ReadCtx<'_, '_>, CommandCall) -> Result<Box<dyn Prepared>>,
    },
}

impl ToolDef {
    /// A tool that reads and is not a list.
    pub const fn query<T: Query>() -> Self {
        Self::of::<T>(ToolKind::Query { paging: None, run: perform::query_json::<T> })
    }

    /// A tool that reads a list page by page.
    pub const fn list<T: List>() -> Self {
        Self::of::<T>(ToolKind::Query {
            paging: Some(page::fields::<T>),
            run: page::list_json::<T>,
        })
    }

    /// A tool that writes.
    pub const fn command<T: Command>() -> Self {
        let prepare = perform::prepare_json::<T>;
        Self::of::<T>(ToolKind::Command { effect: T::EFFECT, receipt: T::RECEIPT, prepare })
    }

    const fn of<T: Tool>(kind: ToolKind) -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            about: T::ABOUT,
            scope: T::SCOPE,
            actor: T::ACTOR,
            exposure: T::EXPOSURE,
            example: T::EXAMPLE,
            aliases: T::Input::ALIASES,
            declared: T::Input::fields,
            output: output_schema::<T::Output>,
            kind,
        }
    }

    /// Every field that a call can send, including those that the pipeline adds.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = (self.declared)();
        match self.kind {
            ToolKind::Query { paging: Some(paging), .. } => fields.extend(paging()),
            ToolKind::Query { paging: None, .. } => {}
            ToolKind::Command { .. } => fields.extend(crate::call::idempotency::fields()),
        }
        fields
    }

    /// The JSON schema of the arguments, as callers are told it.
    pub fn input_schema(&self) -> serde_json::Map<String, serde_json::Value> {
        crate::call::argument::listed_schema(&self.fields())
    }

    /// The JSON schema of the answer. If a caller may get a receipt instead, only the fields that every
    /// receipt contains are required.
    pub fn output_schema(&self) -> serde_json::Value {
        let mut schema = (self.output)().to_value();
        let required: Option<Vec<&str>> = match self.kind {
            ToolKind::Command { receipt: Receipt::Keys(keys), .. } => Some(keys.to_vec()),
            ToolKind::Command {
                receipt: Receipt::Sent { always, .. } | Receipt::Document { always, .. },
                ..
            } => Some(always.to_vec()),
            _ => None,
        };
        if let (Some(object), Some(required)) = (schema.as_object_mut(), required) {
            object.insert("required".to_owned(), required.into());
            object.remove("title");
        }
        schema
    }

    /// Maximum bytes of the tool's answer, as JSON. A query can exceed [`page::PAGE_BYTES`] by one row: a
    /// page, like the answer of `customers.get`, ends only after the row that exceeds it.
    pub const fn longest_answer(&self) -> usize {
        match self.kind {
            ToolKind::Query { .. } => LONGEST_ANSWER,
            ToolKind::Command { .. } => MAX_RECORD_BYTES,
        }
    }

    /// Whether the tool is offered over MCP.
    pub const fn is_public(&self) -> bool {
        matches!(self.exposure, Exposure::Public)
    }

    /// Whether the tool only reads.
    pub const fn is_read_only(&self) -> bool {
        matches!(self.kind, ToolKind::Query { .. })
    }

    /// Whether the tool hides, replaces or removes stored data. Clients ask the user before they call such
    /// a tool.
    ///
    /// Source: MCP schema, `ToolAnnotations.destructiveHint`.
    pub const fn is_destructive(&self) -> bool {
        match self.kind {
            ToolKind::Query { .. }
            | ToolKind::Command { effect: Effect::Create | Effect::Add, .. } => false,
            ToolKind::Command {
                effect: Effect::Update | Effect::Archive | Effect::Destroy,
                ..
            } => true,
        }
    }

    /// Whether repeating the call changes nothing more.
    pub const fn is_idempotent(&self) -> bool {
        !matches!(self.kind, ToolKind::Command { effect: Effect::Create, .. })
    }

    /// The tool's name with underscores, for clients that reject dots.
    pub fn underscored(&self) -> String {
        self.name.replace('.', "_")
    }
}

/// A group of tools, as the catalog lists it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The group's name, which `?toolsets=` accepts.
    pub name: &'static str,
    /// What the group is about.
    pub about: &'static str,
    /// The group's tools, in order.
    pub tools: &'static [ToolDef],
}
