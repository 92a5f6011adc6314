//! The page of a user's own account.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::access::Role;
use zoop_crm::call::error::Error;
use zoop_crm::identity::oauth::grants::{self, GrantRecord};
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::identity::sign_in::{SignedIn, identities, passwords, second_factor, sessions};
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{ReadTx, Timestamp};

use super::agent;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::oauth;
use crate::sso::Button;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::{PageContext, either};
use crate::web::section::Section;
use crate::web::words;

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: Frame,
    email: &'a str,
    businesses: Vec<BusinessRow>,
    /// The address of the MCP server, for assistants.
    mcp_address: String,
    has_password: bool,
    email_change: EmailChange,
    second_factor: bool,
    recovery_codes: i64,
    /// The button that connects the company account, if it is not connected yet.
    company: Option<Button<'a>>,
    sessions: Bounded<SessionRow>,
    programs: Bounded<ProgramRow>,
    /// The last program shown, if there are older programs. The next page begins after it.
    programs_before: Option<Id<kinds::Grant>>,
    done: &'a str,
    fault: &'a str,
}

/// Whether the user can change their e-mail address.
enum EmailChange {
    /// They can.
    Offered,
    /// They have not proved the present one.
    Unproved,
    /// This server sends no mail, so no address can be proved.
    NoMail,
}

/// The page that asks before a client is disconnected.
#[derive(Template)]
#[template(path = "program_disconnect.html")]
struct Disconnection {
    frame: Frame,
    program: ProgramRow,
}

struct BusinessRow {
    id: Id<kinds::Tenant>,
    name: String,
    role: &'static str,
    is_owner: bool,
}

struct SessionRow {
    id: Id<kinds::Session>,
    browser: String,
    address: String,
    since: Moment,
    last_used: Moment,
    is_this: bool,
}

/// A client that the user connected.
struct ProgramRow {
    id: Id<kinds::Grant>,
    name: String,
    business: String,
    /// The client's host, because clients' names are not unique.
    host: String,
    scopes: String,
    since: Moment,
    last_used: Option<Moment>,
}

/// A list that shows its first rows, and the others when the user opens the list.
struct Bounded<T> {
    shown: Vec<T>,
    more: Vec<T>,
}

/// The maximum number of rows that such a list shows at first.
const MAX_SHOWN: usize = 8;
/// The maximum number of clients on one page. Sessions need no such limit: a user has at most 100.
const MAX_PROGRAMS: usize = 100;

impl<T> Bounded<T> {
    fn new(mut rows: Vec<T>) -> Self {
        let more = rows.split_off(rows.len().min(MAX_SHOWN));
        Self { shown: rows, more }
    }
}

/// The messages about what was just done, by the keyword in the URL.
const DONE: [(&str, &str); 9] = [
    (
        "email-sent",
        "A link is on its way to the new address. Open it within 30 minutes in this browser. Until then, you sign in with \
         the old one.",
    ),
    ("email", "Your e-mail address has been changed. Your other sessions have ended."),
    ("name", "Your name has been changed."),
    ("password", "Your password has been changed. Your other sessions have ended."),
    (
        "new-password",
        "You have a new password. Your other sessions have ended, and your programs are disconnected.",
    ),
    ("second-factor-off", "The second factor is off."),
    ("session", "The session has ended."),
    ("sessions", "All other sessions have ended."),
    ("program", "The program is disconnected and no longer has access."),
];

/// `GET /account`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::Page)?;
        let signed_in = context.require_sign_in(Section::Account.path()).await?;
        let word = context.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        account(&context, &signed_in, StatusCode::OK, done, "").await
    };
    either(answer.await)
}

/// `GET /account/programs/disconnect`: asks before the client is disconnected.
pub(super) async fn ask_first(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::Page)?;
        let signed_in = context.require_sign_in(Section::Account.path()).await?;
        let asked = Id::<kinds::Grant>::parse(context.query.text("program"));
        let asked = asked.ok_or_else(page::not_found)?;
        let who = signed_in.clone();
        let read = context.read(move |tx, _| {
            let grant = grants::own(tx, &who, asked)?;
            Ok((who.memberships(tx)?, grant.into()))
        });
        let (memberships, program) = read.await?;
        let frame = Frame::of_account(&context, &signed_in, &memberships);
        Ok(page::page(StatusCode::OK, &Disconnection { frame, program }))
    };
    either(answer.await)
}

/// Shows the page again, with an error.
pub(super) async fn show_again(
    context: &PageContext,
    signed_in: &SignedIn,
    fault: &str,
) -> Result<Response, Response> {
    account(context, signed_in, StatusCode::BAD_REQUEST, "", fault).await
}

async fn account(
    context: &PageContext,
    signed_in: &SignedIn,
    status: StatusCode,
    done: &str,
    fault: &str,
) -> Result<Response, Response> {
    let who = signed_in.clone();
    let before = Id::parse(context.query.text("before"));
    let read = context.read(move |tx, environment| {
        let user = who.user;
        Ok((
            who.memberships(tx)?,
            passwords::stored_hash(tx, user)?.is_some(),
            second_factor::is_on(tx, user)?,
            second_factor::recovery_codes_left(tx, user)?,
            identities::is_linked(tx, user)?,
            sessions::live_sessions(tx, user, environment.clock.now())?,
            programs(tx, &who, environment.clock.now(), before)?,
        ))
    });
    let (memberships, has_password, second_factor, recovery_codes, is_linked, live, programs) =
        read.await?;
    let (programs, programs_before) = programs;
    let company =
        Button::leading_to(&context.shared, Section::Account.path()).filter(|_| !is_linked);
    let template = Account {
        frame: Frame::of_account(context, signed_in, &memberships),
        email: &signed_in.email,
        businesses: memberships.iter().map(BusinessRow::of).collect(),
        mcp_address: oauth::resource(&context.shared.settings.public_url),
        has_password,
        email_change: EmailChange::of(context, signed_in),
        second_factor,
        recovery_codes,
        company,
        sessions: Bounded::new(sessions(live, signed_in)),
        programs: Bounded::new(programs),
        programs_before,
        done,
        fault,
    };
    Ok(page::page(status, &template))
}

impl EmailChange {
    fn of(context: &PageContext, signed_in: &SignedIn) -> Self {
        if context.shared.settings.mail.is_none() {
            Self::NoMail
        } else if signed_in.is_proved {
            Self::Offered
        } else {
            Self::Unproved
        }
    }
}

impl BusinessRow {
    fn of(membership: &Membership) -> Self {
        Self {
            id: membership.account.id,
            name: membership.name.clone(),
            role: words::role(membership.role).title,
            is_owner: membership.role == Role::Owner,
        }
    }
}

/// The user's sessions: first the current one, then the others, newest first.
fn sessions(live: Vec<sessions::LiveSession>, signed_in: &SignedIn) -> Vec<SessionRow> {
    let rows = live.into_iter().map(|live| SessionRow::of(live, signed_in));
    let (mut rows, others): (Vec<_>, Vec<_>) = rows.partition(|session| session.is_this);
    rows.extend(others);
    rows
}

impl SessionRow {
    fn of(live: sessions::LiveSession, signed_in: &SignedIn) -> Self {
        let sessions::LiveSession { record, last_used_at } = live;
        Self {
            id: record.id,
            browser: agent::in_words(&record.browser),
            address: record.address,
            since: record.created_at,
            last_used: last_used_at,
            is_this: record.id == signed_in.session,
        }
    }
}

/// A page of the user's clients, newest first. It begins after the grant `before`, if any. Also returns the last grant
/// on the page, if there are older ones.
fn programs(
    tx: &mut ReadTx<'_>,
    signed_in: &SignedIn,
    now: Timestamp,
    before: Option<Id<kinds::Grant>>,
) -> Result<(Vec<ProgramRow>, Option<Id<kinds::Grant>>), Error> {
    let mut newest = grants::of_user(tx, signed_in, now, before, MAX_PROGRAMS + 1)?;
    let has_older = newest.len() > MAX_PROGRAMS;
    newest.truncate(MAX_PROGRAMS);
    let last = newest.last().map(|grant| grant.id).filter(|_| has_older);
    Ok((newest.into_iter().map(ProgramRow::from).collect(), last))
}

impl From<GrantRecord> for ProgramRow {
    fn from(grant: GrantRecord) -> Self {
        Self {
            id: grant.id,
            host: words::host(&grant),
            name: grant.client_name,
            business: grant.tenant_name,
            scopes: words::scopes(grant.scopes),
            since: grant.created_at,
            last_used: grant.last_used_at,
        }
    }
}
