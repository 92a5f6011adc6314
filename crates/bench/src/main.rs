//! The benchmark: a database of a chosen size, the release binary and its opponents under load, and
//! the report.
//!
//! | module | holds |
//! | --- | --- |
//! | [`generate`] | a seeded database, written through the product's own tools |
//!
//! What must never live here: anything that the product needs, or a way of writing rows that the
//! product does not have.

mod generate;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::generate::Parameters;

#[derive(Parser)]
#[command(name = "zoop-bench", about = "Measures zoop; started by ./bench.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a database and, beside it, a JSON file of what is worth asking it for.
    Generate {
        #[command(flatten)]
        parameters: Parameters,
        /// The new file; without it a file under target/bench named by the parameters, made once.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// Where everything that a benchmark makes is kept.
fn folder() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    target.join("bench")
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate { parameters, out: Some(out) } => {
            generate::to_file(&parameters, &out)?;
        }
        Command::Generate { parameters, out: None } => {
            generate::cached(&parameters)?;
        }
    }
    Ok(())
}
