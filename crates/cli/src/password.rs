//! Reads a password: on a terminal it is typed twice without echo, elsewhere it is the first line of standard
//! input. It is never an argument, because other users of the machine can see a process's arguments.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, Result, bail};

/// The size limit of the input, well above the longest accepted password.
const MAX_BYTES: u64 = 4_096;

/// Asks for a new password.
pub(crate) fn ask() -> Result<String> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        let password = rpassword::prompt_password("New password: ")?;
        if rpassword::prompt_password("Confirm password: ")? != password {
            bail!("the passwords do not match, so nothing was changed: run the command again");
        }
        return Ok(password);
    }
    let mut line = String::new();
    io::Read::take(stdin.lock(), MAX_BYTES)
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
