//! The page of a user's own account.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::access::Role;
use zoop_crm::call::error::Error;
use zoop_crm::identity::oauth::clients::{self, Client, ClientKind};
use zoop_crm::identity::oauth::grants::{self, GrantRecord};
use zoop_crm::identity::oauth::redirect;
use zoop_crm::identity::sign_in::sessions::Workplace;
use zoop_crm::identity::sign_in::{SignedIn, identities, passwords, second_factor, sessions};
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{ReadTx, Timestamp};

use super::agent;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::oauth;
use crate::sso::Button;
use crate::web::next::HOME;
use crate::web::page;
use crate::web::page_context::{PageContext, either};
use crate::web::words::{self, Time};

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: Frame,
    email: &'a str,
    businesses: Vec<Business>,
    /// The address of the MCP server, for assistants.
    mcp_address: String,
    has_password: bool,
    second_factor: bool,
    recovery_codes: i64,
    /// The button that connects the company account, if it is not connected yet.
    company: Option<Button<'a>>,
    sessions: Bounded<Session>,
    programs: Bounded<Program>,
    /// The last one shown, if there are older ones.
    programs_before: Option<Id<kinds::Grant>>,
    done: &'a str,
    fault: &'a str,
}

/// The page that asks before a client is disconnected.
#[derive(Template)]
#[template(path = "program_disconnect.html")]
struct Disconnection {
    frame: Frame,
    program: Program,
}

/// The frame of every page of a signed-in user.
pub(super) struct Frame {
    pub(super) name: String,
    /// Whether there is a business whose team they manage.
    pub(super) teams: bool,
    pub(super) here: &'static str,
}

impl Frame {
    pub(super) fn of(signed_in: &SignedIn, workplaces: &[Workplace], here: &'static str) -> Self {
        let teams = workplaces.iter().any(|workplace| workplace.role == Role::Owner);
        Self { name: signed_in.name.clone(), teams, here }
    }
}

struct Business {
    id: Id<kinds::Tenant>,
    name: String,
    role: &'static str,
    is_owner: bool,
}

struct Session {
    id: Id<kinds::Session>,
    browser: String,
    address: String,
    since: Time,
    last_used: Time,
    is_this: bool,
}

/// A client that the user connected.
struct Program {
    id: Id<kinds::Grant>,
    name: String,
    business: String,
    /// The client's host: names are not unique.
    host: String,
    scopes: String,
    since: Time,
    last_used: Option<Time>,
}

/// A list whose first rows are shown, and the others on request.
struct Bounded<T> {
    shown: Vec<T>,
    more: Vec<T>,
}

/// The number of rows shown at once.
const SHOWN: usize = 8;
/// The most clients on one page. A user has at most as many sessions.
const MAX_PROGRAMS: usize = 100;

impl<T> Bounded<T> {
    fn new(mut rows: Vec<T>) -> Self {
        let more = rows.split_off(rows.len().min(SHOWN));
        Self { shown: rows, more }
    }
}

/// What was just done, by the keyword in the URL.
const DONE: [(&str, &str); 7] = [
    ("password", "Your password has been changed. Your other sessions have ended."),
    (
        "new-password",
        "You have a new password. Your other sessions have ended, and your programs are disconnected.",
    ),
    ("second-factor-off", "The second factor is off."),
    ("session", "The session has ended."),
    ("sessions", "All other sessions have ended."),
    ("program", "The program is disconnected and no longer has access."),
    ("joined", "You have joined the business."),
];

/// `GET /account`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::Page)?;
        let person = context.person(HOME).await?;
        let word = context.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        account(&context, &person, StatusCode::OK, done, "").await
    };
    either(answer.await)
}

/// `GET /account/programs/disconnect`: says what it ends, and offers the way back.
pub(super) async fn ask_first(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let context = PageContext::begin(&app, request, Action::Page)?;
        let person = context.person(HOME).await?;
        let asked = Id::<kinds::Grant>::parse(context.query.text("program"));
        let asked = asked.ok_or_else(page::not_found)?;
        let who = person.clone();
        let read = context.read(move |tx, _| {
            let grant = grants::own(tx, &who, asked)?;
            Ok((who.workplaces(tx)?, Program::of(tx, grant)?))
        });
        let (workplaces, program) = read.await?;
        let frame = Frame::of(&person, &workplaces, "account");
        Ok(page::page_with_script(StatusCode::OK, &Disconnection { frame, program }))
    };
    either(answer.await)
}

/// The page again, with an error.
pub(super) async fn again(
    context: &PageContext,
    person: &SignedIn,
    fault: &str,
) -> Result<Response, Response> {
    account(context, person, StatusCode::BAD_REQUEST, "", fault).await
}

async fn account(
    context: &PageContext,
    person: &SignedIn,
    status: StatusCode,
    done: &str,
    fault: &str,
) -> Result<Response, Response> {
    let who = person.clone();
    let before = Id::parse(context.query.text("before"));
    let read = context.read(move |tx, environment| {
        let user = who.user;
        Ok((
            who.workplaces(tx)?,
            passwords::stored(tx, user)?.is_some(),
            second_factor::is_on(tx, user)?,
            second_factor::recovery_codes_left(tx, user)?,
            identities::is_linked(tx, user)?,
            sessions::live(tx, user, environment.clock.now())?,
            programs(tx, &who, environment.clock.now(), before)?,
        ))
    });
    let (workplaces, has_password, second_factor, recovery_codes, is_linked, live, programs) =
        read.await?;
    let (programs, programs_before) = programs;
    let company = Button::before(&context.shared, HOME).filter(|_| !is_linked);
    let template = Account {
        frame: Frame::of(person, &workplaces, "account"),
        email: &person.email,
        businesses: workplaces.iter().map(Business::of).collect(),
        mcp_address: oauth::resource(&context.shared.settings.public_url),
        has_password,
        second_factor,
        recovery_codes,
        company,
        sessions: Bounded::new(sessions(live, person)),
        programs: Bounded::new(programs),
        programs_before,
        done,
        fault,
    };
    Ok(page::page_with_script(status, &template))
}

impl Business {
    fn of(workplace: &Workplace) -> Self {
        Self {
            id: workplace.account.id,
            name: workplace.name.clone(),
            role: words::role(workplace.role).title,
            is_owner: workplace.role == Role::Owner,
        }
    }
}

/// The user's sessions: this one, then the others, newest first.
fn sessions(live: Vec<sessions::LiveSession>, person: &SignedIn) -> Vec<Session> {
    let rows = live.into_iter().map(|live| Session::of(live, person));
    let (mut rows, others): (Vec<_>, Vec<_>) = rows.partition(|session| session.is_this);
    rows.extend(others);
    rows
}

impl Session {
    fn of(live: sessions::LiveSession, person: &SignedIn) -> Self {
        let sessions::LiveSession { record, last_used_at } = live;
        Self {
            id: record.id,
            browser: agent::in_words(&record.browser),
            address: record.address,
            since: record.created_at.into(),
            last_used: last_used_at.into(),
            is_this: record.id == person.session,
        }
    }
}

/// The user's clients, newest first: those before one, if there is one. And the last of them, if there are
/// older ones.
fn programs(
    tx: &mut ReadTx<'_>,
    person: &SignedIn,
    now: Timestamp,
    before: Option<Id<kinds::Grant>>,
) -> Result<(Vec<Program>, Option<Id<kinds::Grant>>), Error> {
    let mut newest = grants::of_person(tx, person, now, before, MAX_PROGRAMS + 1)?;
    let has_older = newest.len() > MAX_PROGRAMS;
    newest.truncate(MAX_PROGRAMS);
    let last = newest.last().map(|grant| grant.id).filter(|_| has_older);
    let programs: Result<_, Error> =
        newest.into_iter().map(|grant| Program::of(tx, grant)).collect();
    Ok((programs?, last))
}

impl Program {
    fn of(tx: &mut ReadTx<'_>, grant: GrantRecord) -> Result<Self, Error> {
        let client = clients::find(tx, &grant.client_id)?;
        let scopes = grant.scopes.scopes();
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.title().to_lowercase()).collect();
        Ok(Self {
            id: grant.id,
            name: grant.client_name,
            business: grant.tenant_name,
            host: client.map_or_else(String::new, host),
            scopes: scopes.join(", "),
            since: grant.created_at.into(),
            last_used: grant.last_used_at.map(Time::from),
        })
    }
}

/// A client's host: its document's, or else its redirect URI's.
fn host(client: Client) -> String {
    let address = match client.kind {
        ClientKind::Document => Some(client.id),
        ClientKind::Registered => client.redirect_uris.into_iter().next(),
    };
    let place = redirect::destination(&address.unwrap_or_default());
    if place.is_local { format!("this device ({})", place.host) } else { place.host }
}
