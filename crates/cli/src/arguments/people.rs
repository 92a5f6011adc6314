//! Arguments about people, their keys, and the programs that they connected.

use std::time::Duration;

use clap::Subcommand;

use super::values::{duration, roles, scopes, scopes_help};
use super::{Confirmation, OfTenant};

/// `zoop user …`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Add a person to a business
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The person's e-mail address
        #[arg(long)]
        email: String,
        /// Their role
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// List the people of a business
    List {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Change a person's role; it applies to the next request of their keys
    SetRole {
        /// The person, by e-mail address, full name or id
        #[arg(value_name = "PERSON")]
        user: String,
        /// The new role
        #[arg(value_parser = roles())]
        role: String,
        #[command(flatten)]
        of: OfTenant,
    },
    /// Invite a person to a business: prints a link that works once and for seven days
    Invite {
        #[command(flatten)]
        of: OfTenant,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The person's e-mail address
        #[arg(long)]
        email: String,
        /// The role they will have
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// Create a link to choose a new password, valid once and for one day
    PasswordLink {
        /// The person, by e-mail address, full name or id
        #[arg(value_name = "PERSON")]
        user: String,
        /// Also turn off the second factor, once the new password is chosen
        #[arg(long)]
        turn_off_second_factor: bool,
        #[command(flatten)]
        of: OfTenant,
    },
    /// Set a person's password; ends their sessions, connected programs and second factor
    #[command(after_help = "Asks for it twice on a terminal; elsewhere it is the first line of \
        standard input.\n\nExample:\n  zoop user set-password dana@example.com")]
    SetPassword {
        /// The person, by e-mail address, full name or id
        #[arg(value_name = "PERSON")]
        user: String,
        #[command(flatten)]
        of: OfTenant,
    },
    /// Turn off a person's second factor, if they lost it and the recovery codes
    ResetSecondFactor {
        /// The person, by e-mail address, full name or id
        #[arg(value_name = "PERSON")]
        user: String,
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Remove a person; their keys and connected programs end for good
    Remove {
        /// The person, by e-mail address, full name or id
        #[arg(value_name = "PERSON")]
        user: String,
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// `zoop key …`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key and show it once
    #[command(after_help = "Examples:\n  zoop key create --scope read:customers,read:notes \
        --name reporting\n  zoop key create --user dana@example.com --scope read:customers \
        --expires 90d")]
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// The person it acts for, by e-mail address, full name or id; without it the key belongs to the
        /// business
        #[arg(long, value_name = "PERSON")]
        user: Option<String>,
        #[arg(long, required = true, value_parser = scopes, help = scopes_help())]
        scope: Vec<String>,
        /// The key's name
        #[arg(long)]
        name: Option<String>,
        /// The time until the key expires, for example 90d
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
        /// The maximum number of its requests in a rolling minute, 0 for no limit
        /// [default: limits.credential]
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// List a business's keys, without their secrets
    List {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Revoke a key at once
    Revoke {
        /// The key, by its name, its first characters or its id
        #[arg(value_name = "KEY")]
        key: String,
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Replace a key with a new one of the same name, scopes and limits
    Rotate {
        /// The key, by its name, its first characters or its id
        #[arg(value_name = "KEY")]
        key: String,
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        confirmation: Confirmation,
        /// How long the old key still works, for example 24h; by default it stops at once
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        overlap: Option<Duration>,
    },
}

/// `zoop grant …`
#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// List the programs that people of a business have connected
    List {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Disconnect a program at once
    Revoke {
        /// The program, by its name or the connection's id
        #[arg(value_name = "PROGRAM")]
        program: String,
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// `zoop client …`
#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// List the programs that were ever connected, in all businesses
    List,
}
