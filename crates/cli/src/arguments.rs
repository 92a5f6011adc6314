//! The command line's grammar and its help. What a command does lives in [`crate::commands`];
//! reading settings lives in [`crate::config`].

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};
use zoop_crm::access::Scope;

/// Longest key life and overlap: what the tools count seconds in.
const MOST_SECONDS: u64 = u32::MAX as u64;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "zoop",
    version,
    about = "The back end of a field-service business for AI agents: one binary, one MCP endpoint.",
    after_help = "Start with `zoop demo`: it makes a sample business and prints a ready curl.\n\n\
        Settings come from flags, then ZOOP_* variables, then zoop.toml in the current folder;\n\
        `zoop serve --print-config` shows them. Exit codes: 0 done, 1 failed, 2 usage."
)]
pub(crate) struct Arguments {
    #[arg(long, global = true, value_name = "URL")]
    #[arg(help = "The database [default: sqlite://zoop.db] [env: ZOOP_DATABASE]")]
    pub(crate) database: Option<String>,
    /// Print exactly one JSON object on stdout; logs and progress stay on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Every command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// From nothing to a running endpoint: a sample business, its keys, and the server
    #[command(after_help = "The sample business goes into the database of all other commands \
        (zoop.db), so `zoop key create` and the others work beside it as they are. A database \
        with any other business in it is never touched; one that `zoop demo` made is used again, \
        with fresh keys.\n\nExamples:\n  zoop demo\n  zoop demo --listen 127.0.0.1:9000\n  \
        zoop demo --database sqlite:///tmp/try.db --json")]
    Demo(Listening),
    /// Run the server
    #[command(after_help = "Examples:\n  zoop serve\n  zoop serve --listen 0.0.0.0:8080 \
        --public-url https://crm.example.com\n  zoop serve --print-config --json")]
    Serve(Serve),
    /// Businesses
    #[command(subcommand)]
    Tenant(Tenant),
    /// The people of a business
    #[command(subcommand)]
    User(User),
    /// API keys
    #[command(subcommand)]
    Key(Key),
    /// The programs that people have connected
    #[command(subcommand)]
    Grant(Grant),
    /// The programs themselves
    #[command(subcommand)]
    Client(Client),
    /// Attach tags to customers and detach them
    #[command(subcommand)]
    Tag(Tag),
    /// Bring an archived record back
    #[command(
        after_help = "Example:\n  zoop restore customer 0198c0de-0000-7000-8000-000000000000"
    )]
    Restore(Restore),
    /// Who changed what, newest first
    History(History),
    /// Call a tool of a running server
    #[command(after_help = "Examples:\n  export ZOOP_API_KEY=zoop_uk_…\n  \
        zoop call customers.search '{\"q\":\"reyes\"}'\n  \
        zoop call notes.create - < note.json")]
    Call(Call),
    /// Bring the database's schema up to date; makes the database if there is none
    Migrate,
    /// Check the installation and the database
    Doctor,
    /// Copy the database, consistently and while it is in use, to a file
    #[command(after_help = "Example:\n  zoop backup zoop-$(date +%F).db")]
    Backup(Backup),
    /// Copy everything from one database into another, new one, of the same kind or the other
    #[command(
        after_help = "The copy is of one moment: what is written while it runs, or after it, \
        stays behind, so stop the servers first. The target is marked as unfinished until all of it \
        has arrived and was compared.\n\nExamples:\n  zoop copy --from sqlite://zoop.db --to \
        postgres://zoop@db.example.com/zoop\n  zoop copy --from postgres://zoop@db.example.com/zoop \
        --to sqlite://zoop.db"
    )]
    Copy(Copy),
    /// Put a backup in the database's place; no server may be running on it
    #[command(after_help = "Example:\n  zoop restore-backup zoop-2026-06-13.db --force")]
    RestoreBackup(Backup),
}

/// Where a server listens.
#[derive(Debug, Default, Args)]
pub(crate) struct Listening {
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address and port of the endpoint \
        [default: 127.0.0.1:8080] [env: ZOOP_SERVER_LISTEN]"
    )]
    pub(crate) listen: Option<String>,
    #[arg(
        long,
        value_name = "URL",
        help = "The address that clients use, needed to listen \
        beyond this machine [env: ZOOP_SERVER_PUBLIC_URL]"
    )]
    pub(crate) public_url: Option<String>,
}

/// `zoop serve`
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) listening: Listening,
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Address and port of the metrics, or none \
        [default: 127.0.0.1:9090] [env: ZOOP_SERVER_OPS_LISTEN]"
    )]
    pub(crate) ops_listen: Option<String>,
    /// Refuse to start on an old schema instead of migrating it
    #[arg(long)]
    pub(crate) no_migrate: bool,
    /// Print the settings with secrets hidden, and stop
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// Which business a command is about.
#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// The business; may be left out when there is only one
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

/// `zoop tenant …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Create a business and its owner; makes the database if there is none
    #[command(after_help = "Example:\n  zoop tenant create --name \"Copper Creek Plumbing\" \
        --owner-name \"Dana Whitfield\" --owner-email dana@example.com")]
    Create {
        /// The business's name
        #[arg(long)]
        name: String,
        /// The owner's name
        #[arg(long, value_name = "NAME")]
        owner_name: String,
        /// The owner's e-mail address
        #[arg(long, value_name = "EMAIL")]
        owner_email: String,
        /// Country of telephone numbers without a country code [default: US]
        #[arg(long)]
        country: Option<String>,
    },
    /// List the businesses
    List,
}

/// The parser of a role.
fn roles() -> PossibleValuesParser {
    ["owner", "office", "tech"].into()
}

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
        /// What they may do
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// List the people of a business
    List {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Change what a person may do; acts on the next request of their keys
    SetRole {
        /// The person
        user_id: String,
        /// What they may do from now on
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
        /// What they will be allowed to do
        #[arg(long, value_parser = roles())]
        role: String,
    },
    /// Give a person a password; ends their sessions
    #[command(after_help = "Asks for it twice on a terminal; elsewhere it is the first line of \
        standard input.\n\nExample:\n  zoop user set-password dana@example.com")]
    SetPassword {
        /// The person, by id or e-mail address
        #[arg(value_name = "USER_ID|EMAIL")]
        person: String,
    },
    /// Turn a person's second factor off, for whoever lost it and the recovery codes
    ResetSecondFactor {
        /// The person, by id or e-mail address
        #[arg(value_name = "USER_ID|EMAIL")]
        person: String,
    },
    /// Remove a person; their keys stop at once
    Remove {
        /// The person
        user_id: String,
        #[command(flatten)]
        of: OfTenant,
    },
}

/// `zoop key …`
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key and show it, once
    #[command(after_help = "Examples:\n  zoop key create --scope read:customers --scope \
        read:notes --name reporting\n  zoop key create --user USER_ID --scope \
        read:customers,write:customers --expires 90d")]
    Create {
        #[command(flatten)]
        of: OfTenant,
        /// The person it acts for; without it the key is the business's own
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// What it may do; repeat it or separate several by commas
        #[arg(long, required = true, value_parser = scopes)]
        scope: Vec<String>,
        /// What to know it by
        #[arg(long)]
        name: Option<String>,
        /// When it stops by itself, for example 90d
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires: Option<Duration>,
        /// Requests that it may make in a rolling minute
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
    },
    /// List a business's keys, without their secrets
    List {
        #[command(flatten)]
        of: OfTenant,
    },
    /// Stop a key at once
    Revoke {
        /// The key's id, as `zoop key list` shows it
        key_id: String,
    },
    /// Replace a key by a new one with the same name, scopes and limits
    Rotate {
        /// The key's id, as `zoop key list` shows it
        key_id: String,
        /// How long the old key still works, for example 24h; without it, it stops at once
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
        /// The connection's id, as `zoop grant list` shows it
        grant_id: String,
    },
}

/// `zoop client …`
#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// List the programs that somebody has ever connected, of all businesses
    List,
}

/// `zoop tag …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tag {
    /// Attach a tag to a customer
    Attach(Assignment),
    /// Detach a tag from a customer
    Detach(Assignment),
}

/// A tag and a customer.
#[derive(Debug, Args)]
pub(crate) struct Assignment {
    /// The tag
    pub(crate) tag_id: String,
    /// The customer
    pub(crate) customer_id: String,
    #[command(flatten)]
    pub(crate) of: OfTenant,
}

/// `zoop restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The kind of record
    #[arg(value_parser = ["customer", "contact", "location", "note"])]
    pub(crate) kind: String,
    /// The record
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) of: OfTenant,
}

/// `zoop history`
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) of: OfTenant,
    /// Only what touched this record
    #[arg(long, value_name = "ID")]
    pub(crate) record: Option<String>,
    /// Entries at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

/// `zoop call`
#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The tool, for example customers.search
    pub(crate) tool: String,
    /// Its arguments, a JSON object; - reads them from stdin
    #[arg(default_value = "{}")]
    pub(crate) arguments: String,
    #[arg(
        long,
        help = "The server's base address [default: where the settings put it] \
        [env: ZOOP_URL]"
    )]
    pub(crate) url: Option<String>,
    #[arg(
        long,
        help = "The API key; better set as ZOOP_API_KEY, which `ps` does not show to \
        others [env: ZOOP_API_KEY]"
    )]
    pub(crate) key: Option<String>,
}

/// A backup's file.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The backup's file
    pub(crate) path: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub(crate) force: bool,
}

/// `zoop copy`
#[derive(Debug, Args)]
pub(crate) struct Copy {
    #[arg(long, value_name = "URL", help = "The database that is copied [default: --database]")]
    pub(crate) from: Option<String>,
    /// The database that is made: a file that is not there yet, or an empty one of a server
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
}

/// One `--scope`: a list with commas or spaces, every name in it known. It becomes the list with
/// spaces that the tool takes.
fn scopes(list: &str) -> Result<String, String> {
    let names: Vec<&str> = list.split([',', ' ']).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names.iter().find(|name| Scope::parse(name).is_none()) {
        let known: Vec<_> = Scope::GRANTABLE.iter().map(|scope| scope.name()).collect();
        return Err(format!("there is no scope {unknown:?}; there are {}", known.join(", ")));
    }
    if names.is_empty() { Err("name a scope".to_owned()) } else { Ok(names.join(" ")) }
}

/// A duration of whole seconds, at least one.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text)
        .map_err(|_| "write a duration such as 30s, 5m, 24h or 90d".to_owned())?;
    match duration.as_secs() {
        1..=MOST_SECONDS => Ok(duration),
        0 => Err("it must be at least one second".to_owned()),
        _ => Err("it is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn scopes_are_lists_of_known_names() {
        assert_eq!(scopes("read:customers, write:notes"), Ok("read:customers write:notes".into()));
        assert!(scopes("read:everything").is_err());
        assert!(scopes("operate").is_err(), "the operator's scope is never granted");
        assert!(scopes(" , ").is_err());
    }

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(duration("90d").map(|d| d.as_secs()), Ok(90 * 86_400));
        assert!(duration("10ms").is_err());
        assert!(duration("200years").is_err());
        assert!(duration("soon").is_err());
    }
}
