//! The history: who changed what, when, with which credential and client. Each successful write adds one
//! entry, in its own transaction.
//!
//! Undoing entries one by one, newest first, gives every earlier state of a record. When a note's body
//! changes, the entry stores only the old body. A draft has no entries until it is committed: text that only
//! its author may read must not be readable here.
//!
//! A record's values are stored only once they are replaced: the entry of its addition has none of them
//! (`business::history`).

pub(crate) mod change;
pub(crate) mod erasing;
pub mod former;
pub(crate) mod packed;
pub(crate) mod store;

pub(crate) use store::STATEMENTS;

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::WriteTx;

use crate::call::access::Access;
use crate::call::context::{Change, WriteCtx};
use crate::call::error::Result;
use crate::call::storage;
use crate::values::clock::{Environment, Moment};
use crate::values::id::{Id, kinds};

/// One entry of the history.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryEntry {
    /// The entry's id.
    pub id: Id<kinds::Entry>,
    /// When the change was made.
    pub at: Moment,
    /// The kind of actor: user, tenant or operator.
    pub actor_kind: String,
    /// The person, if a person acted.
    pub user_id: Option<Id<kinds::User>>,
    /// The person's name in this account.
    pub user_name: Option<String>,
    /// The credential used: an API key, a connected program or a session.
    pub credential_id: Option<Id<kinds::Credential>>,
    /// The API key's name, if one was used.
    pub key_name: Option<String>,
    /// The client program's own name.
    pub client: Option<String>,
    /// The caller's IP address, as the server saw it. Only who may manage the account is shown it.
    pub address: Option<String>,
    /// The tool, or the name of another event: `sign_in`, `consent` and the like.
    pub tool: String,
    /// Whether changes.revert can undo it.
    pub can_revert: bool,
    /// Why it cannot be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cannot_revert: Option<String>,
    /// Each field of each record that changed, with its old and new value; the first thousand.
    pub changes: Vec<Change>,
    /// How many changes are not shown, if there are more than a thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_changes: Option<usize>,
}

/// Maximum number of changes that a list shows for each entry. Only an entry about many records has more, such
/// as the deletion of a tag that many customers had. Each change of such an entry is short.
const MAX_CHANGES: usize = 1_000;

impl HistoryEntry {
    /// The entry with at most [`MAX_CHANGES`].
    pub(crate) fn shortened(mut self) -> Self {
        let more = self.changes.len().checked_sub(MAX_CHANGES).filter(|more| *more > 0);
        if more.is_some() {
            self.changes.truncate(MAX_CHANGES);
            self.changes.shrink_to_fit();
        }
        Self { more_changes: more, ..self }
    }
}

/// Runs a write that is not a tool (a sign-in, a consent) in the tenant of `access`, and records it as one
/// history entry called `name`.
pub(crate) fn event<T>(
    tx: &mut WriteTx<'_>,
    access: &Access,
    environment: &Environment,
    name: &'static str,
    work: impl FnOnce(&mut WriteCtx<'_, '_>) -> Result<T>,
) -> Result<T> {
    if let Some(account) = access.account {
        tx.bind(account.number);
    }
    let mut ctx = WriteCtx::begin(tx, access, environment)?;
    let outcome = work(&mut ctx)?;
    record(&mut ctx, name)?;
    storage::charge(&mut ctx, false)?;
    Ok(outcome)
}

/// Writes a call's history entry, unless its changes are private (a draft).
pub(crate) fn record(ctx: &mut WriteCtx<'_, '_>, tool: &'static str) -> Result<()> {
    let changes = std::mem::take(&mut ctx.changes);
    if ctx.is_private { Ok(()) } else { store::insert(ctx, tool, &changes) }
}
