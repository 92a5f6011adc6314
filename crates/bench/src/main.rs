//! The benchmark: a database of a chosen size, the release binary and its competitors under load, and the
//! report. `./bench` starts it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`generate`] | a seeded database, written through the product's own tools |
//! | [`cases`] | the classes of calls |
//! | [`load`] | callers, and the times of their answers |
//! | [`opponents`] | the servers under load |
//! | [`measure`] | a run |
//! | [`results`], [`report`] | the results, and the report |
//!
//! What must not live here: anything that the product needs, or a way of writing rows that the product does
//! not have.

mod cases;
mod generate;
mod load;
mod measure;
mod opponents;
mod report;
mod results;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Parser, Subcommand};
use zoop_db::Uuid;

use crate::generate::Parameters;
use crate::measure::Plan;
use crate::opponents::peers::Peers;
use crate::opponents::postgres::Moved;
use crate::opponents::server::Zoop;
use crate::opponents::{floor, rmcp};
use crate::results::Results;

#[derive(Parser)]
#[command(name = "zoop-bench", about = "Measures zoop; started by ./bench.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generates a database and, next to it, a JSON file with keys, ids and search terms.
    Generate {
        #[command(flatten)]
        parameters: Parameters,
        /// The new file; by default a file under target/bench named after the parameters, generated once.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Moves a generated database to PostgreSQL, once; `run` does it too.
    Move {
        #[command(flatten)]
        parameters: Parameters,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
    },
    /// Measures everything and writes the report.
    Run {
        /// Customers of the largest database.
        #[arg(long, default_value_t = 1_000_000)]
        customers: u32,
        /// Checks that everything works; its figures are meaningless.
        #[arg(long, conflicts_with = "customers")]
        quick: bool,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
        /// Where `./bench` has put the SDKs' servers and their dependencies.
        #[arg(long)]
        peers: PathBuf,
    },
    /// Measures PostgreSQL again, and writes the report with the other results of the last run.
    Postgres {
        /// Customers of the largest database.
        #[arg(long, default_value_t = 1_000_000)]
        customers: u32,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
        /// Where `./bench` has put the SDKs' servers and their dependencies.
        #[arg(long)]
        peers: PathBuf,
    },
    /// Measures only how long single calls hold the writer, and prints it.
    Holds,
    /// Measures only finding and merging duplicates in one large business, and prints it.
    Duplicates {
        /// Customers of the business.
        #[arg(long, default_value_t = 1_000_000)]
        customers: u32,
    },
    /// Measures only the pages of the console, and prints it.
    Console {
        /// Customers of the database.
        #[arg(long, default_value_t = 100_000)]
        customers: u32,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
        /// The SDKs' servers and their dependencies, prepared by `./bench`.
        #[arg(long)]
        peers: PathBuf,
    },
    /// Measures only one business next to another one that does its worst, on both engines, and prints it.
    Neighbors {
        /// Customers of the database.
        #[arg(long, default_value_t = 50_000)]
        customers: u32,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
        /// The SDKs' servers and their dependencies, prepared by `./bench`.
        #[arg(long)]
        peers: PathBuf,
    },
    /// Measures only an import and an export beside another business's calls, and prints it.
    Moving {
        /// Rows of the imported file.
        #[arg(long, default_value_t = measure::ROWS)]
        rows: u32,
        /// The release binary.
        #[arg(long)]
        zoop: PathBuf,
    },
    /// Writes the report of the last run again.
    Report,
    /// Runs the floor.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        port: u16,
        /// Bytes of an answer.
        #[arg(long)]
        answer: usize,
    },
    /// Runs the Rust SDK's server.
    #[command(hide = true)]
    Rmcp {
        #[arg(long)]
        port: u16,
        #[arg(long)]
        database: PathBuf,
        #[arg(long)]
        tenant: Uuid,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate { parameters, out: Some(out) } => {
            generate::to_file(&parameters, &out)?;
        }
        Command::Generate { parameters, out: None } => {
            generate::cached(&parameters)?;
        }
        Command::Move { parameters, zoop } => {
            let (database, _) = generate::cached(&parameters)?;
            Moved::of(&Zoop { binary: zoop.canonicalize()? }, &database)?;
        }
        Command::Run { customers, quick, zoop, peers } => {
            let (zoop, peers) = (Zoop { binary: zoop.canonicalize()? }, Peers { folder: peers });
            let plan =
                if quick { Plan::quick(zoop, peers)? } else { Plan::full(customers, zoop, peers)? };
            // Meaningless figures must not replace real ones.
            let folder = if quick { plan.folder.clone() } else { report::FOLDER.into() };
            report::write(&measure::run(plan)?, &folder)?;
        }
        Command::Postgres { customers, zoop, peers } => {
            let (zoop, peers) = (Zoop { binary: zoop.canonicalize()? }, Peers { folder: peers });
            let plan = Plan::full(customers, zoop, peers)?;
            report::write(&measure::repeat_postgres(plan)?, Path::new(report::FOLDER))?;
        }
        Command::Holds => say(&report::holds(&measure::measure_holds(&folder()?)?)),
        Command::Duplicates { customers } => {
            say(&report::duplicates(&measure::measure_duplicates(customers)?));
        }
        Command::Console { customers, zoop, peers } => {
            let (zoop, peers) = (Zoop { binary: zoop.canonicalize()? }, Peers { folder: peers });
            let plan = Plan { sizes: vec![customers], ..Plan::full(customers, zoop, peers)? };
            say(&report::console(&measure::measure_console(plan)?));
        }
        Command::Neighbors { customers, zoop, peers } => {
            let (zoop, peers) = (Zoop { binary: zoop.canonicalize()? }, Peers { folder: peers });
            let plan = Plan { sizes: vec![customers], ..Plan::full(customers, zoop, peers)? };
            say(&report::fairness(&measure::measure_neighbors(plan)?));
        }
        Command::Moving { rows, zoop } => {
            let zoop = Zoop { binary: zoop.canonicalize()? };
            say(&report::moving(&measure::measure_moving(&zoop, rows)?));
        }
        Command::Report => report::write(&Results::load(&folder()?)?, Path::new(report::FOLDER))?,
        Command::Floor { port, answer } => floor::serve(port, answer)?,
        Command::Rmcp { port, database, tenant } => rmcp::serve(port, database, tenant)?,
    }
    Ok(())
}

/// The folder for everything that a benchmark makes, as an absolute path, because servers run in other folders.
fn folder() -> Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

/// Prints progress.
fn say(line: &str) {
    eprintln!("{line}");
}
