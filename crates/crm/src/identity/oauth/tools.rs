//! The tools for grants and clients. Pages and the command line use them.

use zoop_db::Uuid;

use super::clients::ConnectedClient;
use super::grants::{Grant, GrantRecord, revoke};
use super::store;
use crate::call::answer::{Page, done};
use crate::call::argument::{Ranged, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::values::id::{Id, kinds};

/// The tools for grants.
pub const GRANTS: Group = Group {
    name: "grants",
    about: "The programs that an account's people have connected.",
    tools: &[ToolDef::list::<ListGrants>(), ToolDef::command::<RevokeGrant>()],
};

/// The tools for clients.
pub const CLIENTS: Group = Group {
    name: "clients",
    about: "The programs that are connected to the installation.",
    tools: &[ToolDef::list::<ListClients>()],
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
        "Lists the programs that the account's people have connected, oldest connection first.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListGrantsInput;
    type Output = Page<GrantRecord>;
}

impl List for ListGrants {
    type Row = GrantRecord;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListGrantsInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<GrantRecord, Uuid>> {
        let found =
            store::grants::tenant_grants(ctx.tx, ctx.now, after.unwrap_or(Uuid::nil()), count)?;
        Ok(page::with_positions(found, |row| row.id.uuid()))
    }
}

input! {
    /// A connected program to disconnect.
    pub struct RevokeGrantInput {
        /// The connection's id, as grants.list shows it.
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
    const ABOUT: &'static str = "Disconnects a program. It stops working at once.";
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
        // The operator may call this outside any tenant, so the grant determines the tenant.
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
        "Lists the programs that anyone in the installation has ever connected.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = "{}";
    type Input = ListClientsInput;
    type Output = Page<ConnectedClient>;
}

impl List for ListClients {
    type Row = ConnectedClient;
    /// The client's id.
    type Position = String;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 25;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListClientsInput,
        after: Option<String>,
        count: usize,
    ) -> Result<Found<ConnectedClient, String>> {
        let after = after.unwrap_or_default();
        let found = store::clients::connected_after(ctx.tx, &after, count)?;
        Ok(page::with_positions(found, |client| client.id.clone()))
    }
}
