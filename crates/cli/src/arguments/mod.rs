//! The grammar and the help of the command line. The commands are in [`crate::commands`], the settings in
//! [`crate::config`].

mod account_data;
mod database;
mod people;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use account_data::{Erase, Export, Import, RestoreAccount};
pub(crate) use database::{Backup, BackupFile, Copy, Files, RestoreBackup};
pub(crate) use people::{Client, Grant, Key, User};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "zoop",
    version,
    about = "The back end of a field-service business for AI agents: one binary, one MCP endpoint.",
    after_help = "Start with `zoop demo`: it creates a sample business and prints a ready curl.\n\n\
        Settings come from flags, then ZOOP_* variables, then one file: the one that --config names, \
        otherwise zoop.toml in the current folder, otherwise /etc/zoop/zoop.toml. \
        `zoop serve --print-config` shows them. Exit codes: 0 done, 1 failed, 2 usage.",
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[arg(long, global = true, value_name = "URL")]
    #[arg(help = "The database [default: sqlite://zoop.db] [env: ZOOP_DATABASE]")]
    pub(crate) database: Option<String>,
    /// The settings file [default: zoop.toml here, otherwise /etc/zoop/zoop.toml]
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
    /// Create a sample business and serve it
    #[command(after_help = "The sample business is in the database that all other commands use \
        (zoop.db), so `zoop key create` and the others work with it directly. A database \
        that contains any other business is refused; one that `zoop demo` created is reused, \
        with the password and the keys that it last printed.\n\nExamples:\n  zoop demo\n  \
        zoop demo --listen 127.0.0.1:9000\n  zoop demo --clients\n  \
        zoop demo --database sqlite:///tmp/try.db --json")]
    Demo(Demo),
    /// Run the server
    #[command(after_help = "Examples:\n  zoop serve\n  \
        zoop serve --listen 0.0.0.0:8080 --public-url https://crm.example.com\n  zoop serve --print-config --json")]
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
    /// Programs that people have connected
    #[command(subcommand)]
    Grant(Grant),
    /// Programs of the whole installation
    #[command(subcommand)]
    Client(Client),
    /// Attach tags to customers and detach them
    #[command(subcommand)]
    Tag(Tag),
    /// Set the lines of quotes
    #[command(subcommand)]
    Quote(Quote),
    /// Restore an archived record
    #[command(after_help = "Examples:\n  zoop restore customer C-0042\n  \
        zoop restore note 0198c0de-0000-7000-8000-000000000000")]
    Restore(Restore),
    /// Show who changed what, newest first
    History(History),
    /// Undo one change that `zoop history` shows
    #[command(after_help = "Example:\n  zoop undo 0198c0de-0000-7000-8000-000000000000 --dry-run")]
    Undo(Undo),
    /// Add the customers of a file (CSV, XLSX or vCard) to a business
    #[command(
        after_help = "Without --plan or --yes it shows what it would do, and asks on a terminal. Columns of \
        Jobber, Housecall Pro, ServiceTitan, QuickBooks, Square, HubSpot, Google Contacts and Outlook are known.\n\n\
        Examples:\n  zoop import clients.csv\n  \
        zoop import clients.csv --default service_state=CA\n  \
        zoop import clients.csv --column 'Gate=service_notes'\n  \
        zoop import clients.csv --keep-going --rejected rejected.csv --yes\n  \
        zoop import --undo 0198c0de-0000-7000-8000-000000000000"
    )]
    Import(Import),
    /// Erase a customer who asks to be forgotten, for good
    #[command(
        after_help = "It shows what it would erase, and asks on a terminal. Then it erases the values in every table, in \
        the history and in the files of notes, and writes the database again, so that its file has nothing of them \
        either: that takes room for a second copy, and writes wait meanwhile. Backups are not changed.\n\n\
        Examples:\n  zoop erase --customer C-0042 --dry-run\n  \
        zoop erase --customer C-0042 --certificate erased.json --yes"
    )]
    Erase(Erase),
    /// Call a tool of a running server
    #[command(after_help = "Examples:\n  export ZOOP_API_KEY=zoop_uk_…\n  \
        zoop call customers.search '{\"q\":\"reyes\"}'\n  \
        zoop call notes.create - < note.json")]
    Call(Call),
    /// Bring the database's schema up to date; creates a missing database
    Migrate,
    /// Check the installation and the database
    Doctor,
    /// Copy the database to a file, consistently even while it is in use
    #[command(
        after_help = "The content of files on notes is copied to a folder beside the backup, \
        here zoop.bak-files. What an earlier run has copied there is not copied again.\n\n\
        Examples:\n  zoop backup zoop-$(date +%F).db\n  zoop backup zoop.bak --force"
    )]
    Backup(Backup),
    /// Write all that a business has stored to a folder
    #[command(
        after_help = "The folder gets tables for spreadsheets, the contacts for address books, the \
        content of files on notes, and all records as JSON lines, with which `zoop restore-account` \
        brings the business back. Passwords and keys are not in it. A running server goes on.\n\n\
        Example:\n  zoop export --tenant \"Copper Creek\" --to copper-creek"
    )]
    Export(Export),
    /// Bring back a business that `zoop export` wrote, into an empty one
    #[command(
        after_help = "Without --tenant, the business gets the id that it had, and is created if it \
        is not there. An export is not a credential: its people are pending members until they \
        confirm their mailbox, and its API keys are revoked. All of it comes back, or nothing. On \
        SQLite, writes of other businesses wait until it is done.\n\nExample:\n  \
        zoop restore-account copper-creek"
    )]
    RestoreAccount(RestoreAccount),
    /// The store of files on notes
    #[command(subcommand)]
    Files(Files),
    /// Copy everything into a new database of the same or the other engine
    #[command(after_help = "Writes made after the copy begins are not copied, so stop the \
        servers first. Without --while-running, a source that a server has open is refused. \
        The target is marked as incomplete until everything has been copied and compared.\n\nExamples:\n  zoop copy --to \
        postgres://zoop@db.example.com/zoop\n  \
        zoop copy --from postgres://zoop@db.example.com/zoop --to sqlite://zoop.db")]
    Copy(Copy),
    /// Replace the database with a backup; no server may be running on it
    #[command(after_help = "Example:\n  zoop restore-backup zoop-2026-06-13.db --force")]
    RestoreBackup(RestoreBackup),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  zoop completions bash > \
        /etc/bash_completion.d/zoop")]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the man pages, one file for each command
    #[command(after_help = "Example:\n  zoop man --dir /usr/local/share/man/man1")]
    Man {
        /// The folder to write them to
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// `zoop demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    pub(crate) listening: Listening,
    /// Create a new password and new keys; earlier ones stop working
    #[arg(long)]
    pub(crate) renew: bool,
    /// Print how to connect Claude, Cursor and other clients, and stop
    #[arg(long, conflicts_with = "renew")]
    pub(crate) clients: bool,
}

/// The flag of commands that ask for confirmation.
#[derive(Debug, Args)]
pub(crate) struct Confirmation {
    /// Do not ask for confirmation (without a terminal, the command never asks)
    #[arg(long)]
    pub(crate) yes: bool,
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

/// The business that a command is about.
#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// The business; may be omitted when there is only one
    #[arg(long, value_name = "ID|NAME")]
    pub(crate) tenant: Option<String>,
}

/// `zoop tenant …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tenant {
    /// Create a business and its owner; creates a missing database
    #[command(
        override_usage = "zoop tenant create [OPTIONS] --name <NAME>\n         \
            --owner-name <NAME> --owner-email <EMAIL>",
        after_help = "Example:\n  zoop tenant create --name \"Copper Creek\" \\\n    \
            --owner-name \"Dana Whitfield\" --owner-email dana@example.com"
    )]
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
        /// Country of phone numbers without a country code [default: US]
        #[arg(long)]
        country: Option<String>,
        #[arg(
            long,
            value_name = "ZONE",
            help = "Time zone of dates, such as America/New_York [default: UTC]"
        )]
        time_zone: Option<String>,
        /// Currency of amounts, such as USD [default: the country's]
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
    },
    /// Change a business's name, country, time zone or currency
    #[command(
        override_usage = "zoop tenant update [OPTIONS]",
        after_help = "Send at least one of --name, --country, --time-zone and --currency.\n\n\
            Example:\n  zoop tenant update --time-zone America/Los_Angeles"
    )]
    Update {
        #[command(flatten)]
        of: OfTenant,
        #[command(flatten)]
        changes: TenantChanges,
    },
    /// List the businesses
    List,
}

/// What `zoop tenant update` changes.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct TenantChanges {
    /// The business's new name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Country of phone numbers without a country code
    #[arg(long)]
    pub(crate) country: Option<String>,
    #[arg(
        long,
        value_name = "ZONE",
        value_parser = values::time_zone,
        help = "Time zone of dates, such as America/New_York"
    )]
    pub(crate) time_zone: Option<String>,
    /// Currency of amounts, such as USD
    #[arg(long, value_name = "CODE", value_parser = values::currency)]
    pub(crate) currency: Option<String>,
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
    /// The tag, by its name or id
    #[arg(value_name = "TAG")]
    pub(crate) tag: String,
    /// The customer, by number or id
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    #[command(flatten)]
    pub(crate) of: OfTenant,
}

/// `zoop quote …`
#[derive(Debug, Subcommand)]
pub(crate) enum Quote {
    /// Replace the lines of a draft quote by those of a file
    #[command(
        after_help = "The file has a JSON object: {\"line_items\": [{\"description\": \"Pipe\", \"quantity\": 2, \
        \"unit_price\": \"8.50\"}], \"tax_rate_id\": \"none\"}. A line may have section, catalog_item_id, \
        discount_percent, taxable and tax_rate_id too.\n\nExample:\n  zoop quote lines 0198c0de-0000-7000-8000-000000000000 lines.json"
    )]
    Lines {
        /// The quote's id
        #[arg(value_name = "QUOTE_ID")]
        quote: String,
        /// The file; - reads stdin
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        of: OfTenant,
    },
}

/// `zoop restore`
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The kind of record
    #[arg(value_enum)]
    pub(crate) kind: Restorable,
    /// The record's id; for a customer also the number or full name
    #[arg(value_name = "RECORD")]
    pub(crate) record: String,
    #[command(flatten)]
    pub(crate) of: OfTenant,
}

/// The kinds of records that can be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Restorable {
    Customer,
    Contact,
    Location,
    Note,
    #[value(name = "tax_rate")]
    TaxRate,
    #[value(name = "catalog_item")]
    CatalogItem,
    Quote,
    Job,
}

impl Restorable {
    /// The word for this kind of record.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Contact => "contact",
            Self::Location => "location",
            Self::Note => "note",
            Self::TaxRate => "tax rate",
            Self::CatalogItem => "catalog item",
            Self::Quote => "quote",
            Self::Job => "job",
        }
    }
}

/// `zoop history`
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) of: OfTenant,
    /// Only changes of this record: its id, name, number or e-mail address
    #[arg(long, value_name = "RECORD")]
    pub(crate) record: Option<String>,
    /// The maximum number of entries to show; 0 for no limit
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
}

/// `zoop undo`
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The change's id, as `zoop history` shows it
    #[arg(value_name = "CHANGE")]
    pub(crate) entry: String,
    /// Only show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) of: OfTenant,
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
        help = "The server's base address [default: according to the settings] \
        [env: ZOOP_URL]"
    )]
    pub(crate) url: Option<String>,
    #[arg(
        long,
        help = "The API key; better set ZOOP_API_KEY, which `ps` does not show to \
        others [env: ZOOP_API_KEY]"
    )]
    pub(crate) key: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// All commands and subcommands, each with the words that invoke it.
    fn commands(of: &clap::Command, path: &str, all: &mut Vec<(String, clap::Command)>) {
        let path = format!("{path} {}", of.get_name());
        all.push((path.clone(), of.clone()));
        for inner in of.get_subcommands() {
            commands(inner, &path, all);
        }
    }

    #[test]
    fn help_texts_fit_eighty_columns_and_break_no_words() {
        let mut root = Arguments::command();
        root.build();
        let mut all = Vec::new();
        commands(&root, "", &mut all);
        assert!(all.len() > 30, "{}", all.len());
        let words = |help: &str| help.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (path, command) in all {
            for render in [clap::Command::render_help, clap::Command::render_long_help] {
                let render = |width| render(&mut command.clone().term_width(width)).to_string();
                let help = render(80);
                let wide = help.lines().find(|line| line.chars().count() > 80);
                assert_eq!(wide, None, "{path}");
                assert_eq!(words(&help), words(&render(10_000)), "{path}");
                // An example must be on one line, so that it can be copied.
                let examples = |help: &str| {
                    let lines = help.lines().filter(|line| line.starts_with("  zoop "));
                    lines.map(str::to_owned).collect::<Vec<_>>()
                };
                assert_eq!(examples(&help), examples(&render(10_000)), "{path}");
            }
        }
    }
}
