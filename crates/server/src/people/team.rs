//! The page by which an owner looks after a business's people. All of it is done by the catalogue's
//! tools, which also decide who may.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use zoop_crm::access::Role;
use zoop_crm::error::Error;
use zoop_crm::id::{Id, kinds};
use zoop_crm::sign_in::SignedIn;
use zoop_crm::sign_in::sessions::Workplace;
use zoop_crm::{catalog, run};

use super::account::Frame;
use super::mail::Invitation;
use super::visit::{Visit, either, refused};
use crate::app::App;
use crate::visitors::Action;
use crate::web::form::Form;
use crate::web::page;

#[derive(Template)]
#[template(path = "team.html")]
struct Team<'a> {
    frame: Frame,
    business: &'a Workplace,
    others: Vec<Workplace>,
    members: Vec<Member>,
    invitations: Vec<Invited>,
    roles: [&'static str; 3],
    shown: Option<Shown>,
    fault: &'a str,
}

struct Member {
    id: String,
    name: String,
    email: String,
    role: String,
    is_this: bool,
}

struct Invited {
    id: String,
    name: String,
    email: String,
    role: String,
    until: String,
}

/// An invitation that was just made.
struct Shown {
    link: String,
    email: String,
    /// Whether it was sent.
    mail: &'static str,
}

const ROLES: [&str; 3] = ["owner", "office", "tech"];

/// `GET /team`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let visit = Visit::begin(&app, request, Action::Page)?;
        let person = visit.person(&visit.target).await?;
        let business = choose(&visit, &person, visit.query.get("business")).await?;
        team(&visit, &person, &business, None, "").await
    };
    either(answer.await)
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
        "Only an owner looks after a business's people: ask one.",
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
        let write = db.write::<_, Error>(deadline, move |tx| {
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

async fn team(
    visit: &Visit,
    person: &SignedIn,
    business: &Chosen,
    shown: Option<Shown>,
    fault: &str,
) -> Result<Response, Response> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let this = person.user.to_string();
    let members = rows(visit, person, business, "users.list", |row| Member {
        is_this: row["id"] == this.as_str(),
        id: text(row, "id"),
        name: text(row, "name"),
        email: text(row, "email"),
        role: text(row, "role"),
    });
    let members = members.await?;
    let invitations = rows(visit, person, business, "invitations.list", |row| Invited {
        id: text(row, "id"),
        name: text(row, "name"),
        email: text(row, "email"),
        role: text(row, "role"),
        until: text(row, "expires_at").get(..10).unwrap_or_default().to_owned(),
    });
    let invitations = invitations.await?;
    let id = business.here.account.id;
    let owned = |it: &&Workplace| it.role == Role::Owner && it.account.id != id;
    let template = Team {
        frame: Frame::of(person, &business.all, "team"),
        business: &business.here,
        others: business.all.iter().filter(owned).cloned().collect(),
        members,
        invitations,
        roles: ROLES,
        shown,
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page::page(status, &template))
}

/// Runs a tool that changes something, and shows the team anew.
async fn change(
    app: &App,
    request: Request,
    name: &'static str,
    arguments: impl Fn(&Form) -> Value + Send,
) -> Result<Response, Response> {
    let (visit, form, person, business) = begin(app, request).await?;
    match tool(&visit, &person, &business, name, arguments(&form)).await {
        Ok(_) => {
            let id = business.here.account.id;
            Ok(page::go_to(&format!("/team?business={id}")))
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
            team(visit, person, business, None, message).await
        }
        other => Err(page::failed(other)),
    }
}

/// `POST /team/role`
pub(super) async fn set_role(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("user"), "role": form.text("role") });
    either(change(&app, request, "users.set_role", arguments).await)
}

/// `POST /team/remove`
pub(super) async fn remove(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("user") });
    either(change(&app, request, "users.remove", arguments).await)
}

/// `POST /team/revoke`
pub(super) async fn revoke(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| json!({ "id": form.text("invitation") });
    either(change(&app, request, "invitations.revoke", arguments).await)
}

/// `POST /team/invite`: the link is shown this once, whether or not it could be sent.
pub(super) async fn invite(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (visit, form, person, business) = begin(&app, request).await?;
        let (name, email) = (form.text("name"), form.text("email"));
        let arguments = json!({ "name": name, "email": email, "role": form.text("role") });
        let made = match tool(&visit, &person, &business, "invitations.create", arguments).await {
            Ok(made) => made,
            Err(error) => return retry(&visit, &person, &business, &error).await,
        };
        let path = made["path"].as_str().ok_or_else(|| refused("The invitation has no link."))?;
        let link = format!("{}{path}", visit.shared.settings.public_url);
        let invitation = Invitation {
            name: name.to_owned(),
            email: email.to_owned(),
            business: business.here.name.clone(),
            link: link.clone(),
        };
        let mail = send(&visit, invitation).await;
        let shown = Shown { link, email: email.to_owned(), mail };
        team(&visit, &person, &business, Some(shown), "").await
    };
    either(answer.await)
}

/// What became of the mail: `sent`, `failed`, or `off`.
async fn send(visit: &Visit, invitation: Invitation) -> &'static str {
    let Some(mailer) = visit.shared.settings.mail.clone() else { return "off" };
    let sent = tokio::task::spawn_blocking(move || mailer.send(&invitation)).await;
    match sent {
        Ok(Ok(())) => "sent",
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "an invitation could not be sent");
            "failed"
        }
        Err(cause) => {
            tracing::error!(%cause, "sending an invitation failed");
            "failed"
        }
    }
}
