//! Reads a password: typed twice without an echo, or one line of standard input. It is never an argument,
//! which other users of the machine could read.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result, bail};

/// Longer than any password.
const MAX_BYTES: u64 = 4_096;

/// Asks for a new password.
pub(crate) fn ask() -> Result<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let typed = rpassword::prompt_password("New password: ")?;
        if rpassword::prompt_password("Confirm password: ")? != typed {
            bail!("the passwords do not match: nothing was changed");
        }
        return Ok(typed);
    }
    let mut line = String::new();
    io::Read::take(stdin.lock(), MAX_BYTES)
        .read_line(&mut line)
        .context("standard input holds no password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
