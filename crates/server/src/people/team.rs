//! The page where an owner manages a business's members. The catalog's tools make all changes, and decide who may
//! make them.

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
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::identity::users::Member;
use zoop_crm::identity::users::links::PasswordLink;
use zoop_crm::identity::users::tools::{ListUsers, ListedUser, RemoveUser, SetRole};
use zoop_crm::values::clock::Moment;
use zoop_crm::values::id::{Id, kinds};

use crate::app::App;
use crate::mail::Invitation;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::once::{self, fresh_key};
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;
use crate::web::words::{self, Words};

#[derive(Template)]
#[template(path = "team.html")]
struct Team<'a> {
    frame: Frame,
    business: &'a Membership,
    others: Vec<Membership>,
    members: Vec<MemberRow>,
    /// The cursor of the next page of members, if there is one.
    next: Option<String>,
    /// The open invitations. One page is enough: a business has at most 100.
    invitations: Vec<InvitationRow>,
    /// Every role, with the most powerful one first.
    roles: Vec<RoleWords>,
    /// Every role, with the most common one first.
    offered: Vec<RoleWords>,
    sends_mail: bool,
    new_link: Option<NewLink>,
    /// The idempotency key of each form that makes a link.
    once: String,
    done: &'a str,
    fault: &'a str,
}

/// The page that asks before a member is removed.
#[derive(Template)]
#[template(path = "team_remove.html")]
struct Removal<'a> {
    frame: Frame,
    business: &'a Membership,
    member: MemberRow,
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

/// A member as the page lists them.
struct MemberRow {
    id: Id<kinds::User>,
    name: String,
    email: String,
    role: Role,
    is_this: bool,
    /// Whether the membership is pending until the user proves that the mailbox is theirs.
    is_waiting: bool,
}

/// An open invitation as the page lists it.
struct InvitationRow {
    id: Id<kinds::Invitation>,
    name: String,
    email: String,
    role: RoleWords,
    until: Moment,
}

/// A link that was just made.
struct NewLink {
    kind: LinkKind,
    link: String,
    email: String,
}

/// What a link is for.
enum LinkKind {
    Invitation(Mail),
    PasswordLink,
}

impl LinkKind {
    /// Whether a mail was wanted but not sent.
    const fn is_unsent(&self) -> bool {
        matches!(self, Self::Invitation(Mail::Failed | Mail::TooMany))
    }
}

/// What happened to the mail with an invitation.
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

/// The messages about what was just done, by the keyword in the URL.
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
        let tenant_context = TenantContext::page(&app, request, Section::Team).await?;
        let word = tenant_context.context.query.text("done");
        let done = DONE.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text);
        team(&tenant_context, Messages { done, ..Messages::default() }).await
    };
    either(answer.await)
}

/// The messages that the page shows above the team.
#[derive(Default)]
struct Messages<'a> {
    new_link: Option<NewLink>,
    done: &'a str,
    fault: &'a str,
}

impl MemberRow {
    fn of(ListedUser { member, is_waiting }: ListedUser, this: Id<kinds::User>) -> Self {
        let Member { id, name, email, role } = member;
        Self { id, name, email, role, is_this: id == this, is_waiting }
    }
}

impl From<InvitationRecord> for InvitationRow {
    fn from(record: InvitationRecord) -> Self {
        let InvitationRecord { id, name, email, role, expires_at, .. } = record;
        Self { id, name, email, role: role.into(), until: expires_at }
    }
}

/// A page of the members, and the cursor of the next page.
async fn members(
    tenant_context: &TenantContext,
    after: Option<String>,
) -> Result<(Vec<MemberRow>, Option<String>), Response> {
    let page = tenant_context.list(Arguments::<ListUsers>::none().after(after)).await?;
    let members =
        page.rows.into_iter().map(|user| MemberRow::of(user, tenant_context.signed_in.user));
    Ok((members.collect(), page.next_cursor))
}

/// The member with this id.
async fn member(tenant_context: &TenantContext, id: &str) -> Result<MemberRow, Response> {
    let mut next = None;
    loop {
        let (members, after) = members(tenant_context, next).await?;
        if let Some(member) = members.into_iter().find(|member| member.id.to_string() == id) {
            return Ok(member);
        }
        next = Some(after.ok_or_else(page::not_found)?);
    }
}

async fn team(
    tenant_context: &TenantContext,
    messages: Messages<'_>,
) -> Result<Response, Response> {
    let TenantContext { context, membership, .. } = tenant_context;
    let after = context.query.get("after").map(str::to_owned);
    let (members, next) = members(tenant_context, after).await?;
    let invitations = tenant_context.list(Arguments::<ListInvitations>::none()).await?.rows;
    let Messages { new_link, done, fault } = messages;
    let template = Team {
        frame: Frame::within(tenant_context),
        business: membership,
        others: tenant_context.others().cloned().collect(),
        members,
        next,
        invitations: invitations.into_iter().map(InvitationRow::from).collect(),
        roles: Role::ALL.iter().copied().map(RoleWords::from).collect(),
        offered: OFFERED.map(RoleWords::from).into(),
        sends_mail: context.shared.settings.mail.is_some(),
        new_link,
        once: fresh_key(tenant_context),
        done,
        fault,
    };
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page::page(status, &template))
}

/// Runs a tool that changes something. Then shows the team again, with the message for the keyword `done`.
async fn change<T: Command<Output: Send>>(
    app: &App,
    request: Request,
    done: &'static str,
    arguments: impl Fn(&Form) -> Arguments<T> + Send,
) -> Result<Response, Response> {
    let (tenant_context, form) = TenantContext::form(app, request, Section::Team).await?;
    match tenant_context.command(arguments(&form)).await? {
        Ok(_) => Ok(page::go_to(&format!(
            "/team?business={}&done={done}",
            tenant_context.membership.account.id
        ))),
        Err(error) => show_error(&tenant_context, &error).await,
    }
}

/// Shows the team again, with the tool's error.
async fn show_error(tenant_context: &TenantContext, error: &Error) -> Result<Response, Response> {
    match error {
        Error::InvalidInput { message, .. } | Error::Conflict { message, .. } => {
            team(tenant_context, Messages { fault: message, ..Messages::default() }).await
        }
        other => Err(page::failed(other)),
    }
}

/// Shows the team after a form was sent again whose link was made and shown before.
async fn team_without_link(tenant_context: &TenantContext) -> Result<Response, Response> {
    let done = "This form was sent before. Its link was made then, and it is not shown again. If it did \
                not arrive, make a new one.";
    team(tenant_context, Messages { done, ..Messages::default() }).await
}

/// Shows the team with a link that was just made.
async fn team_with_link(
    tenant_context: &TenantContext,
    kind: LinkKind,
    link: String,
    email: &str,
) -> Result<Response, Response> {
    let new_link = Some(NewLink { kind, link, email: email.to_owned() });
    team(tenant_context, Messages { new_link, ..Messages::default() }).await
}

/// `POST /team/role`
pub(super) async fn set_role(State(app): State<App>, request: Request) -> Response {
    let arguments =
        |form: &Form| arguments!(SetRole { id: form.text("user"), role: form.text("role") });
    either(change(&app, request, "role", arguments).await)
}

/// `GET /team/remove`: asks before the member is removed.
pub(super) async fn ask_to_remove(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let tenant_context = TenantContext::page(&app, request, Section::Team).await?;
        let TenantContext { context, membership, .. } = &tenant_context;
        let member = member(&tenant_context, context.query.text("user")).await?;
        let frame = Frame::within(&tenant_context);
        Ok(page::page(StatusCode::OK, &Removal { frame, business: membership, member }))
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

/// `POST /team/invite`: a mailed link is never shown. A link that could not be mailed is shown once. A form that is sent
/// twice, as by a reload, makes one link.
pub(super) async fn invite(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Team).await?;
        let (name, email) = (form.text("name"), form.text("email"));
        let role = form.text("role");
        let arguments = arguments!(CreateInvitation { name: name, email: email, role: role });
        let once = once::key_of_all(&tenant_context, &form);
        let made = match tenant_context.command_first(once, arguments).await? {
            Ok(Some(made)) => made,
            Ok(None) => return team_without_link(&tenant_context).await,
            Err(error) => return show_error(&tenant_context, &error).await,
        };
        let link = link(&tenant_context, &made.path);
        let invitation = Invitation {
            name: name.to_owned(),
            email: email.to_owned(),
            business: tenant_context.membership.name.clone(),
            link: link.clone(),
        };
        let mail = send(&tenant_context, invitation).await?;
        if mail == Mail::Sent {
            let id = made.invitation_id;
            let mailed = tenant_context
                .context
                .write(move |tx, environment| invitations::record_mailed(tx, environment, id));
            mailed.await?;
        }
        team_with_link(&tenant_context, LinkKind::Invitation(mail), link, email).await
    };
    either(answer.await)
}

/// `POST /team/password-link`: the link is shown once.
pub(super) async fn password_link(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Team).await?;
        let factor = if form.get("second_factor").is_some() { "turn_off" } else { "keep" };
        let arguments = arguments!(PasswordLink { id: form.text("user"), second_factor: factor });
        let once = once::key_of_all(&tenant_context, &form);
        let made = match tenant_context.command_first(once, arguments).await? {
            Ok(Some(made)) => made,
            Ok(None) => return team_without_link(&tenant_context).await,
            Err(error) => return show_error(&tenant_context, &error).await,
        };
        let link = link(&tenant_context, &made.path);
        team_with_link(&tenant_context, LinkKind::PasswordLink, link, form.text("email")).await
    };
    either(answer.await)
}

/// The full link for a path that a tool made.
fn link(tenant_context: &TenantContext, path: &str) -> String {
    format!("{}{path}", tenant_context.context.shared.settings.public_url)
}

/// Mails an invitation, and returns what happened.
async fn send(tenant_context: &TenantContext, invitation: Invitation) -> Result<Mail, Response> {
    let context = &tenant_context.context;
    let Some(mailer) = context.shared.settings.mail.clone() else { return Ok(Mail::Off) };
    let (tenant, email) = (tenant_context.membership.account.id, invitation.email.clone());
    let admit = context
        .write(move |tx, environment| invitations::may_be_mailed(tx, environment, tenant, &email));
    if !admit.await? {
        return Ok(Mail::TooMany);
    }
    let Some(permit) = mailer.permit() else { return Ok(Mail::Failed) };
    let sent = tokio::task::spawn_blocking(move || mailer.send(&invitation)).await;
    drop(permit);
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
