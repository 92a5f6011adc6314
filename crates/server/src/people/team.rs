//! The page by which an owner looks after a business's people. All of it is done by the catalogue's
//! tools, which also decide who may.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use zoop_crm::access::Role;
use zoop_crm::clock::{Moment, parse_rfc3339};
use zoop_crm::error::Error;
use zoop_crm::id::{Id, kinds};
use zoop_crm::sign_in::SignedIn;
use zoop_crm::sign_in::sessions::Workplace;
use zoop_crm::{catalog, invitations, run};
use zoop_db::Timestamp;

use super::account::Frame;
use super::mail::Invitation;
use super::visit::{Visit, either, refused};
use crate::app::App;
use crate::visitors::Action;
use crate::web::form::Form;
use crate::web::page;
use crate::web::words::{self, Time, Words};

#[derive(Template)]
#[template(path = "team.html")]
struct Team<'a> {
    frame: Frame,
    business: &'a Workplace,
    others: Vec<Workplace>,
    members: Vec<Member>,
    invitations: Vec<Invited>,
    /// Every role, the one that may do most first.
    roles: Vec<RoleWords>,
    /// Every role, the one that most people get first.
    offered: Vec<RoleWords>,
    sends_mail: bool,
    shown: Option<Shown>,
    done: &'a str,
    fault: &'a str,
}

/// The page that asks before a person is removed.
#[derive(Template)]
#[template(path = "team_remove.html")]
struct Removal<'a> {
    frame: Frame,
    business: &'a Workplace,
    member: Member,
}

/// A role: its value in forms, and what it means.
struct RoleWords {
    word: &'static str,
    title: &'static str,
    about: &'static str,
}

impl From<Role> for RoleWords {
    fn from(role: Role) -> Self {
        let Words { title, about } = words::role(role);
        Self { word: role.word(), title, about }
    }
}

struct Member {
    id: String,
    name: String,
    email: String,
    role: String,
    is_this: bool,
    /// Whether the membership waits until they have shown that the mailbox is theirs.
    is_waiting: bool,
}

struct Invited {
    id: String,
    name: String,
    email: String,
    role: RoleWords,
    until: Time,
}

/// A link that was just made.
struct Shown {
    what: What,
    link: String,
    email: String,
}

/// What a link is for.
enum What {
    Invitation(Mail),
    PasswordLink,
}

impl What {
    /// Whether a mail was wanted and did not go out.
    const fn is_unsent(&self) -> bool {
        matches!(self, Self::Invitation(Mail::Failed | Mail::TooMany))
    }
}

/// What became of a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mail {
    /// The mail server took it.
    Sent,
    /// It could not be sent.
    Failed,
    /// The business, or the address, had enough of them today.
    TooMany,
    /// No mail server is set.
    Off,
}

const OFFERED: [Role; 3] = [Role::Office, Role::Tech, Role::Owner];

/// What was just done, by the word in the address.
const DONE: [(&str, &str); 3] = [
    ("role", "The role was changed."),
    ("removed", "The person was removed from this business. Their programs are disconnected."),
    ("revoked", "The invitation was revoked. Its link no longer works."),
];

/// `GET /team`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::Page)?;
        let person = visit.person(&visit.target).await?;
        let business = choose(&visit, &person, visit.query.get("business")).await?;
        let word = visit.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        team(&visit, &person, &business, Said { done, ..Said::default() }).await
    };
    either(answer.await)
}

/// What the page says above the team.
#[derive(Default)]
struct Said<'a> {
    shown: Option<Shown>,
    done: &'a str,
    fault: &'a str,
}

/// The businesses of an owner, the one that was asked for or the first before the others.
struct Chosen {
    here: Workplace,
    all: Vec<Workplace>,
}

async fn choose(visit: &Visit, person: &SignedIn, asked: Option<&str>) -> Result<Chosen, Response> {
    let who = person.clone();
    let all = visit.read(move |tx, _| who.workplaces(tx)).await?;
    let asked = asked.map(|id| Id::<kinds::Tenant>::parse(id).ok_or_else(page::not_found));
    let asked = asked.transpose()?;
    let owned = |workplace: &&Workplace| workplace.role == Role::Owner;
    let found = match asked {
        Some(id) => all.iter().find(|workplace| workplace.account.id == id),
        None => all.iter().find(owned),
    };
    let here = found.cloned().ok_or_else(no_business)?;
    Ok(Chosen { here, all })
}

fn no_business() -> Response {
    page::stop(
        StatusCode::FORBIDDEN,
        "You may not do this",
        "Only owners can manage the team. Ask an owner of your business.",
    )
}

/// A form about a business.
async fn begin(app: &App, request: Request) -> Result<(Visit, Form, SignedIn, Chosen), Response> {
    let visit = Visit::begin(app, request, Action::Page)?;
    let form = visit.form().await?;
    let person = visit.person("/team").await?;
    let business = form.get("business").ok_or_else(page::not_found)?;
    let business = choose(&visit, &person, Some(business)).await?;
    Ok((visit, form, person, business))
}

/// Runs a tool as the person in the business.
async fn tool(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
    name: &'static str,
    arguments: Value,
) -> Result<Value, Error> {
    let tool = catalog::find(name).ok_or_else(|| Error::internal(format!("no tool {name}")))?;
    let (person, tenant, from) = (person.clone(), business.here.account.id, visit.address);
    let environment = visit.shared.environment.clone();
    let arguments = arguments.to_string();
    let (db, deadline) = (&visit.shared.db, visit.deadline);
    let answer = if tool.is_read_only() {
        let read = db.read::<_, Error>(deadline, move |tx| {
            let access = person.access(tx, tenant, from)?;
            run::read(tx, &access, &environment, tool, &arguments)
        });
        read.await?
    } else {
        let number = business.here.account.number;
        let write = db.write::<_, Error>(deadline, move |tx| {
            // Bound before the role is read: who lost it meanwhile, behind another write, has lost it here.
            tx.bind(number);
            let access = person.access(tx, tenant, from)?;
            run::write(tx, &access, &environment, tool, &arguments, None)
        });
        write.await?
    };
    serde_json::from_str(&answer).map_err(Error::internal)
}

async fn rows<T>(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
    name: &'static str,
    row: impl Fn(&Value) -> T + Send,
) -> Result<Vec<T>, Response> {
    let answer = tool(visit, person, business, name, json!({})).await;
    let answer = answer.map_err(|error| page::failed(&error))?;
    Ok(answer["rows"].as_array().into_iter().flatten().map(row).collect())
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}

impl Invited {
    fn of(row: &Value) -> Self {
        // The tool writes both: what they name is always there.
        let role = Role::from_word(&text(row, "role")).unwrap_or(Role::Tech);
        let until = parse_rfc3339(&text(row, "expires_at")).unwrap_or(Timestamp(0));
        Self {
            id: text(row, "id"),
            name: text(row, "name"),
            email: text(row, "email"),
            role: role.into(),
            until: Moment(until).into(),
        }
    }
}

async fn members(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
) -> Result<Vec<Member>, Response> {
    let this = person.user.to_string();
    let members = rows(visit, person, business, "users.list", |row| Member {
        is_this: row["id"] == this.as_str(),
        is_waiting: row["is_waiting"] == true,
        id: text(row, "id"),
        name: text(row, "name"),
        email: text(row, "email"),
        role: text(row, "role"),
    });
    members.await
}

async fn team(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
    said: Said<'_>,
) -> Result<Response, Response> {
    let members = members(visit, person, business).await?;
    let invitations = rows(visit, person, business, "invitations.list", Invited::of).await?;
    let Said { shown, done, fault } = said;
    let id = business.here.account.id;
    let owned = |it: &&Workplace| it.role == Role::Owner && it.account.id != id;
    let template = Team {
        frame: Frame::of(person, &business.all, "team"),
        business: &business.here,
        others: business.all.iter().filter(owned).cloned().collect(),
        members,
        invitations,
        roles: Role::ALL.iter().copied().map(RoleWords::from).collect(),
        offered: OFFERED.map(RoleWords::from).into(),
        sends_mail: visit.shared.settings.mail.is_some(),
        shown,
        done,
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page::page_with_script(status, &template))
}

/// Runs a tool that changes something, and shows the team again with the word for what was done.
async fn change(
    app: &App,
    request: Request,
    name: &'static str,
    done: &'static str,
    arguments: impl Fn(&Form) -> Value + Send,
) -> Result<Response, Response> {
    let (visit, form, person, business) = begin(app, request).await?;
    match tool(&visit, &person, &business, name, arguments(&form)).await {
        Ok(_) => {
            let id = business.here.account.id;
            Ok(page::go_to(&format!("/team?business={id}&done={done}")))
        }
        Err(error) => retry(&visit, &person, &business, &error).await,
    }
}

/// The team once more, with what the tool refused.
async fn retry(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
    error: &Error,
) -> Result<Response, Response> {
    match error {
        Error::InvalidInput { message, .. } | Error::Conflict { message, .. } => {
            team(visit, person, business, Said { fault: message, ..Said::default() }).await
        }
        other => Err(page::failed(other)),
    }
}

/// `POST /team/role`
pub(super) async fn set_role(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("user"), "role": form.text("role") });
    either(change(&app, request, "users.set_role", "role", arguments).await)
}

/// `GET /team/remove`: what it ends, and the way back.
pub(super) async fn ask_to_remove(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::Page)?;
        let person = visit.person("/team").await?;
        let business = visit.query.get("business").ok_or_else(page::not_found)?;
        let business = choose(&visit, &person, Some(business)).await?;
        let members = members(&visit, &person, &business).await?;
        let asked = visit.query.text("user");
        let member = members.into_iter().find(|member| member.id == asked);
        let member = member.ok_or_else(page::not_found)?;
        let frame = Frame::of(&person, &business.all, "team");
        let business = &business.here;
        Ok(page::page(StatusCode::OK, &Removal { frame, business, member }))
    };
    either(answer.await)
}

/// `POST /team/remove`
pub(super) async fn remove(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("user") });
    either(change(&app, request, "users.remove", "removed", arguments).await)
}

/// `POST /team/revoke`
pub(super) async fn revoke(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("invitation") });
    either(change(&app, request, "invitations.revoke", "revoked", arguments).await)
}

/// `POST /team/invite`: a link that was sent is shown to no one; one that could not be is shown this once.
pub(super) async fn invite(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (visit, form, person, business) = begin(&app, request).await?;
        let (name, email) = (form.text("name"), form.text("email"));
        let arguments = json!({ "name": name, "email": email, "role": form.text("role") });
        let made = match tool(&visit, &person, &business, "invitations.create", arguments).await {
            Ok(made) => made,
            Err(error) => return retry(&visit, &person, &business, &error).await,
        };
        let link = link(&visit, &made)?;
        let invitation = Invitation {
            name: name.to_owned(),
            email: email.to_owned(),
            business: business.here.name.clone(),
            link: link.clone(),
        };
        let mail = send(&visit, &business, invitation).await?;
        if mail == Mail::Sent {
            let id = made["invitation_id"].as_str().and_then(Id::parse);
            let id = id.ok_or_else(|| refused("The invitation has no id."))?;
            let mailed =
                visit.write(move |tx, environment| invitations::mailed(tx, environment, id));
            mailed.await?;
        }
        let shown = Shown { what: What::Invitation(mail), link, email: email.to_owned() };
        team(&visit, &person, &business, Said { shown: Some(shown), ..Said::default() }).await
    };
    either(answer.await)
}

/// `POST /team/password-link`: the link is shown this once.
pub(super) async fn password_link(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (visit, form, person, business) = begin(&app, request).await?;
        let factor = if form.get("second_factor").is_some() { "turn_off" } else { "keep" };
        let arguments = json!({ "id": form.text("user"), "second_factor": factor });
        let made = match tool(&visit, &person, &business, "users.password_link", arguments).await {
            Ok(made) => made,
            Err(error) => return retry(&visit, &person, &business, &error).await,
        };
        let link = link(&visit, &made)?;
        let shown = Shown { what: What::PasswordLink, link, email: form.text("email").to_owned() };
        team(&visit, &person, &business, Said { shown: Some(shown), ..Said::default() }).await
    };
    either(answer.await)
}

/// The whole link of a path that a tool made.
fn link(visit: &Visit, made: &Value) -> Result<String, Response> {
    let path = made["path"].as_str().ok_or_else(|| refused("The link was not made."))?;
    Ok(format!("{}{path}", visit.shared.settings.public_url))
}

/// What became of the mail.
async fn send(visit: &Visit, business: &Chosen, invitation: Invitation) -> Result<Mail, Response> {
    let Some(mailer) = visit.shared.settings.mail.clone() else { return Ok(Mail::Off) };
    let (tenant, email) = (business.here.account.id, invitation.email.clone());
    let admit = visit
        .write(move |tx, environment| invitations::may_be_mailed(tx, environment, tenant, &email));
    if !admit.await? {
        return Ok(Mail::TooMany);
    }
    let Some(place) = mailer.place() else { return Ok(Mail::Failed) };
    let sent = tokio::task::spawn_blocking(move || mailer.send(&invitation)).await;
    drop(place);
    Ok(match sent {
        Ok(Ok(())) => Mail::Sent,
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "an invitation could not be sent");
            Mail::Failed
        }
        Err(cause) => {
            tracing::error!(%cause, "sending an invitation failed");
            Mail::Failed
        }
    })
}
