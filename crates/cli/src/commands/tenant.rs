//! `zoop tenant`: the businesses of the installation.

use anyhow::Result;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::identity::tenants::tools::{CreateTenant, ListTenants, UpdateTenant};

use crate::arguments::Tenant;
use crate::config::Config;
use crate::database::Missing;
use crate::operator::{About, Operator};
use crate::output::{self, Output};
use crate::table::Column;

/// The table's columns.
const COLUMNS: &[Column] = &[
    Column::text("NAME", "name"),
    Column::text("COUNTRY", "country"),
    Column::text("TIME ZONE", "time_zone"),
    Column::text("CURRENCY", "currency"),
    Column::size("STORAGE", "storage_bytes"),
    Column::time("CREATED", "created_at"),
    Column::id("ID", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: &Tenant, output: &mut Output<'_>) -> Result<()> {
    match command {
        Tenant::Create { name, owner_name, owner_email, country, time_zone, currency } => {
            let operator = Operator::open(config, Missing::Create)?;
            let tenant = arguments!(CreateTenant {
                name: name,
                owner_name: owner_name,
                owner_email: owner_email,
                country: country.as_ref(),
                time_zone: time_zone.as_ref(),
                currency: currency.as_ref(),
            });
            let answer = operator.command(&About::Installation, tenant)?;
            output.answer(&answer, || {
                let (name, email) = (output::cell(&json!(name)), output::cell(&json!(owner_email)));
                let id = answer.tenant_id;
                let scopes = Scopes::of(Scope::GRANTABLE).list().replace(' ', ",");
                let zone = if time_zone.is_none() {
                    format!(
                        "its dates are in UTC; for another time zone: zoop tenant update --tenant {id} \\\n  \
                         --time-zone America/New_York\n"
                    )
                } else {
                    String::new()
                };
                let created = format!(
                    "created the business {name} ({id})\n{zone}next: zoop user set-password {email}\n\
                     so that the owner can sign in at the server's address, or create a key:\n\
                     zoop key create --tenant {id} --user {email} \\\n  --scope {scopes}"
                );
                output::with_notice(created, answer.waiting.as_deref())
            })?;
        }
        Tenant::Update { of, changes } => {
            let operator = Operator::open(config, Missing::Refuse)?;
            let arguments = arguments!(UpdateTenant {
                name: changes.name.as_ref(),
                country: changes.country.as_ref(),
                time_zone: changes.time_zone.as_ref(),
                currency: changes.currency.as_ref(),
            });
            let tenant = operator.command(&About::Tenant(of.tenant.clone()), arguments)?;
            let settings = json!({
                "tenant_id": tenant.id,
                "name": tenant.name,
                "country": tenant.country.code(),
                "time_zone": tenant.time_zone.name(),
                "currency": tenant.currency.code(),
            });
            output.answer(&settings, || {
                format!(
                    "the business {} has country {}, time zone {} and currency {}",
                    output::cell(&json!(tenant.name)),
                    tenant.country.code(),
                    tenant.time_zone.name(),
                    tenant.currency.code(),
                )
            })?;
        }
        Tenant::List => {
            let operator = Operator::open(config, Missing::Refuse)?;
            let tenants = operator.all::<ListTenants>(&About::Installation)?;
            let rows = json!({ "rows": tenants });
            output.answer(&rows, || output::render_table(tenants.iter().rev(), COLUMNS))?;
        }
    }
    Ok(())
}
