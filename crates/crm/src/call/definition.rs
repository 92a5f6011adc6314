//! A tool as the catalog lists it: [`Tool`] and its behavior without their types, so that one list can
//! hold all tools.

use schemars::Schema;

use crate::call::argument::{Field, Input, Object, output_schema};
use crate::call::context::ReadCtx;
use crate::call::error::Result;
use crate::call::page;
use crate::call::perform::{self, CommandCall, Prepared};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, List, Query, Receipt, Tool};

/// The bytes of the longest record as JSON: a note of 100,000 characters of four bytes each, also as the old
/// text in an entry of the history.
const RECORD_BYTES: usize = 448 * 1024;
/// The bytes of the longest answer of any tool, as JSON.
pub const LONGEST_ANSWER: usize = page::PAGE_BYTES + RECORD_BYTES;

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
    /// The declared fields of its input.
    declared: fn() -> Vec<Field>,
    /// The schema of what it returns.
    output: fn() -> Schema,
    /// Whether it reads or writes, and how to run it.
    pub kind: ToolKind,
}

/// Whether a tool reads or writes, and how to run it.
#[derive(Debug, Clone, Copy)]
pub enum ToolKind {
    /// It reads.
    Query {
        /// The fields for pages, if it is a list.
        paging: Option<fn() -> Vec<Field>>,
        /// Runs it and returns the answer as JSON.
        run: fn(&mut ReadCtx<'_, '_>, Object) -> Result<String>,
    },
    /// It writes.
    Command {
        /// [`Command::EFFECT`].
        effect: Effect,
        /// [`Command::RECEIPT`].
        receipt: Receipt,
        /// Checks a call's arguments and makes everything ready for the write.
        prepare: fn(&mut ReadCtx<'_, '_>, CommandCall) -> Result<Box<dyn Prepared>>,
    },
}

impl ToolDef {
    /// A tool that reads one thing.
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
            declared: T::Input::fields,
            output: output_schema::<T::Output>,
            kind,
        }
    }

    /// Every field that a call can send, including those of the pipeline.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = (self.declared)();
        match self.kind {
            ToolKind::Query { paging: Some(paging), .. } => fields.extend(paging()),
            ToolKind::Query { paging: None, .. } => {}
            ToolKind::Command { .. } => fields.extend(crate::call::idempotency::fields()),
        }
        fields
    }

    /// The JSON schema of its arguments.
    pub fn input_schema(&self) -> serde_json::Map<String, serde_json::Value> {
        crate::call::argument::object_schema(&self.fields())
    }

    /// The JSON schema of what it returns. If a caller may get a redacted response, only the fields
    /// that every redacted response has are required.
    pub fn output_schema(&self) -> serde_json::Value {
        let mut schema = (self.output)().to_value();
        let held: Option<Vec<&str>> = match self.kind {
            ToolKind::Command { receipt: Receipt::Keys(keys), .. } => Some(keys.to_vec()),
            ToolKind::Command { receipt: Receipt::Sent { always, .. }, .. } => {
                Some(always.to_vec())
            }
            _ => None,
        };
        if let (Some(object), Some(held)) = (schema.as_object_mut(), held) {
            object.insert("required".to_owned(), held.into());
            object.remove("title");
        }
        schema
    }

    /// The bytes of its longest answer, as JSON. A list's page, and a customer with all that it has, end with the
    /// row that exceeds a page's bytes.
    pub const fn longest_answer(&self) -> usize {
        match self.kind {
            ToolKind::Query { .. } => LONGEST_ANSWER,
            ToolKind::Command { .. } => RECORD_BYTES,
        }
    }

    /// Whether it only reads.
    pub const fn is_read_only(&self) -> bool {
        matches!(self.kind, ToolKind::Query { .. })
    }

    /// Whether it hides, replaces or removes stored data. Clients ask the user before they call such a
    /// tool.
    ///
    /// Source: MCP schema, `ToolAnnotations.destructiveHint`.
    pub const fn is_destructive(&self) -> bool {
        match self.kind {
            ToolKind::Query { .. } | ToolKind::Command { effect: Effect::Create, .. } => false,
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

    /// The name for clients that reject dots.
    pub fn underscored(&self) -> String {
        self.name.replace('.', "_")
    }
}

/// A group of tools, as the catalog lists it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its name, which `?toolsets=` takes.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its tools in order.
    pub tools: &'static [ToolDef],
}
