//! [`Cluster`]: a separate server.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::database::Database;
use crate::programs;

/// Runs the server (`$2…`) until it reads a line, which names the signal to stop it with. If the input is
/// closed instead, the owner of the cluster has died, and the folder (`$1`) is removed too.
const KEEPER: &str = r#"
folder=$1; shift
"$@" &
server=$!
if read -r signal; then kill -s "$signal" "$server"; wait "$server"
else kill -s INT "$server"; wait "$server"; rm -rf "$folder"; fi
"#;

/// The server's message when it accepts clients.
const READY: &str = "database system is ready to accept ";

/// Options for a server with some gigabytes of memory.
const SIZED: &[&str] = &[
    "shared_buffers=2GB",
    "effective_cache_size=8GB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
];

/// Whether a commit survives a crash of the machine. It always survives a crash of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It may be lost: tests are faster.
    Off,
    /// It survives.
    On,
}

/// Who may connect to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Anyone who reaches the socket.
    Open,
    /// Anyone with a password.
    Password,
}

/// The superuser's password, if passwords are on.
const PASSWORD: &str = "zoop_superuser";

/// A server with a socket in a temporary folder, and its data there too unless it is kept. Dropping it, or
/// the end of this process, stops the server and removes the folder.
pub struct Cluster {
    folder: PathBuf,
    data: PathBuf,
    door: Door,
    durability: Durability,
    sized: &'static [&'static str],
    keeper: Child,
}

impl Cluster {
    /// Starts a cluster that need not survive a crash of the machine.
    pub fn start() -> Result<Self> {
        Self::start_with(Durability::Off)
    }

    /// Starts a cluster.
    pub fn start_with(durability: Durability) -> Result<Self> {
        let folder = socket_folder()?;
        let data = folder.join("data");
        Self::start_in(folder, data, Door::Open, durability, &[])
    }

    /// Starts a cluster that asks every role for a password.
    pub fn start_with_passwords() -> Result<Self> {
        let folder = socket_folder()?;
        let data = folder.join("data");
        Self::start_in(folder, data, Door::Password, Durability::Off, &[])
    }

    /// Starts a cluster whose data stays in a folder, which is created if it does not exist, on a server sized
    /// for a machine that does little else.
    pub fn start_kept(data: &Path) -> Result<Self> {
        if !data.exists() {
            programs::make_for_ordinary_user(data)?;
        }
        Self::start_in(socket_folder()?, data.to_owned(), Door::Open, Durability::On, SIZED)
    }

    fn start_in(
        folder: PathBuf,
        data: PathBuf,
        door: Door,
        durability: Durability,
        sized: &'static [&'static str],
    ) -> Result<Self> {
        let bin = programs::folder()?;
        let prepared = if data.join("PG_VERSION").exists() {
            Ok(())
        } else {
            initialize(&bin, &folder, &data, door)
        };
        let started = prepared.and_then(|()| keep(&bin, &folder, &data, durability, sized));
        let keeper = started.inspect_err(|_| {
            // No other owner exists yet.
            let _ = std::fs::remove_dir_all(&folder);
        })?;
        Ok(Self { folder, data, door, durability, sized, keeper })
    }

    /// The superuser's URL.
    pub fn url(&self) -> String {
        self.superuser_url("postgres")
    }

    /// The superuser's URL of a database.
    pub fn superuser_url(&self, name: &str) -> String {
        let folder = self.folder.display();
        match self.door {
            Door::Open => format!("postgres:///{name}?host={folder}&user=postgres"),
            Door::Password => {
                let host = folder.to_string().replace('/', "%2F");
                format!("postgres://postgres:{PASSWORD}@{host}/{name}")
            }
        }
    }

    /// The server's socket, for a proxy between it and a client.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// The application's URL of a database that stays with the cluster's data, created if it does not exist.
    pub fn kept_database(&self, name: &str) -> Result<String> {
        Database::keep(&self.url(), name)
    }

    /// A new database with the contents of another, which must not be open meanwhile.
    pub fn copy_of(&self, name: &str) -> Result<Database> {
        Database::create_from(&self.url(), name)
    }

    /// A new empty database; see [`Database`].
    pub fn fresh_database(&self) -> Result<Database> {
        Database::create(&self.url())
    }

    /// Stops the server as a crash would, without notifying its clients; the data stays.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.stop("QUIT")
    }

    /// Starts a stopped server again, on the same data.
    pub fn restart(&mut self) -> Result<()> {
        self.keeper =
            keep(&programs::folder()?, &self.folder, &self.data, self.durability, self.sized)?;
        Ok(())
    }

    /// The same as a standby, which accepts no writes until `pg_promote()` is called.
    pub fn restart_as_standby(&mut self) -> Result<()> {
        std::fs::write(self.data.join("standby.signal"), "")?;
        self.restart()
    }

    fn stop(&mut self, signal: &str) -> Result<()> {
        let mut input = self.keeper.stdin.take().context("the server is already stopped")?;
        writeln!(input, "{signal}")?;
        drop(input);
        self.keeper.wait()?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The keeper of a stopped server has left the folder behind.
        let was_running = self.keeper.stdin.take().is_some();
        let _ = self.keeper.wait();
        if !was_running {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A new folder for a server's socket. Always under /tmp, even if TMPDIR is set: the server's user must reach
/// it, and the path of a socket is limited to a hundred characters.
fn socket_folder() -> Result<PathBuf> {
    let mut mktemp = programs::as_ordinary_user(Path::new("mktemp"));
    let made = programs::output(mktemp.args(["-d", "/tmp/zoop-postgres.XXXXXX"]))?;
    Ok(PathBuf::from(made.trim()))
}

/// Initializes a cluster's data.
fn initialize(bin: &Path, folder: &Path, data: &Path, door: Door) -> Result<()> {
    let mut initdb = programs::as_ordinary_user(&bin.join("initdb"));
    initdb.arg("--pgdata").arg(data);
    initdb.args(["--username=postgres", "--encoding=UTF8", "--no-locale"]);
    initdb.args(["--no-sync", "--no-instructions"]);
    match door {
        Door::Open => {
            initdb.arg("--auth=trust");
        }
        Door::Password => {
            let file = folder.join("password");
            std::fs::write(&file, PASSWORD)?;
            initdb.arg("--auth=scram-sha-256").arg("--pwfile").arg(file);
        }
    }
    programs::output(&mut initdb).map(drop)
}

/// Starts a server and its keeper, and waits until it accepts clients.
fn keep(
    bin: &Path,
    folder: &Path,
    data: &Path,
    durability: Durability,
    sized: &[&str],
) -> Result<Child> {
    let fsync = match durability {
        Durability::Off => "fsync=off",
        Durability::On => "fsync=on",
    };
    let mut keeper = programs::as_ordinary_user(Path::new("sh"));
    keeper.args(["-c", KEEPER, "sh"]).arg(folder).arg(bin.join("postgres"));
    keeper.arg("-D").arg(data).arg("-k").arg(folder);
    for setting in [
        fsync,
        "listen_addresses=",
        // Every test has an engine of its own, and tests run in parallel.
        "max_connections=400",
        "lc_messages=C",
        // The server logs to this process.
        "logging_collector=off",
    ]
    .iter()
    .chain(sized)
    {
        keeper.args(["-c", setting]);
    }
    let mut keeper =
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let log = keeper.stderr.take().context("the server has no log")?;
    let mut lines = BufReader::new(log).lines();
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line?;
        if line.contains(READY) {
            // If the log were not read, the server would block.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(keeper);
        }
        said.push_str(&line);
        said.push('\n');
    }
    let _ = keeper.wait();
    bail!("the PostgreSQL server did not start: {said}")
}
