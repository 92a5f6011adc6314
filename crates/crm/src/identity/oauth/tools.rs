//! The tools of grants and clients, for pages and the command line.

use super::clients::ConnectedClient;
use super::grants::{Grant, GrantRecord, revoke};
use super::store;
use crate::call::answer::{Rows, done};
use crate::call::argument::input;
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Query, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

/// The tools of grants.
pub const GRANTS: Group = Group {
    name: "grants",
    about: "The programs that people of an account have connected.",
    tools: &[ToolDef::query::<ListGrants>(), ToolDef::command::<RevokeGrant>()],
};

/// The tools of clients.
pub const CLIENTS: Group = Group {
    name: "clients",
    about: "The programs that are connected to the installation.",
    tools: &[ToolDef::query::<ListClients>()],
};

input! {
    /// No fields.
    pub struct ListGrantsInput {}
}

/// `grants.list`
pub struct ListGrants;

impl Tool for ListGrants {
    const NAME: &'static str = "grants.list";
    const TITLE: &'static str = "List connected programs";
    const ABOUT: &'static str =
        "Lists the programs that the account's people have connected, oldest first.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListGrantsInput;
    type Output = Rows<GrantRecord>;
}

impl Query for ListGrants {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &ListGrantsInput) -> Result<Rows<GrantRecord>> {
        Ok(Rows { rows: store::grants::of_tenant(ctx.tx, ctx.now)? })
    }
}

input! {
    /// A connected program to disconnect.
    pub struct RevokeGrantInput {
        /// The connection's id, as the list shows it.
        pub id: Id<kinds::Grant>,
    }
}

done!(
    /// What `grants.revoke` returns.
    RevokedGrant, revoked, "The connection's id."
);

/// `grants.revoke`
pub struct RevokeGrant;

impl Tool for RevokeGrant {
    const NAME: &'static str = "grants.revoke";
    const TITLE: &'static str = "Disconnect a program";
    const ABOUT: &'static str = "Stops a connected program at once.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{grant}"}"#;
    type Input = RevokeGrantInput;
    type Output = RevokedGrant<kinds::Grant>;
}

impl Command for RevokeGrant {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(
        ctx: &mut WriteCtx<'_, '_>,
        input: &RevokeGrantInput,
    ) -> Result<RevokedGrant<kinds::Grant>> {
        // The operator may call this without a tenant: the grant determines it.
        let Grant { record, tenant } = store::grants::by_id(ctx.tx, input.id)?;
        if ctx.access.account.is_some_and(|account| account.number != tenant) {
            return Err(Error::not_found("connected program"));
        }
        ctx.tx.bind(tenant);
        revoke(ctx, &record)?;
        Ok(RevokedGrant::of(input.id))
    }
}

input! {
    /// No fields.
    pub struct ListClientsInput {}
}

/// `clients.list`
pub struct ListClients;

impl Tool for ListClients {
    const NAME: &'static str = "clients.list";
    const TITLE: &'static str = "List programs";
    const ABOUT: &'static str =
        "Lists the programs that somebody of the installation has ever connected.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = "{}";
    type Input = ListClientsInput;
    type Output = Rows<ConnectedClient>;
}

impl Query for ListClients {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &ListClientsInput) -> Result<Rows<ConnectedClient>> {
        Ok(Rows { rows: store::clients::all_connected(ctx.tx)? })
    }
}
