//! The command line's grammar and its help. What a command does lives in [`crate::commands`];
//! reading settings lives in [`crate::config`].

mod people;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use people::{Client, Grant, Key, User};

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
    /// The settings' file [default: zoop.toml here, else /etc/zoop/zoop.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }
}
