//! The tools for tenants. Only the command line offers them.

use schemars::JsonSchema;
use serde::Serialize;
use zoop_db::Uuid;

use super::{Tenant, TenantRow, store};
use crate::call::access::{Account, Role};
use crate::call::answer::Page;
use crate::call::argument::{CountryCode, Email, Name, Ranged, input};
use crate::call::context::{ReadCtx, WriteCtx};
use crate::call::definition::{Group, ToolDef};
use crate::call::error::{Error, Result};
use crate::call::page;
use crate::call::scope::Scope;
use crate::call::tool::{ActorRule, Command, Effect, Exposure, Found, List, Receipt, Replay, Tool};
use crate::identity::users;
use crate::search::TenantMark;
use crate::values::country::Country;
use crate::values::id::{Id, kinds};

/// The group of these tools.
pub const GROUP: Group = Group {
    name: "tenants",
    about: "The accounts of businesses.",
    tools: &[ToolDef::command::<CreateTenant>(), ToolDef::list::<ListTenants>()],
};

input! {
    /// A new business and its owner.
    pub struct CreateTenantInput {
        /// The business's name.
        pub name: Name,
        /// The owner's name.
        pub owner_name: Name,
        /// The owner's e-mail address.
        pub owner_email: Email,
        /// Default country of telephone numbers without a country code; US if left out.
        pub country: Option<CountryCode>,
    }
}

/// What `tenants.create` returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CreatedTenant {
    /// The tenant's id.
    pub tenant_id: Id<kinds::Tenant>,
    /// The owner's user id.
    pub owner_id: Id<kinds::User>,
    /// What has to happen before the owner's membership takes effect, if it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
}

/// `tenants.create`
pub struct CreateTenant;

impl Tool for CreateTenant {
    const NAME: &'static str = "tenants.create";
    const TITLE: &'static str = "Create a tenant";
    const ABOUT: &'static str = "Creates a business with its first owner.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str =
        r#"{"name":"Second","owner_name":"Second Owner","owner_email":"second@example.com"}"#;
    type Input = CreateTenantInput;
    type Output = CreatedTenant;
}

impl Command for CreateTenant {
    const EFFECT: Effect = Effect::Create;
    const RECEIPT: Receipt = Receipt::Whole;
    const REPLAY: Replay<Self> = Replay::Kept;

    fn run(ctx: &mut WriteCtx<'_, '_>, input: &CreateTenantInput) -> Result<CreatedTenant> {
        let tenant_id = ctx.next_global_id::<kinds::Tenant>(store::GREATEST_ID_BELOW)?;
        let country = input.country.map_or(Country::US, |code| code.0);
        let number = store::insert(ctx.tx, tenant_id, &input.name.0, country)?;
        if TenantMark::new(i64::from(number.0)).is_none() {
            return Err(Error::conflict(
                "This database cannot hold more businesses: create the business in another database.",
            ));
        }
        let account = Account { number, id: tenant_id, country };
        // From here on, every write belongs to the new tenant, including the history entry.
        ctx.tx.bind(account.number);
        ctx.added(&Tenant {
            id: tenant_id,
            name: input.name.0.clone(),
            country: country.code().to_owned(),
            created_at: tenant_id.created_at(),
        })?;
        let (owner_id, joined) =
            users::join(ctx, &input.owner_name.0, &input.owner_email.0, Role::Owner)?;
        Ok(CreatedTenant { tenant_id, owner_id, waiting: joined.notice() })
    }
}

input! {
    /// No fields.
    pub struct ListTenantsInput {}
}

/// `tenants.list`
pub struct ListTenants;

impl Tool for ListTenants {
    const NAME: &'static str = "tenants.list";
    const TITLE: &'static str = "List tenants";
    const ABOUT: &'static str = "Lists all businesses in creation order.";
    const SCOPE: Scope = Scope::Operate;
    const ACTOR: ActorRule = ActorRule::Anyone;
    const EXPOSURE: Exposure = Exposure::Operator;
    const EXAMPLE: &'static str = "{}";
    type Input = ListTenantsInput;
    type Output = Page<TenantRow>;
}

impl List for ListTenants {
    type Row = TenantRow;
    type Position = Uuid;
    type Limit = Ranged<1, 100>;
    const DEFAULT_LIMIT: u32 = 100;
    const AT_ONCE: usize = 100;

    fn run(
        ctx: &mut ReadCtx<'_, '_>,
        _: &ListTenantsInput,
        after: Option<Uuid>,
        count: usize,
    ) -> Result<Found<TenantRow, Uuid>> {
        let found = store::list(ctx.tx, after.unwrap_or(Uuid::nil()), count)?;
        Ok(page::with_positions(found, |row| row.tenant.id.uuid()))
    }
}
