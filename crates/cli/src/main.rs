//! The `zoop` binary: the command line of the whole product.
//!
//! | module | holds |
//! | --- | --- |
//! | [`arguments`] | the grammar and the help |
//! | [`config`] | the settings: flags, variables, one file |
//! | [`url`] | hides user and password in URLs |
//! | [`output`], [`table`] | stdout and stderr; tables |
//! | [`password`], [`confirmation`] | password input; questions before irreversible commands |
//! | [`database`] | opening the database |
//! | [`presence`] | whether another process has an embedded database open |
//! | [`operator`] | running the catalog's tools directly on the database |
//! | [`names`] | finding records by name |
//! | [`server_address`] | the address of this database's server |
//! | [`file_store`] | comparing and copying the content of files |
//! | [`hosting`], [`logging`] | running a server in this process, and its log |
//! | [`service`] | the service manager and signals |
//! | [`commands`] | the commands |
//!
//! What must not live here: a rule of the product, SQL, or the protocol.

mod arguments;
mod commands;
mod config;
mod confirmation;
mod database;
mod file_store;
mod hosting;
mod logging;
mod names;
mod operator;
mod output;
mod password;
mod presence;
mod server_address;
mod service;
mod table;
mod url;

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Command, Listening};
use crate::config::{Config, Flag, Search};
use crate::output::Output;

fn main() -> ExitCode {
    // clap prints help, version and usage errors itself, and exits with 0 or 2.
    let arguments = Arguments::parse();
    let mut stdout = io::stdout().lock();
    let mut output = Output::new(&mut stdout, arguments.json);
    match run(arguments, &mut output) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // The reader has closed the pipe, as `head` does.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs a command. Returns false only if `zoop doctor` found a problem.
fn run(arguments: Arguments, output: &mut Output<'_>) -> Result<bool> {
    let settings = load(&arguments);
    match arguments.command {
        // These two use no settings, so that invalid settings cannot break the build of a package.
        Command::Completions { shell } => commands::shell::completions(shell, output)?,
        Command::Man { dir } => commands::shell::man(&dir, output)?,
        Command::Doctor => return commands::doctor::run(settings, output),
        Command::Demo(command) => commands::demo::run(&settings?, &command, output)?,
        Command::Serve(command) => commands::serve::run(&settings?, &command, output)?,
        Command::Tenant(command) => commands::tenant::run(&settings?, &command, output)?,
        Command::User(command) => commands::user::run(&settings?, command, output)?,
        Command::Key(command) => commands::key::run(&settings?, command, output)?,
        Command::Grant(command) => commands::grant::run(&settings?, command, output)?,
        Command::Client(command) => commands::client::run(&settings?, &command, output)?,
        Command::Tag(command) => commands::tag::run(&settings?, command, output)?,
        Command::Quote(command) => commands::quote::run(&settings?, command, output)?,
        Command::Restore(command) => commands::restore::run(&settings?, command, output)?,
        Command::History(command) => commands::history::run(&settings?, command, output)?,
        Command::Undo(command) => commands::undo::run(&settings?, command, output)?,
        Command::Import(command) => commands::import::run(&settings?, &command, output)?,
        Command::Erase(command) => commands::erase::run(&settings?, &command, output)?,
        Command::Call(command) => commands::call::run(&settings?, command, output)?,
        Command::Migrate => commands::migrate::run(&settings?, output)?,
        Command::Copy(command) => commands::copy::run(&settings?, &command, output)?,
        Command::Export(command) => commands::account::export(&settings?, &command, output)?,
        Command::RestoreAccount(command) => {
            commands::account::restore(&settings?, &command, output)?;
        }
        Command::Files(command) => commands::files::run(&settings?, &command, output)?,
        Command::Backup(command) => commands::backup::backup(&settings?, &command, output)?,
        Command::RestoreBackup(command) => {
            commands::backup::restore(&settings?, &command, output)?;
        }
    }
    Ok(true)
}

/// Reads the settings; the command's flags take precedence.
fn load(arguments: &Arguments) -> Result<Config> {
    let none = Listening::default();
    let (listening, ops_listen) = match &arguments.command {
        Command::Demo(demo) => (&demo.listening, None),
        Command::Serve(serve) => (&serve.listening, serve.ops_listen.as_ref()),
        _ => (&none, None),
    };
    let search = match (&arguments.config, &arguments.command) {
        (Some(path), _) => Search::File(path),
        // The current folder's file is not used, because its author could have the key sent to them.
        (None, Command::Call(_)) => Search::Machine,
        (None, _) => Search::Default,
    };
    let flag = |key, name, value| Flag { key, name, value };
    config::load(
        search,
        &[
            flag("database", "--database", arguments.database.as_ref()),
            flag("server.listen", "--listen", listening.listen.as_ref()),
            flag("server.public_url", "--public-url", listening.public_url.as_ref()),
            flag("server.ops_listen", "--ops-listen", ops_listen),
        ],
    )
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}
