//! `account.get`: the business, the caller, and what is left of the limits.

use schemars::JsonSchema;
use serde::Serialize;

use super::notes;
use crate::call::access::{Actor, RateLimit, Role};
use crate::call::argument::input;
use crate::call::context::ReadCtx;
use crate::call::definition::{Group, ToolDef};
use crate::call::error::Result;
use crate::call::scope::Scope;
use crate::call::storage;
use crate::call::tool::{ActorRule, Exposure, Query, Tool};
use crate::identity::{tenants, users};
use crate::values::id::{Id, kinds};
use crate::values::size::Size;

#[cfg(test)]
mod tests;

/// The group of this tool.
pub const GROUP: Group = Group {
    name: "account",
    about: "The business itself, and the caller.",
    tools: &[ToolDef::query::<GetAccount>()],
};

input! {
    /// No fields.
    pub struct GetAccountInput {}
}

/// What `account.get` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AccountInfo {
    /// The account's id.
    id: Id<kinds::Tenant>,
    /// The business's name.
    pub name: String,
    /// Default country of telephone numbers without a country code, ISO 3166-1.
    pub country: String,
    /// IANA time zone of dates and of times without an offset.
    pub time_zone: String,
    /// ISO 4217 currency of amounts.
    pub currency: String,
    /// The time in that time zone.
    now: String,
    /// Who is calling.
    caller: CallerInfo,
    /// The limits, and what is left of them.
    limits: Limits,
}

/// Who is calling.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallerInfo {
    /// The person; null for a key of the account.
    user: Option<Person>,
    /// What the credential may do.
    scopes: Vec<&'static str>,
}

/// The person that a caller acts for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Person {
    /// Their user id.
    id: Id<kinds::User>,
    /// Their name in this account.
    name: String,
    /// Their role.
    role: Role,
}

/// The limits that apply to the caller; null where there is none.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Limits {
    /// Calls with this credential in a rolling minute.
    calls_per_minute: Option<RateLimit>,
    /// Calls with all credentials of the account in a rolling minute; left is what this one can still make.
    account_calls_per_minute: Option<RateLimit>,
    /// The person's note writes in a rolling minute.
    note_writes_per_minute: Option<RateLimit>,
    /// What the account stores, in bytes.
    storage_bytes: StorageInfo,
}

/// What an account stores, in bytes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StorageInfo {
    /// What is stored.
    used: u64,
    /// The limit; null if there is none.
    limit: Option<u64>,
    /// What is left of it; null if there is no limit.
    left: Option<u64>,
}

/// `account.get`
pub struct GetAccount;

impl Tool for GetAccount {
    const NAME: &'static str = "account.get";
    const TITLE: &'static str = "Get the account";
    const ABOUT: &'static str = "Returns the business's name, country, time zone, currency and local time; who you act for and your scopes; limits and what is left.";
    const SCOPE: Scope = Scope::Nothing;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Public;
    const EXAMPLE: &'static str = "{}";
    type Input = GetAccountInput;
    type Output = AccountInfo;
}

impl Query for GetAccount {
    fn run(ctx: &mut ReadCtx<'_, '_>, _: &GetAccountInput) -> Result<AccountInfo> {
        let tenant = tenants::tenant(ctx.tx)?;
        Ok(AccountInfo {
            id: tenant.id,
            name: tenant.name,
            country: tenant.country.code().to_owned(),
            time_zone: tenant.time_zone.name().to_owned(),
            currency: tenant.currency.code().to_owned(),
            now: tenant.time_zone.rfc3339(ctx.now),
            caller: caller(ctx)?,
            limits: limits(ctx)?,
        })
    }
}

fn caller(ctx: &mut ReadCtx<'_, '_>) -> Result<CallerInfo> {
    let user = match ctx.access.actor {
        Actor::User { id, role } => {
            let name = users::store::member(ctx.tx, id)?.name;
            Some(Person { id, name, role })
        }
        Actor::Tenant | Actor::Operator => None,
    };
    let scopes = ctx.access.scopes.iter().map(Scope::name).collect();
    Ok(CallerInfo { user, scopes })
}

fn limits(ctx: &mut ReadCtx<'_, '_>) -> Result<Limits> {
    let calls = ctx.access.call_limits;
    Ok(Limits {
        calls_per_minute: calls.credential,
        account_calls_per_minute: calls.tenant,
        note_writes_per_minute: notes::remaining_writes(ctx)?,
        storage_bytes: stored(ctx)?,
    })
}

fn stored(ctx: &mut ReadCtx<'_, '_>) -> Result<StorageInfo> {
    // Sweeps may have subtracted more than was counted, because both amounts are estimates.
    let used = u64::try_from(storage::counted(ctx.tx)?.total()).unwrap_or(0);
    let Size(limit) = ctx.environment.storage_limit;
    let limit = (limit > 0).then_some(limit);
    let left = limit.map(|limit| limit.saturating_sub(used));
    Ok(StorageInfo { used, limit, left })
}
