//! What a tool is: declared once, read by every front door, document and test.
//!
//! A tool is a unit struct with [`Tool`] and one of [`Query`], [`List`] or [`Command`]. None of a
//! tool's constants has a default: forgetting one does not compile. Its group lists it in a `const`
//! slice through [`ToolDef::query`], [`ToolDef::list`] or [`ToolDef::command`].

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::Scope;
use crate::argument::{Field, Input, Object, output_schema};
use crate::context::{ReadCtx, WriteCtx};
use crate::error::Result;
use crate::page::{self, Page};
use crate::run::{self, Call};

/// A tool's declaration.
pub trait Tool: 'static {
    /// `entity.verb`, the entity in the plural.
    const NAME: &'static str;
    /// A short title for people.
    const TITLE: &'static str;
    /// What it does, when to use it, and the rules that its input's fields cannot tell.
    const ABOUT: &'static str;
    /// The scope that a caller needs.
    const SCOPE: Scope;
    /// Who may call it at all.
    const ACTOR: ActorRule;
    /// Which front doors offer it.
    const DOORS: Doors;
    /// Arguments that succeed in the sample world of the tests; `{customer}` and the like stand for
    /// ids of records there.
    const EXAMPLE: &'static str;
    /// Its arguments.
    type Input: Input;
    /// What it returns.
    type Output: Serialize + JsonSchema;
}

/// A tool that reads one thing.
pub trait Query: Tool {
    /// Does it.
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &Self::Input) -> Result<Self::Output>;
}

/// A tool that reads a list page by page. Its input declares the filters; cursor and limit are the
/// funnel's.
pub trait List: Tool<Output = Page<<Self as List>::Row>> {
    /// One row.
    type Row: Serialize + JsonSchema;
    /// Where in the order a row stands.
    type Position: Serialize + DeserializeOwned;

    /// Up to `count` rows that come after `after` in the list's order, each with its position.
    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &Self::Input,
        after: Option<Self::Position>,
        count: usize,
    ) -> Result<Vec<(Self::Row, Self::Position)>>;
}

/// A tool that writes.
pub trait Command: Tool {
    /// What kind of change it makes.
    const EFFECT: Effect;
    /// What a caller without the read scope is told.
    const RECEIPT: Receipt;

    /// Does it. The input is borrowed because a job may have to run twice.
    fn run(ctx: &mut WriteCtx<'_, '_>, input: &Self::Input) -> Result<Self::Output>;
}

/// Who may call a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorRule {
    /// Any actor.
    Anyone,
    /// Only a person.
    User,
}

/// Which front doors offer a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doors {
    /// All of them.
    Everywhere,
    /// The console and the command line: managing the account.
    House,
    /// The command line alone: running the installation.
    CommandLine,
}

/// What kind of change a command makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Adds a record; the same call again adds another.
    Create,
    /// Changes a record; the same call again changes nothing more.
    Update,
    /// Hides a record; it can be brought back.
    Archive,
    /// Removes a record for good.
    Destroy,
}

/// What a caller who may write but not read is told of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The whole answer, which tells nothing that was stored before.
    Whole,
    /// These keys.
    Keys(&'static [&'static str]),
    /// These keys and the fields that the call sent.
    Sent {
        /// Keys that are always there.
        always: &'static [&'static str],
        /// Fields whose key in the record has another name: (sent, in the record).
        renamed: &'static [(&'static str, &'static str)],
    },
}

/// A tool as the catalogue lists it.
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
    /// [`Tool::DOORS`].
    pub doors: Doors,
    /// [`Tool::EXAMPLE`].
    pub example: &'static str,
    /// The fields of its input as declared.
    declared: fn() -> Vec<Field>,
    /// The schema of what it returns.
    output: fn() -> Schema,
    /// What running it means.
    pub action: Action,
}

/// What running a tool means.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    /// It reads.
    Query {
        /// Whether it is a list with pages.
        paged: bool,
        /// Runs it; the answer's JSON.
        run: fn(&mut ReadCtx<'_, '_>, Object) -> Result<String>,
    },
    /// It writes.
    Command {
        /// [`Command::EFFECT`].
        effect: Effect,
        /// [`Command::RECEIPT`].
        receipt: Receipt,
        /// Runs it; the answer's JSON.
        run: fn(&mut WriteCtx<'_, '_>, Call) -> Result<String>,
    },
}

impl ToolDef {
    /// A tool that reads one thing.
    pub const fn query<T: Query>() -> Self {
        Self::of::<T>(Action::Query { paged: false, run: run::query::<T> })
    }

    /// A tool that reads a list page by page.
    pub const fn list<T: List>() -> Self {
        Self::of::<T>(Action::Query { paged: true, run: page::list::<T> })
    }

    /// A tool that writes.
    pub const fn command<T: Command>() -> Self {
        let run = run::command::<T>;
        Self::of::<T>(Action::Command { effect: T::EFFECT, receipt: T::RECEIPT, run })
    }

    const fn of<T: Tool>(action: Action) -> Self {
        Self {
            name: T::NAME,
            title: T::TITLE,
            about: T::ABOUT,
            scope: T::SCOPE,
            actor: T::ACTOR,
            doors: T::DOORS,
            example: T::EXAMPLE,
            declared: T::Input::fields,
            output: output_schema::<T::Output>,
            action,
        }
    }

    /// Every field that a call can send, those of the funnel included.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = (self.declared)();
        match self.action {
            Action::Query { paged: true, .. } => fields.extend(page::fields()),
            Action::Query { paged: false, .. } => {}
            Action::Command { .. } => fields.extend(crate::idempotency::fields()),
        }
        fields
    }

    /// The JSON schema of its arguments.
    pub fn input_schema(&self) -> serde_json::Map<String, serde_json::Value> {
        crate::argument::object_schema(&self.fields())
    }

    /// The JSON schema of what it returns. Where a caller may get a receipt, only what every
    /// receipt holds is required.
    pub fn output_schema(&self) -> serde_json::Value {
        let mut schema = (self.output)().to_value();
        let held: Option<Vec<&str>> = match self.action {
            Action::Command { receipt: Receipt::Keys(keys), .. } => Some(keys.to_vec()),
            Action::Command { receipt: Receipt::Sent { always, .. }, .. } => Some(always.to_vec()),
            _ => None,
        };
        if let (Some(object), Some(held)) = (schema.as_object_mut(), held) {
            object.insert("required".to_owned(), held.into());
            object.remove("title");
        }
        schema
    }

    /// Whether it only reads.
    pub const fn is_read_only(&self) -> bool {
        matches!(self.action, Action::Query { .. })
    }

    /// Whether it does more than add: it hides, replaces or removes what was there. Clients ask a
    /// person before they call such a tool.
    ///
    /// Source: MCP schema, `ToolAnnotations.destructiveHint`.
    pub const fn is_destructive(&self) -> bool {
        match self.action {
            Action::Query { .. } | Action::Command { effect: Effect::Create, .. } => false,
            Action::Command {
                effect: Effect::Update | Effect::Archive | Effect::Destroy, ..
            } => true,
        }
    }

    /// Whether the same call again changes nothing more.
    pub const fn is_idempotent(&self) -> bool {
        !matches!(self.action, Action::Command { effect: Effect::Create, .. })
    }

    /// The name for clients that refuse dots.
    pub fn underscored(&self) -> String {
        self.name.replace('.', "_")
    }
}

/// A group of tools, as the catalogue lists it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its name, which `?toolsets=` takes.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its tools in order.
    pub tools: &'static [ToolDef],
}
