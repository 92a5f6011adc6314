//! `zoop user`: the users of a business.

use anyhow::{Result, anyhow};
use serde::Serialize;
use serde_json::json;
use zoop_crm::arguments;
use zoop_crm::call::argument::Arguments;
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
    Column::text("WAITS", "is_waiting"),
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
        User::SetPassword { user, of } => {
            let found = find(&operator, of, &user)?;
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
        User::ResetSecondFactor { user, of, confirmation } => {
            let found = find(&operator, of, &user)?;
            confirm(
                &confirmation,
                &format!("Turn off the second factor of {} ({})?", found.name, found.email),
            )?;
            let (user, environment) = (found.id, operator.environment.clone());
            operator.write(move |tx| {
                second_factor::turn_off(tx, &environment, user, Initiator::Operator)
            })?;
            let answer = json!({ "user_id": found.id });
            output.answer(&answer, || {
                format!("{} now signs in with only the password", found.name)
            })?;
        }
        User::PasswordLink { user, turn_off_second_factor, of } => {
            let about = About::Tenant(of.tenant);
            let user = operator.find(&about, Kind::User, &user)?;
            let factor = if turn_off_second_factor { "turn_off" } else { "keep" };
            let whose = arguments!(PasswordLink { id: &user.id, second_factor: factor });
            password_link(config, &operator, &about, whose, output)?;
        }
        User::Create { of, name, email, role } => {
            let user = arguments!(CreateUser { name: &name, email: &email, role: &role });
            let answer = operator.command(&About::Tenant(of.tenant), user)?;
            output.answer(&answer, || {
                let added = format!("added {name} as {role}: {}", answer.user_id);
                output::with_notice(added, answer.waiting.as_deref())
            })?;
        }
        User::List { of } => {
            let about = About::Tenant(of.tenant);
            let users = operator.all::<ListUsers>(&about)?;
            output.answer(&json!({ "rows": users }), || output::render_table(&users, COLUMNS))?;
        }
        User::SetRole { user, role, of } => {
            let about = About::Tenant(of.tenant);
            let user = operator.find(&about, Kind::User, &user)?;
            let change = arguments!(SetRole { id: &user.id, role: &role });
            let answer = operator.command(&about, change)?;
            output.answer(&answer, || format!("{} now has the role {role}", user.shown))?;
        }
        User::Remove { user, of, confirmation } => {
            let about = About::Tenant(of.tenant);
            let user = operator.find(&about, Kind::User, &user)?;
            let question =
                format!("Remove {}? Their keys and connected programs stop for good.", user.shown);
            confirm(&confirmation, &question)?;
            let answer = operator.command(&about, arguments!(RemoveUser { id: &user.id }))?;
            output.answer(&answer, || {
                format!("removed {}; their keys and connected programs have ended", user.shown)
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
    // The address comes first, because an invitation whose link cannot be shown is useless.
    let address = Address::of(config, operator)?;
    let mailer = config.mailer()?;
    let Invitee { of, name, email, role } = who;
    let arguments = arguments!(CreateInvitation { name: &name, email: &email, role: &role });
    let about = About::Tenant(of.tenant);
    let created = operator.command(&about, arguments)?;
    let link = format!("{}{}", address.url, created.path);
    address.announce(&*operator.environment.clock);
    let mail = match mailer {
        None => "off",
        Some(mailer) => {
            let business = operator.business(&about)?;
            let invitation =
                Invitation { name, email: email.clone(), business, link: link.clone() };
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
    about: &About,
    whose: Arguments<PasswordLink>,
    output: &mut Output<'_>,
) -> Result<()> {
    // The address comes first, because a link that cannot be shown is useless.
    let address = Address::of(config, operator)?;
    let created = operator.command(about, whose)?;
    let link = format!("{}{}", address.url, created.path);
    address.announce(&*operator.environment.clock);
    let answer = Linked { created, link: &link, mail: None };
    output.answer(&answer, || {
        format!("{link}\nSend this to the person yourself. It works once and for one day.")
    })?;
    Ok(())
}

/// Finds a user. An id or an e-mail address is unique in the whole installation; a name is looked up in a business.
fn find(operator: &Operator, of: OfTenant, named: &str) -> Result<user::User> {
    let is_unique = Id::<kinds::Record>::parse(named.trim()).is_some() || named.contains('@');
    let sought = if of.tenant.is_none() && is_unique {
        named.trim().to_owned()
    } else {
        operator.find(&About::Tenant(of.tenant), Kind::User, named)?.id
    };
    operator
        .read(move |tx| user::find(tx, &sought))
        .map_err(|error| anyhow!("{error}; `zoop user list` shows the people of a business"))
}

/// Sets a user's password, and ends their sessions.
pub(crate) fn set_password(operator: &Operator, user: &user::User, typed: &str) -> Result<()> {
    let entropy = &operator.environment.entropy;
    let hash = Password::choose(typed, &user.email).and_then(|chosen| chosen.hash(entropy));
    let hash = hash.map_err(|error| to_anyhow(&error))?;
    let (user, environment) = (user.id, operator.environment.clone());
    operator.write(move |tx| passwords::set(tx, &environment, user, &hash, Initiator::Operator))?;
    Ok(())
}
