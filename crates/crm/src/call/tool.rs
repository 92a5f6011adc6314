//! Tools: a tool is declared once, and every interface, document and test reads that declaration.
//!
//! A tool is a unit struct with [`Tool`] and one of [`Query`], [`List`] or [`Command`]. None of a
//! tool's constants has a default: forgetting one does not compile. Its group lists it in a `const`
//! slice of [`ToolDef`](crate::call::definition::ToolDef).

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zoop_db::Uuid;

use crate::call::answer::Page;
use crate::call::argument::{Input, Parse};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::Result;
use crate::call::scope::Scope;

/// A tool's declaration.
pub trait Tool: 'static {
    /// `entity.verb`, the entity in the plural.
    const NAME: &'static str;
    /// A short title for people.
    const TITLE: &'static str;
    /// What it does, when to use it, and the rules that the descriptions of its fields cannot express.
    const ABOUT: &'static str;
    /// The scope that a caller needs.
    const SCOPE: Scope;
    /// Which actors may call it.
    const ACTOR: ActorRule;
    /// Who is offered it.
    const EXPOSURE: Exposure;
    /// Example arguments that succeed in the test environment. `{customer}` and the like are replaced
    /// by ids of sample records.
    const EXAMPLE: &'static str;
    /// Its arguments.
    type Input: Input;
    /// What it returns.
    type Output: Serialize + JsonSchema;
}

/// A tool that reads one thing.
pub trait Query: Tool {
    /// Runs it.
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &Self::Input) -> Result<Self::Output>;
}

/// A tool that reads a list page by page. Its input declares the filters; the pipeline adds cursor and
/// limit.
pub trait List: Tool<Output = Page<<Self as List>::Row>> {
    /// One row.
    type Row: Serialize + JsonSchema;
    /// The sort key of a row (the cursor's position).
    type Position: Serialize + DeserializeOwned;
    /// The range of `limit`, the maximum rows of a page.
    type Limit: Parse + Into<u32>;
    /// The limit if none was sent.
    const DEFAULT_LIMIT: u32;
    /// Rows that are read before they are measured. So many of the longest rows are in memory at once,
    /// whatever the page can hold.
    const AT_ONCE: usize;

    /// Up to `count` rows that come after `after` in the list's order. If it is too much work to find so
    /// many, it may stop earlier and say where.
    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        input: &Self::Input,
        after: Option<Self::Position>,
        count: usize,
    ) -> Result<Found<Self::Row, Self::Position>>;
}

/// Rows of a list, each with its position in the list's order.
#[derive(Debug)]
pub struct Found<R, P> {
    /// The rows.
    pub rows: Vec<(R, P)>,
    /// The position up to which rows were sought; `None` if that was up to the end.
    pub stopped: Option<P>,
}

impl<R, P> Found<R, P> {
    /// All rows up to the end, or as many as were asked for.
    pub const fn all(rows: Vec<(R, P)>) -> Self {
        Self { rows, stopped: None }
    }
}

/// A tool that writes.
pub trait Command: Tool {
    /// What kind of change it makes.
    const EFFECT: Effect;
    /// What a caller without the read scope gets.
    const RECEIPT: Receipt;
    /// How the answer to a retry is made.
    const REPLAY: Replay<Self>;

    /// Computes what the write needs and what takes long: the write holds up every other write, this only
    /// its own caller. What it reads may have changed by the time of the write, so [`Self::run`] checks it
    /// again and refuses what is to be refused.
    fn prepare(_: &mut ReadCtx<'_, '_>, input: Self::Input) -> Result<Self::Input> {
        Ok(input)
    }

    /// Does a part of the work that would hold up other writes for too long in one transaction, and returns
    /// [`Step::Partial`]; [`Step::Done`] once what is left is short enough for [`Self::run`]. Each part is a
    /// transaction and a history entry of its own, between which other calls run. A call that ends in between has
    /// done the parts before, and a repeated call does the rest.
    fn advance(_: &mut WriteCtx<'_, '_>, _: &Self::Input) -> Result<Step<()>> {
        Ok(Step::Done(()))
    }

    /// Runs it. The input is borrowed because a job may have to run twice.
    fn run(ctx: &mut WriteCtx<'_, '_>, input: &Self::Input) -> Result<Self::Output>;
}

/// How far a write has come in one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<T> {
    /// Only a part of it is done.
    Partial,
    /// All of it is done.
    Done(T),
}

/// Who may call a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorRule {
    /// Any actor.
    Anyone,
    /// Only a user.
    User,
}

/// Who is offered a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Every caller, over MCP too.
    Public,
    /// Pages and the command line: managing the tenant.
    Admin,
    /// The command line only: running the installation.
    Operator,
}

/// What kind of change a command makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Adds a record. Repeating the call adds another.
    Create,
    /// Changes a record. Repeating the call changes nothing more.
    Update,
    /// Hides a record. It can be restored.
    Archive,
    /// Deletes a record.
    Destroy,
}

/// How the answer to a retry is made: remembered answers must be small.
pub enum Replay<T: Command + ?Sized> {
    /// The first answer is kept. It must be small, whatever is sent and stored.
    Kept,
    /// An answer that is not small is made again: from the input, and the record that the answer's `id` names.
    /// As long as nothing has changed, it is the same.
    Reread(fn(&mut WriteCtx<'_, '_>, &T::Input, Uuid) -> Result<T::Output>),
}

/// The redacted response: what a caller who may write a record but not read it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The whole answer, which shows nothing that was stored before.
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
