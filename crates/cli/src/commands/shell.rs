//! `zoop completions` and `zoop man`: shell completions and man pages, generated from the command line's
//! grammar.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::arguments::Arguments;
use crate::output::Output;

/// Runs `zoop completions`.
pub(crate) fn completions(shell: Shell, output: &mut Output<'_>) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "zoop", &mut script);
    let script = String::from_utf8(script).context("the script is not text")?;
    output.answer(&json!({ "shell": shell.to_string(), "script": script }), || script.clone())?;
    Ok(())
}

/// Runs `zoop man`.
pub(crate) fn man(dir: &Path, output: &mut Output<'_>) -> Result<()> {
    fs::create_dir_all(dir)
        .with_context(|| format!("cannot create the folder {}", dir.display()))?;
    clap_mangen::generate_to(Arguments::command(), dir)
        .with_context(|| format!("cannot write to {}", dir.display()))?;
    output
        .answer(&json!({ "dir": dir }), || format!("wrote the man pages to {}", dir.display()))?;
    Ok(())
}
