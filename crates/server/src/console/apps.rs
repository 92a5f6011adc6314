//! The programs that the people of a business have connected, for its owners.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::identity::oauth::grants::GrantRecord;
use zoop_crm::identity::oauth::tools::{ListGrants, RevokeGrant};
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use super::rows::Link;
use super::{done_text, find, links};
use crate::app::App;
use crate::oauth;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;
use crate::web::words;

const PATH: &str = "/apps";
/// How many programs a page shows, so that it stays short.
const ON_A_PAGE: u32 = 40;
const DONE: [(&str, &str); 2] = [
    ("disconnected", "The program is disconnected and no longer has access."),
    ("gone", "This program was already disconnected."),
];

#[derive(Template)]
#[template(path = "apps.html")]
struct AppsPage<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Link>,
    programs: Vec<ProgramRow>,
    /// The address for assistants.
    mcp_address: String,
    /// The next page of the list, if there is one.
    more: Option<String>,
    done: &'a str,
}

/// The page that asks before a program is disconnected.
#[derive(Template)]
#[template(path = "app_disconnect.html")]
struct Question<'a> {
    frame: Frame,
    business: &'a Membership,
    /// The list of programs.
    back: String,
    program: ProgramRow,
}

struct ProgramRow {
    id: Id<kinds::Grant>,
    name: String,
    host: String,
    person: String,
    scopes: String,
    since: Moment,
    last_used: Option<Moment>,
}

impl From<GrantRecord> for ProgramRow {
    fn from(grant: GrantRecord) -> Self {
        Self {
            id: grant.id,
            host: words::host(&grant),
            name: grant.client_name,
            person: grant.user_name,
            scopes: words::scopes(grant.scopes),
            since: grant.created_at,
            last_used: grant.last_used_at,
        }
    }
}

/// `GET /apps`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Apps).await?;
        let TenantContext { context, membership: business, .. } = &tenant_context;
        let after = context.query.get("after").map(str::to_owned);
        let page =
            tenant_context.list(Arguments::<ListGrants>::none().page(after, ON_A_PAGE)).await?;
        let next = |cursor: String| {
            let business = business.account.id.to_string();
            links::with_query(PATH, &[("business", &business), ("after", &cursor)])
        };
        let template = AppsPage {
            frame: Frame::within(&tenant_context),
            business,
            others: Link::others(&tenant_context, |it| links::of_business(it, PATH)),
            programs: page.rows.into_iter().map(ProgramRow::from).collect(),
            mcp_address: oauth::resource(&context.shared.settings.public_url),
            more: page.next_cursor.map(next),
            done: done_text(&DONE, &context.query),
        };
        Ok(page::page(StatusCode::OK, &template))
    };
    either(answer.await)
}

/// The connection that a form or a URL names. A text that is not an id names none.
fn id(named: &Form) -> Result<Id<kinds::Grant>, Response> {
    Id::parse(named.text("program")).ok_or_else(page::not_found)
}

/// `GET /apps/disconnect`: asks before the program is disconnected.
pub(super) async fn ask(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Apps).await?;
        let id = id(&tenant_context.context.query)?;
        let program = find::<ListGrants>(&tenant_context, |grant| grant.id == id).await?.into();
        let (frame, business) = (Frame::within(&tenant_context), &tenant_context.membership);
        let back = links::of_business(business, PATH);
        Ok(page::page(StatusCode::OK, &Question { frame, business, back, program }))
    };
    either(answer.await)
}

/// `POST /apps/disconnect`
pub(super) async fn disconnect(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Apps).await?;
        let done = match tenant_context.command(arguments!(RevokeGrant { id: id(&form)? })).await? {
            Ok(_) => "disconnected",
            // Somebody else was faster.
            Err(Error::Conflict { retry_after_s: None, .. }) => "gone",
            Err(error) => return Err(page::failed(&error)),
        };
        let business = tenant_context.membership.account.id.to_string();
        Ok(page::go_to(&links::with_query(PATH, &[("business", &business), ("done", done)])))
    };
    either(answer.await)
}
