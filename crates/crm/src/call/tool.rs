//! Tools: a tool is declared once, and every interface, document and test reads that declaration.
//!
//! A tool is a unit struct that implements [`Tool`] and one of [`Query`], [`List`] or [`Command`]. A tool's
//! constants have no defaults, so that a missing constant does not compile. The tool's group lists the tool in
//! a `const` slice of [`ToolDef`](crate::call::definition::ToolDef).

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zoop_db::Uuid;

use crate::call::access::{Actor, Role};
use crate::call::answer::Page;
use crate::call::argument::{Input, Parse};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;

/// A tool's declaration.
pub trait Tool: 'static {
    /// `entity.verb`, the entity in the plural unless there is only one.
    const NAME: &'static str;
    /// A short title for people.
    const TITLE: &'static str;
    /// What the tool does, when to use it, and the rules that the descriptions of its fields cannot express.
    const ABOUT: &'static str;
    /// The scope that a caller needs.
    const SCOPE: Scope;
    /// Which actors may call the tool.
    const ACTOR: ActorRule;
    /// Who is offered the tool.
    const EXPOSURE: Exposure;
    /// Example arguments that succeed in the test environment. `{customer}` and the like are replaced
    /// by ids of sample records.
    const EXAMPLE: &'static str;
    /// The tool's arguments.
    type Input: Input;
    /// The tool's answer.
    type Output: Serialize + JsonSchema;
}

/// A tool that reads and is not a list.
pub trait Query: Tool {
    /// Runs the query.
    fn run(ctx: &mut ReadCtx<'_, '_>, input: &Self::Input) -> Result<Self::Output>;
}

/// A tool that reads a list page by page. The tool's input declares the filters, and the pipeline adds the
/// fields `cursor` and `limit`.
pub trait List: Tool<Output = Page<<Self as List>::Row>> {
    /// One row.
    type Row: Serialize + JsonSchema;
    /// The sort key of a row (the cursor's position).
    type Position: Serialize + DeserializeOwned;
    /// The range of `limit`, the maximum rows of a page.
    type Limit: Parse + Into<u32>;
    /// The limit if the call sends none.
    const DEFAULT_LIMIT: u32;
    /// Number of rows that are read before their size is measured. All of them are in memory at once, even if
    /// they are too long for one page.
    const AT_ONCE: usize;

    /// Returns up to `count` rows that come after `after` in the list's order. If the search takes too long,
    /// it may return fewer rows and the position at which it stopped.
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
    /// The position at which the search stopped, if it stopped early. `None` if the search reached the end of
    /// the list. Ignored if all requested rows were found.
    pub stopped: Option<P>,
}

impl<R, P> Found<R, P> {
    /// All rows up to the end of the list, or as many as were requested.
    pub const fn all(rows: Vec<(R, P)>) -> Self {
        Self { rows, stopped: None }
    }
}

/// A tool that writes.
pub trait Command: Tool {
    /// What kind of change the command makes.
    const EFFECT: Effect;
    /// What a caller without the read scope gets.
    const RECEIPT: Receipt;
    /// How the answer to a retry is produced.
    const REPLAY: Replay<Self>;
    /// Fields, of the arguments or of objects in them, that a retry may send with other values.
    const PER_TRY: &'static [&'static str] = &[];
    /// Keys of the answer that only an owner is shown. The tool leaves them out for others; the pipeline does so when an
    /// answer is given again to a caller whose role has changed.
    const FOR_OWNERS: &'static [&'static str] = &[];

    /// Does slow work before the write, because a write holds up all other writes. What this reads may change
    /// before the write, so [`Self::run`] must repeat all checks of stored data.
    fn prepare(_: &mut ReadCtx<'_, '_>, input: Self::Input) -> Result<Self::Input> {
        Ok(input)
    }

    /// Does a part of the work that would hold up other writes for too long in one transaction, and returns
    /// [`Step::Partial`]. Returns [`Step::Done`] when the rest is short enough for [`Self::run`]. Each part is a
    /// transaction and a history entry of its own, and other calls run in between. If the call ends early, the
    /// finished parts stay, and a repeated call does the rest.
    fn advance(_: &mut WriteCtx<'_, '_>, _: &Self::Input) -> Result<Step<()>> {
        Ok(Step::Done(()))
    }

    /// Runs the command. The input is borrowed because a job may have to run twice.
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
    /// A user, or the operator.
    UserOrOperator,
    /// A user who is an owner or works in the office.
    Office,
    /// A user who is an owner.
    Owner,
}

impl ActorRule {
    /// Whether this actor may call the tool, if the scope allows it.
    pub fn allows(self, actor: Actor) -> bool {
        match (self, actor) {
            (Self::Anyone, _) | (Self::UserOrOperator, Actor::Operator) => true,
            (_, Actor::Tenant | Actor::Operator) => false,
            (_, Actor::User { role, .. }) => self.allows_role(role),
        }
    }

    /// Whether a user with this role may call the tool, if the scope allows it.
    pub const fn allows_role(self, role: Role) -> bool {
        match self {
            Self::Anyone | Self::User | Self::UserOrOperator => true,
            Self::Office => matches!(role, Role::Owner | Role::Office),
            Self::Owner => matches!(role, Role::Owner),
        }
    }

    /// What a caller whom the rule does not allow is told.
    pub(crate) fn refusal(self, actor: Actor, tool: &str) -> Error {
        let people = match (self, actor) {
            (Self::Office, Actor::User { .. }) => "an owner or the office",
            (_, Actor::User { .. }) => "an owner of the account",
            _ => {
                return Error::invalid(format!(
                    "{tool} needs a person to act: use a user key (zoop_uk_) or an OAuth token \
                     instead of a tenant key."
                ));
            }
        };
        Error::invalid(format!("{tool} is only for {people}: ask one of them to do it."))
    }
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
    /// Adds to a record, or brings one back, and removes nothing. Repeating the call changes nothing more.
    Add,
    /// Archives or revokes a record, or removes a user from a tenant.
    Archive,
    /// Deletes a record.
    Destroy,
}

/// How the answer to a retry is produced. Long answers are not remembered whole.
pub enum Replay<T: Command + ?Sized> {
    /// From the first answer, which is remembered whole. It must be short for all arguments and stored data.
    Kept,
    /// Like [`Self::Kept`], for a tool that is run in its own types: this reads the first answer. What
    /// [`Command::prepare`] checks is not checked for a retry.
    Read(fn(&str) -> Result<T::Output>),
    /// A short answer is remembered whole. A long one is produced again from the input and from the record
    /// with the first answer's `id`. It must be the same answer, unless something has changed since.
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
        /// Keys that every receipt contains.
        always: &'static [&'static str],
        /// Fields that have another name in the record: (name as sent, name in the record).
        renamed: &'static [(&'static str, &'static str)],
    },
    /// As [`Self::Sent`], for documents: their lines show prices that the call did not send.
    Document {
        /// Keys that every receipt contains.
        always: &'static [&'static str],
        /// Fields that are never shown.
        left_out: &'static [&'static str],
        /// Keys beside a field that was sent: (name as sent, names in the record).
        beside: &'static [(&'static str, &'static [&'static str])],
    },
}
