//! The page of one's own account.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::access::Role;
use zoop_crm::clock::Moment;
use zoop_crm::id::{Id, kinds};
use zoop_crm::oauth::grants::{self, GrantRecord};
use zoop_crm::sign_in::sessions::Workplace;
use zoop_crm::sign_in::{SignedIn, passwords, second_factor, sessions};

use super::visit::{Visit, either};
use crate::app::App;
use crate::visitors::Action;
use crate::web::next::HOME;
use crate::web::page;

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    frame: Frame,
    email: &'a str,
    businesses: Vec<Business>,
    has_password: bool,
    second_factor: bool,
    recovery_codes: i64,
    sessions: Vec<Session>,
    programs: Vec<Program>,
    done: &'a str,
    fault: &'a str,
}

/// What stands above every page of somebody who is signed in.
pub(super) struct Frame {
    pub(super) name: String,
    /// The businesses whose team they look after.
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
    since: String,
    last_used: String,
    is_this: bool,
}

/// A program that the person connected.
struct Program {
    id: Id<kinds::Grant>,
    name: String,
    business: String,
    scopes: String,
    since: String,
    last_used: String,
}

/// What was just done, by the word in the address.
const DONE: [(&str, &str); 6] = [
    ("password", "Your password is changed, and your other sessions have ended."),
    ("second-factor-off", "The second factor is off."),
    ("session", "The session has ended."),
    ("sessions", "All other sessions have ended."),
    ("program", "The program is disconnected: what it was given works no longer."),
    ("joined", "You have joined the business."),
];

/// `GET /account`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::Page)?;
        let person = visit.person(HOME).await?;
        let word = visit.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        account(&visit, &person, StatusCode::OK, done, "").await
    };
    either(answer.await)
}

/// The page once more, with what is wrong.
pub(super) async fn again(
    visit: &Visit,
    person: &SignedIn,
    fault: &str,
) -> Result<Response, Response> {
    account(visit, person, StatusCode::BAD_REQUEST, "", fault).await
}

async fn account(
    visit: &Visit,
    person: &SignedIn,
    status: StatusCode,
    done: &str,
    fault: &str,
) -> Result<Response, Response> {
    let who = person.clone();
    let read = visit.read(move |tx, environment| {
        let user = who.user;
        Ok((
            who.workplaces(tx)?,
            passwords::stored(tx, user)?.is_some(),
            second_factor::is_on(tx, user)?,
            second_factor::recovery_codes_left(tx, user)?,
            sessions::live(tx, user, environment.clock.now())?,
            grants::of_person(tx, &who, environment.clock.now())?,
        ))
    });
    let (workplaces, has_password, second_factor, recovery_codes, live, programs) = read.await?;
    let template = Account {
        frame: Frame::of(person, &workplaces, "account"),
        email: &person.email,
        businesses: workplaces.iter().map(Business::of).collect(),
        has_password,
        second_factor,
        recovery_codes,
        sessions: live.into_iter().map(|live| Session::of(live, person)).collect(),
        programs: programs.into_iter().map(Program::of).collect(),
        done,
        fault,
    };
    Ok(page::page(status, &template))
}

impl Business {
    fn of(workplace: &Workplace) -> Self {
        Self {
            id: workplace.account.id,
            name: workplace.name.clone(),
            role: workplace.role.word(),
            is_owner: workplace.role == Role::Owner,
        }
    }
}

impl Session {
    fn of(live: sessions::LiveSession, person: &SignedIn) -> Self {
        let sessions::LiveSession { record, last_used_at } = live;
        let browser = if record.browser.is_empty() { "A browser".into() } else { record.browser };
        Self {
            id: record.id,
            browser,
            address: record.address,
            since: minute(record.created_at),
            last_used: minute(last_used_at),
            is_this: record.id == person.session,
        }
    }
}

impl Program {
    fn of(grant: GrantRecord) -> Self {
        Self {
            id: grant.id,
            name: grant.client_name,
            business: grant.tenant_name,
            scopes: grant.scopes.join(", "),
            since: minute(grant.created_at),
            last_used: grant.last_used_at.map_or_else(|| "never".to_owned(), minute),
        }
    }
}

/// A moment as pages show it.
pub(super) fn minute(moment: Moment) -> String {
    let whole = zoop_crm::clock::rfc3339(moment.0);
    let minute = whole.get(..16).unwrap_or_default().replace('T', " ");
    format!("{minute} UTC")
}
