//! The page where an owner manages a business's members. Everything is done by the catalog's tools, which
//! also decide who may do it.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::call::access::Role;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::call::tool::Command;
use zoop_crm::identity::invitations::tools::{CreateInvitation, ListInvitations, RevokeInvitation};
use zoop_crm::identity::invitations::{self, InvitationRecord};
use zoop_crm::identity::sign_in::sessions::Workplace;
use zoop_crm::identity::users::links::PasswordLink;
use zoop_crm::identity::users::tools::{ListUsers, ListedUser, RemoveUser, SetRole};
use zoop_crm::values::id::{Id, kinds};

use super::account::Frame;
use super::workplace::AtWork;
use crate::app::App;
use crate::mail::Invitation;
use crate::web::form::Form;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::words::{self, Time, Words};

#[derive(Template)]
#[template(path = "team.html")]
struct Team<'a> {
    frame: Frame,
    business: &'a Workplace,
    others: Vec<Workplace>,
    members: Vec<Member>,
    /// Where the members go on, if not all are shown.
    next: Option<String>,
    /// The open ones, of which there are few.
    invitations: Vec<Invited>,
    /// Every role, the one with most rights first.
    roles: Vec<RoleWords>,
    /// Every role, the most common one first.
    offered: Vec<RoleWords>,
    sends_mail: bool,
    shown: Option<Shown>,
    done: &'a str,
    fault: &'a str,
}

/// The page that asks before a member is removed.
#[derive(Template)]
#[template(path = "team_remove.html")]
struct Removal<'a> {
    frame: Frame,
    business: &'a Workplace,
    member: Member,
}

/// A role: its value in forms, and its meaning.
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
    id: Id<kinds::User>,
    name: String,
    email: String,
    role: Role,
    is_this: bool,
    /// Whether the membership waits until the user has proved that the mailbox is theirs.
    is_waiting: bool,
}

struct Invited {
    id: Id<kinds::Invitation>,
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
    /// Whether a mail was wanted but not sent.
    const fn is_unsent(&self) -> bool {
        matches!(self, Self::Invitation(Mail::Failed | Mail::TooMany))
    }
}

/// The outcome of a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mail {
    /// The mail server accepted it.
    Sent,
    /// It could not be sent.
    Failed,
    /// The business, or the address, has reached its daily limit.
    TooMany,
    /// No mail server is set.
    Off,
}

const OFFERED: [Role; 3] = [Role::Office, Role::Tech, Role::Owner];

/// What was just done, by the keyword in the URL.
const DONE: [(&str, &str); 3] = [
    ("role", "The role was changed."),
    (
        "removed",
        "The person was removed from this business. Their API keys for it no longer work, and their programs are disconnected.",
    ),
    ("revoked", "The invitation was revoked. Its link no longer works."),
];

/// `GET /team`
pub(super) async fn show(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let at_work = AtWork::page(&app, request).await?;
        let word = at_work.context.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        team(&at_work, Said { done, ..Said::default() }).await
    };
    either(answer.await)
}

/// What the page shows above the team.
#[derive(Default)]
struct Said<'a> {
    shown: Option<Shown>,
    done: &'a str,
    fault: &'a str,
}

impl Member {
    fn of(ListedUser { member, is_waiting }: ListedUser, this: Id<kinds::User>) -> Self {
        let zoop_crm::identity::users::Member { id, name, email, role } = member;
        Self { id, name, email, role, is_this: id == this, is_waiting }
    }
}

impl From<InvitationRecord> for Invited {
    fn from(record: InvitationRecord) -> Self {
        let InvitationRecord { id, name, email, role, expires_at, .. } = record;
        Self { id, name, email, role: role.into(), until: expires_at.into() }
    }
}

/// A page of the members, and where they go on.
async fn members(
    at_work: &AtWork,
    after: Option<String>,
) -> Result<(Vec<Member>, Option<String>), Response> {
    let page = at_work.list(Arguments::<ListUsers>::none().after(after)).await?;
    let members = page.rows.into_iter().map(|user| Member::of(user, at_work.person.user));
    Ok((members.collect(), page.next_cursor))
}

/// The member with this id.
async fn member(at_work: &AtWork, id: &str) -> Result<Member, Response> {
    let mut next = None;
    loop {
        let (members, after) = members(at_work, next).await?;
        if let Some(member) = members.into_iter().find(|member| member.id.to_string() == id) {
            return Ok(member);
        }
        next = Some(after.ok_or_else(page::not_found)?);
    }
}

async fn team(at_work: &AtWork, said: Said<'_>) -> Result<Response, Response> {
    let AtWork { context, person, here, all } = at_work;
    let after = context.query.get("after").map(str::to_owned);
    let (members, next) = members(at_work, after).await?;
    let invitations = at_work.list(Arguments::<ListInvitations>::none()).await?.rows;
    let Said { shown, done, fault } = said;
    let owned = |it: &&Workplace| it.role == Role::Owner && it.account.id != here.account.id;
    let template = Team {
        frame: Frame::of(person, all, "team"),
        business: here,
        others: all.iter().filter(owned).cloned().collect(),
        members,
        next,
        invitations: invitations.into_iter().map(Invited::from).collect(),
        roles: Role::ALL.iter().copied().map(RoleWords::from).collect(),
        offered: OFFERED.map(RoleWords::from).into(),
        sends_mail: context.shared.settings.mail.is_some(),
        shown,
        done,
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page::page_with_script(status, &template))
}

/// Runs a tool that changes something, and shows the team again with the keyword for what was done.
async fn change<T: Command<Output: Send>>(
    app: &App,
    request: Request,
    done: &'static str,
    arguments: impl Fn(&Form) -> Arguments<T> + Send,
) -> Result<Response, Response> {
    let (at_work, form) = AtWork::form(app, request).await?;
    match at_work.command(arguments(&form)).await? {
        Ok(_) => {
            Ok(page::go_to(&format!("/team?business={}&done={done}", at_work.here.account.id)))
        }
        Err(error) => retry(&at_work, &error).await,
    }
}

/// The team again, with the tool's error.
async fn retry(at_work: &AtWork, error: &Error) -> Result<Response, Response> {
    match error {
        Error::InvalidInput { message, .. } | Error::Conflict { message, .. } => {
            team(at_work, Said { fault: message, ..Said::default() }).await
        }
        other => Err(page::failed(other)),
    }
}

/// The team, with a link that was just made.
async fn team_with_link(
    at_work: &AtWork,
    what: What,
    link: String,
    email: &str,
) -> Result<Response, Response> {
    let shown = Some(Shown { what, link, email: email.to_owned() });
    team(at_work, Said { shown, ..Said::default() }).await
}

/// `POST /team/role`
pub(super) async fn set_role(State(app): State<App>, request: Request) -> Response {
    let arguments =
        |form: &Form| arguments!(SetRole { id: form.text("user"), role: form.text("role") });
    either(change(&app, request, "role", arguments).await)
}

/// `GET /team/remove`: says what it ends, and offers the way back.
pub(super) async fn ask_to_remove(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let at_work = AtWork::page(&app, request).await?;
        let AtWork { context, person, here, all } = &at_work;
        let member = member(&at_work, context.query.text("user")).await?;
        let frame = Frame::of(person, all, "team");
        Ok(page::page(StatusCode::OK, &Removal { frame, business: here, member }))
    };
    either(answer.await)
}

/// `POST /team/remove`
pub(super) async fn remove(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| arguments!(RemoveUser { id: form.text("user") });
    either(change(&app, request, "removed", arguments).await)
}

/// `POST /team/revoke`
pub(super) async fn revoke(State(app): State<App>, request: Request) -> Response {
    let arguments = |form: &Form| arguments!(RevokeInvitation { id: form.text("invitation") });
    either(change(&app, request, "revoked", arguments).await)
}

/// `POST /team/invite`: a link that was mailed is never shown; one that could not be is shown once.
pub(super) async fn invite(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (at_work, form) = AtWork::form(&app, request).await?;
        let (name, email) = (form.text("name"), form.text("email"));
        let role = form.text("role");
        let arguments = arguments!(CreateInvitation { name: name, email: email, role: role });
        let made = match at_work.command(arguments).await? {
            Ok(made) => made,
            Err(error) => return retry(&at_work, &error).await,
        };
        let link = link(&at_work, &made.path);
        let invitation = Invitation {
            name: name.to_owned(),
            email: email.to_owned(),
            business: at_work.here.name.clone(),
            link: link.clone(),
        };
        let mail = send(&at_work, invitation).await?;
        if mail == Mail::Sent {
            let id = made.invitation_id;
            let mailed = at_work
                .context
                .write(move |tx, environment| invitations::mailed(tx, environment, id));
            mailed.await?;
        }
        team_with_link(&at_work, What::Invitation(mail), link, email).await
    };
    either(answer.await)
}

/// `POST /team/password-link`: the link is shown once.
pub(super) async fn password_link(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (at_work, form) = AtWork::form(&app, request).await?;
        let factor = if form.get("second_factor").is_some() { "turn_off" } else { "keep" };
        let arguments = arguments!(PasswordLink { id: form.text("user"), second_factor: factor });
        let made = match at_work.command(arguments).await? {
            Ok(made) => made,
            Err(error) => return retry(&at_work, &error).await,
        };
        let link = link(&at_work, &made.path);
        team_with_link(&at_work, What::PasswordLink, link, form.text("email")).await
    };
    either(answer.await)
}

/// The full link for a path that a tool made.
fn link(at_work: &AtWork, path: &str) -> String {
    format!("{}{path}", at_work.context.shared.settings.public_url)
}

/// Sends the mail and returns its outcome.
async fn send(at_work: &AtWork, invitation: Invitation) -> Result<Mail, Response> {
    let context = &at_work.context;
    let Some(mailer) = context.shared.settings.mail.clone() else { return Ok(Mail::Off) };
    let (tenant, email) = (at_work.here.account.id, invitation.email.clone());
    let admit = context
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
