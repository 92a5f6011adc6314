//! The tools for API keys. Pages and the command line use them.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::{Earlier, Uuid};

use super::{ActorKind, KeyRecord, store};
use crate::call::answer::{Page, done};
use crate::call::argument::{Json, Parse, ParseContext, ParseError, Ranged, Seconds, Text, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::page;
use crate::call::scope::{Scope, ScopeNames};
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::identity::users;
use crate::values::clock::Moment;
use crate::values::id::{Id, kinds};
use crate::values::secret::Secret;

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "keys",
    about: "The API keys of an account.",
    tools: &[
        ToolDef::command::<CreateKey>(),
        ToolDef::list::<ListKeys>(),
        ToolDef::command::<RevokeKey>(),
        ToolDef::command::<RotateKey>(),
    ],
};

/// A space-separated list of at least one known scope.
impl Parse for ScopeNames {
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }

    fn parse(value: Json, _: ParseContext) -> Result<Self, ParseError> {
        let known_scopes = || Self::ALL.list().replace(' ', ", ");
        let Json::Text(text) = &value else {
            let problem = format!("must be a string of scope names ({})", known_scopes());
            return Err(ParseError::wrong_type(&problem, &value));
        };
        if text.trim().is_empty() {
            return Err(ParseError::Empty);
        }
        Self::parse(text.split_ascii_whitespace()).map_err(|unknown| {
            ParseError::Invalid(format!(
                "contains {unknown:?}, which is not a scope: there are {}",
                known_scopes()
            ))
        })
    }
}

/// A maximum number of requests in a rolling minute; 0 for no limit, as in the settings.
type RequestLimit = Ranged<0, { u32::MAX }>;
/// A duration of at least one second.
type Period = Seconds<1, { u32::MAX }>;

/// A new key. The key itself is shown only now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedKey {
    /// The key's id.
    pub key_id: Id<kinds::Key>,
    /// The key. Keep it: it is not shown again.
    pub key: String,
    /// Whom it acts for.
    pub actor_kind: ActorKind,
}

input! {
    /// A new key.
    pub struct CreateKeyInput {
        /// The team member it acts for; if left out, it acts for the account.
        pub user: Option<Id<kinds::User>>,
        /// The scopes to grant, separated by spaces.
        pub scopes: ScopeNames,
        /// A name to recognize it by.
        pub name: Option<Text<128>>,
        /// Seconds until it expires.
        pub expires_in: Option<Period>,
        /// Maximum number of requests in a rolling minute; 0 for no limit. Default: the server's limit.
        pub limit: Option<RequestLimit>,
    }
}

/// `keys.create`
pub struct CreateKey;

impl Tool for CreateKey {
    const NAME: &'static str = "keys.create";
    const TITLE: &'static str = "Create an API key";
    const ABOUT: &'static str = "Creates a key and shows it once.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"scopes":"read:customers"}"#;
    type Input = CreateKeyInput;
    type Output = CreatedKey;
}

impl Command for CreateKey {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateKeyInput) -> Result<CreatedKey> {
        if let Some(user) = input.user {
            users::store::member(ctx.tx, user)?;
        }
        let name = input.name.as_ref().map_or("unnamed", |name| &name.0);
        let expires_at = input.expires_in.map(|period| Moment(period.after(ctx.now)));
        let limit = input.limit.map(RequestLimit::get);
        create(ctx, input.user, input.scopes, name, limit, expires_at)
    }
}

fn create(
    ctx: &mut WriteCtx<'_, '_>,
    user_id: Option<Id<kinds::User>>,
    scopes: ScopeNames,
    name: &str,
    limit: Option<u32>,
    expires_at: Option<Moment>,
) -> Result<CreatedKey> {
    let actor_kind = if user_id.is_some() { ActorKind::User } else { ActorKind::Tenant };
    let secret = Secret::generate(actor_kind.secret(), &ctx.environment.entropy);
    let id = ctx.next_global_id::<kinds::Key>(store::GREATEST_ID_BELOW)?;
    let record = KeyRecord {
        id,
        name: name.to_owned(),
        actor_kind,
        user_id,
        hint: secret.hint(),
        scopes,
        limit,
        created_at: id.created_at(),
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    store::insert(ctx.tx, &secret, &record)?;
    ctx.added(&record)?;
    Ok(CreatedKey { key_id: id, key: secret.expose().to_owned(), actor_kind })
}

input! {
    /// No fields.
    pub struct ListKeysInput {}
}

/// `keys.list`
pub struct ListKeys;

impl Tool for ListKeys {
    const NAME: &'static str = "keys.list";
    const TITLE: &'static str = "List API keys";
    const ABOUT: &'static str =
        "Lists the account's keys in creation order, without their secrets.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = "{}";
    type Input = ListKeysInput;
    type Output = Page<KeyRecord>;
}

impl List for ListKeys {
    type Row = KeyRecord;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListKeysInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<KeyRecord, Uuid>> {
        let found = store::list(ctx.tx, after.unwrap_or(Uuid::nil()), count)?;
        Ok(page::with_positions(found, |row| row.id.uuid()))
    }
}

input! {
    /// A key to revoke.
    pub struct RevokeKeyInput {
        /// The key's id.
        pub id: Id<kinds::Key>,
    }
}

done!(
    /// What `keys.revoke` returns.
    Revoked, revoked, "The key's id."
);

/// `keys.revoke`
pub struct RevokeKey;

impl Tool for RevokeKey {
    const NAME: &'static str = "keys.revoke";
    const TITLE: &'static str = "Revoke an API key";
    const ABOUT: &'static str = "Revokes a key. It stops working at once.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{key}"}"#;
    type Input = RevokeKeyInput;
    type Output = Revoked<kinds::Key>;
}

impl Command for RevokeKey {
    const EFFECT: Effect = Effect::Archive;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RevokeKeyInput) -> Result<Revoked<kinds::Key>> {
        let old = unrevoked_key(ctx, input.id)?;
        revoke(ctx, &old)?;
        Ok(Revoked::of(input.id))
    }
}

input! {
    /// A key to replace.
    pub struct RotateKeyInput {
        /// The key's id.
        pub id: Id<kinds::Key>,
        /// Seconds for which the old key still works; if left out, it stops working at once.
        pub overlap: Option<Period>,
    }
}

/// `keys.rotate`
pub struct RotateKey;

impl Tool for RotateKey {
    const NAME: &'static str = "keys.rotate";
    const TITLE: &'static str = "Replace an API key";
    const ABOUT: &'static str =
        "Creates a new key with the name, scopes and limits of the old key.";
    const SCOPE: Scope = Scope::Administer;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Admin;
    const EXAMPLE: &'static str = r#"{"id":"{key}"}"#;
    type Input = RotateKeyInput;
    type Output = CreatedKey;
}

impl Command for RotateKey {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &RotateKeyInput) -> Result<CreatedKey> {
        let old = unrevoked_key(ctx, input.id)?;
        if old.expires_at.is_some_and(|at| at <= ctx.moment()) {
            return Err(Error::conflict("This key has expired: create a new one instead."));
        }
        if let Some(user) = old.user_id {
            users::store::member(ctx.tx, user)?;
        }
        let new = create(ctx, old.user_id, old.scopes, &old.name, old.limit, old.expires_at)?;
        match input.overlap {
            None => revoke(ctx, &old)?,
            Some(overlap) => {
                let overlap = Moment(overlap.after(ctx.now));
                let at = old.expires_at.map_or(overlap, |expiry| expiry.min(overlap));
                store::expire(ctx.tx, old.id, at.0)?;
                ctx.updated(&old, &KeyRecord { expires_at: Some(at), ..old.clone() })?;
            }
        }
        Ok(new)
    }
}

/// A key that is not revoked. Binds the transaction to the key's tenant, since the operator may call the tool outside
/// any tenant. Then reads the key again if another write may have revoked it before the tenant was bound.
fn unrevoked_key(ctx: &mut WriteCtx<'_, '_>, id: Id<kinds::Key>) -> Result<KeyRecord> {
    let (mut key, tenant) = store::by_id(ctx.tx, id)?;
    if ctx.access.account.is_some_and(|account| account.number != tenant) {
        return Err(Error::not_found("key"));
    }
    if ctx.tx.bind(tenant) == Earlier::MayBeStale {
        (key, _) = store::by_id(ctx.tx, id)?;
    }
    if key.revoked_at.is_some() {
        return Err(Error::conflict(
            "This key is already revoked: create a new one if you need it.",
        ));
    }
    Ok(key)
}

/// Revokes every key of a former member of the bound tenant, so that no key becomes valid again if the user
/// returns.
pub(crate) fn revoke_for_former_member(
    ctx: &mut WriteCtx<'_, '_>,
    user: Id<kinds::User>,
) -> Result<()> {
    for key in store::unrevoked_keys(ctx.tx, user)? {
        revoke(ctx, &key)?;
    }
    Ok(())
}

fn revoke(ctx: &mut WriteCtx<'_, '_>, old: &KeyRecord) -> Result<()> {
    store::revoke(ctx.tx, old.id, ctx.now)?;
    ctx.updated(old, &KeyRecord { revoked_at: Some(ctx.moment()), ..old.clone() })
}
