//! `zoop user`: the users of a business.

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::Error;
use zoop_crm::identity::invitations::tools::CreateInvitation;
use zoop_crm::identity::sign_in::password::Password;
use zoop_crm::identity::sign_in::user::{self, Initiator};
use zoop_crm::identity::sign_in::{passwords, second_factor};
use zoop_crm::identity::users::links::PasswordLink;
use zoop_crm::identity::users::tools::{CreateUser, ListUsers, RemoveUser, SetRole};
use zoop_crm::values::id::{Id, kinds};
use zoop_server::Invitation;

use crate::arguments::{OfTenant, User};
use crate::config::Config;
use crate::confirmation::confirm;
use crate::database::Missing;
use crate::names::Kind;
use crate::operator::{About, Operator, to_anyhow};
use crate::output::{self, Output};
use crate::password;
use crate::server_address::Address;
use crate::table::Column;

/// The table's columns.
const COLUMNS: &[Column] = &[
    Column::text("NAME", "name"),
    Column::text("EMAIL", "email"),
    Column::text("ROLE", "role"),
    Column::text("PENDING", "is_waiting"),
    Column::id("ID", "id"),
];

/// Runs the command.
pub(crate) fn run(config: &Config, command: User, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    match command {
        User::Invite { of, name, email, role } => {
            let who = Invitee { of, name, email, role };
            invite(config, &operator, who, output)?;
        }
        User::SetPassword { user: named, of } => {
            let found = find(&operator, of, &named)?;
            let typed = password::ask()?;
            set_password(&operator, &found, &typed)?;
            let answer = json!({ "user_id": found.id });
            output.answer(&answer, || {
                format!(
                    "{} has a new password; their sessions, connected programs and second factor \
                     have ended",
                    found.name
                )
            })?;
        }
        User::ResetSecondFactor { user: named, of, confirmation } => {
            let found = find(&operator, of, &named)?;
            confirm(
                &confirmation,
                &format!("Turn off the second factor of {} ({})?", found.name, found.email),
            )?;
            let (id, environment) = (found.id, operator.environment.clone());
            operator.write(move |tx| {
                second_factor::turn_off(tx, &environment, id, Initiator::Operator)
            })?;
            let answer = json!({ "user_id": found.id });
            output.answer(&answer, || format!("{} signs in with only the password", found.name))?;
        }
        User::PasswordLink { user: named, turn_off_second_factor, of } => {
            let business = About::Tenant(of.tenant);
            let found = operator.find(&business, Kind::User, &named)?;
            let factor = if turn_off_second_factor { "turn_off" } else { "keep" };
            let arguments = arguments!(PasswordLink { id: &found.id, second_factor: factor });
            password_link(config, &operator, &business, arguments, output)?;
        }
        User::Create { of, name, email, role } => {
            let arguments = arguments!(CreateUser { name: &name, email: &email, role: &role });
            let answer = operator.command(&About::Tenant(of.tenant), arguments)?;
            output.answer(&answer, || {
                let added = format!("added {name} as {role}: {}", answer.user_id);
                output::with_notice(added, answer.waiting.as_deref())
            })?;
        }
        User::List { of } => {
            let users = operator.all::<ListUsers>(&About::Tenant(of.tenant))?;
            output.answer(&json!({ "rows": users }), || output::render_table(&users, COLUMNS))?;
        }
        User::SetRole { user: named, role, of } => {
            let business = About::Tenant(of.tenant);
            let found = operator.find(&business, Kind::User, &named)?;
            let arguments = arguments!(SetRole { id: &found.id, role: &role });
            let answer = operator.command(&business, arguments)?;
            output.answer(&answer, || format!("{} now has the role {role}", found.shown))?;
        }
        User::Remove { user: named, of, confirmation } => {
            let business = About::Tenant(of.tenant);
            let found = operator.find(&business, Kind::User, &named)?;
            let question =
                format!("Remove {}? Their keys and connected programs stop for good.", found.shown);
            confirm(&confirmation, &question)?;
            let answer = operator.command(&business, arguments!(RemoveUser { id: &found.id }))?;
            output.answer(&answer, || {
                format!("removed {}; their keys and connected programs have ended", found.shown)
            })?;
        }
    }
    Ok(())
}

/// The person to invite.
struct Invitee {
    of: OfTenant,
    name: String,
    email: String,
    role: String,
}

/// Creates an invitation, and sends it if a mail server is configured.
fn invite(
    config: &Config,
    operator: &Operator,
    who: Invitee,
    output: &mut Output<'_>,
) -> Result<()> {
    // The server's address is found first, because an invitation whose link cannot be shown is useless.
    let address = Address::of(config, operator)?;
    let mailer = config.mailer()?;
    let Invitee { of, name, email, role } = who;
    let arguments = arguments!(CreateInvitation { name: &name, email: &email, role: &role });
    let business = About::Tenant(of.tenant);
    let created = operator.command(&business, arguments)?;
    let link = format!("{}{}", address.url, created.path);
    address.announce(&*operator.environment.clock);
    let mail = match mailer {
        None => "off",
        Some(mailer) => {
            let invitation = Invitation {
                name,
                email: email.clone(),
                business: operator.business(&business)?,
                link: link.clone(),
            };
            match mailer.send(&invitation) {
                Ok(()) => "sent",
                Err(error) => {
                    output::note(&format!("the invitation could not be sent: {error}"));
                    "failed"
                }
            }
        }
    };
    let answer = Linked { created, link: &link, mail: Some(mail) };
    output.answer(&answer, || match mail {
        "sent" => format!("{link}\nThis was sent to {email}. It works once and for seven days."),
        _ => format!("{link}\nSend this to {email} yourself. It works once and for seven days."),
    })?;
    Ok(())
}

/// The tool's answer, with the full link.
#[derive(Serialize)]
struct Linked<'a, M> {
    #[serde(flatten)]
    created: M,
    link: &'a str,
    /// The outcome of mailing the link; `None` for a link that is never mailed.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'static str>,
}

/// Creates a password reset link and shows it once.
fn password_link(
    config: &Config,
    operator: &Operator,
    business: &About,
    arguments: Arguments<PasswordLink>,
    output: &mut Output<'_>,
) -> Result<()> {
    // The server's address is found first, because a link that cannot be shown is useless.
    let address = Address::of(config, operator)?;
    let created = operator.command(business, arguments)?;
    let link = format!("{}{}", address.url, created.path);
    address.announce(&*operator.environment.clock);
    let answer = Linked { created, link: &link, mail: None };
    output.answer(&answer, || {
        format!("{link}\nSend this to the person yourself. It works once and for one day.")
    })?;
    Ok(())
}

/// Finds a user. An id finds the user in any business. An e-mail address does so too, unless `--tenant` is given: then
/// it is looked up in that business, as a name always is.
fn find(operator: &Operator, of: OfTenant, named: &str) -> Result<user::User> {
    let is_unique = Id::<kinds::User>::parse(named.trim()).is_some() || named.contains('@');
    let sought = if of.tenant.is_none() && is_unique {
        named.trim().to_owned()
    } else {
        operator.find(&About::Tenant(of.tenant), Kind::User, named)?.id
    };
    let found = operator.read(move |tx| match user::find(tx, &sought) {
        Err(Error::NotFound { .. }) => Ok(None),
        found => found.map(Some),
    })?;
    found.context(
        "there is no user with this id or e-mail address; `zoop user list` shows the people of a \
         business",
    )
}

/// Sets a user's password. Their sessions, grants and second factor end.
pub(crate) fn set_password(operator: &Operator, found: &user::User, typed: &str) -> Result<()> {
    let entropy = &operator.environment.entropy;
    let hash = Password::choose(typed, &found.email).and_then(|chosen| chosen.hash(entropy));
    let hash = hash.map_err(|error| to_anyhow(&error))?;
    let (id, environment) = (found.id, operator.environment.clone());
    operator.write(move |tx| passwords::set(tx, &environment, id, &hash, Initiator::Operator))?;
    Ok(())
}
