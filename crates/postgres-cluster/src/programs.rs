//! PostgreSQL's programs on this machine, and the user that runs them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Where Debian's packages install a version's programs.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder of PostgreSQL's programs.
pub(crate) fn folder() -> Result<PathBuf> {
    let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let newest = debian
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, folder)| folder.join("postgres").exists())
        .max();
    if let Some((_, folder)) = newest {
        return Ok(folder);
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&paths);
    folders.find(|folder| folder.join("postgres").exists()).with_context(|| {
        format!(
            "these tests need PostgreSQL: install it (on Debian: apt-get install postgresql), or set \
             {}=postgres://USER:PASSWORD@HOST/DATABASE to a server and one of its superusers",
            crate::VARIABLE
        )
    })
}

/// A command that runs as a user that PostgreSQL's server accepts: any but root.
pub(crate) fn as_ordinary_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

/// Creates a folder that belongs to the user of [`as_ordinary_user`].
pub(crate) fn create_for_ordinary_user(folder: &Path) -> Result<()> {
    let mut install = Command::new("install");
    install.args(["--directory", "--mode=700"]);
    if is_root() {
        install.args(["--owner=postgres", "--group=postgres"]);
    }
    output(install.arg(folder)).map(drop)
}

/// The standard output of a command that must succeed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_owned();
    let output = command.output().with_context(|| format!("cannot run {}", name.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", name.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether this process runs as root, judged by who owns its folder in /proc.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
