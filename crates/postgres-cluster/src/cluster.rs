//! [`Cluster`]: a PostgreSQL server for tests.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::database::Database;
use crate::programs;

/// Runs the server (`$2…`) until a line is read from standard input; the line names the signal that stops the
/// server. If the input is closed instead, the owner of the cluster has died, and the folder (`$1`) is removed
/// too.
const KEEPER: &str = r#"
folder=$1; shift
"$@" &
server=$!
if read -r signal; then kill -s "$signal" "$server"; wait "$server"
else kill -s INT "$server"; wait "$server"; rm -rf "$folder"; fi
"#;

/// The server's message when it accepts clients.
const READY: &str = "database system is ready to accept ";

/// Where folders are on disk, and where they are in memory.
const ON_DISK: &str = "/tmp";
const IN_MEMORY: &str = "/dev/shm";

/// The bytes that must be free in memory for a cluster: a cluster of all tests uses less than one gigabyte.
const ROOM_IN_MEMORY: u64 = 2 << 30;

/// Settings for a machine with gigabytes of memory to spare.
const MEMORY_SETTINGS: &[&str] = &[
    "shared_buffers=2GB",
    "effective_cache_size=8GB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
];

/// Whether commits survive a crash of the machine. They always survive a crash of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Commits may be lost, which makes tests faster.
    Off,
    /// Commits survive.
    On,
}

/// Who may connect to a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Authentication {
    /// Anyone who can open the socket.
    None,
    /// Anyone with a password.
    Password,
}

/// The superuser's password, if the cluster requires passwords.
const PASSWORD: &str = "zoop_superuser";

/// A server whose socket is in a temporary folder, as is its data unless the data is kept. When the cluster is
/// dropped or this process ends, the server stops and the folder is removed.
pub struct Cluster {
    folder: PathBuf,
    data: PathBuf,
    authentication: Authentication,
    durability: Durability,
    settings: &'static [&'static str],
    keeper: Child,
}

impl Cluster {
    /// Starts a cluster with [`Durability::Off`].
    pub fn start() -> Result<Self> {
        Self::start_with(Durability::Off)
    }

    /// Starts a cluster.
    pub fn start_with(durability: Durability) -> Result<Self> {
        Self::start_removed(Authentication::None, durability)
    }

    /// Starts a cluster that asks every role for a password.
    pub fn start_with_passwords() -> Result<Self> {
        Self::start_removed(Authentication::Password, Durability::Off)
    }

    /// Starts a cluster whose data is kept in a folder, which is created if it does not exist. The server's memory
    /// settings are for a machine that does little else.
    pub fn start_kept(data: &Path) -> Result<Self> {
        if !data.exists() {
            programs::create_for_ordinary_user(data)?;
        }
        Self::start_in(
            folder_in(Path::new(ON_DISK))?,
            data.to_owned(),
            Authentication::None,
            Durability::On,
            MEMORY_SETTINGS,
        )
    }

    /// Starts a cluster whose data is removed with it.
    fn start_removed(authentication: Authentication, durability: Durability) -> Result<Self> {
        let folder = folder_in(match durability {
            Durability::Off => fast_folder(),
            Durability::On => Path::new(ON_DISK),
        })?;
        let data = folder.join("data");
        Self::start_in(folder, data, authentication, durability, &[])
    }

    fn start_in(
        folder: PathBuf,
        data: PathBuf,
        authentication: Authentication,
        durability: Durability,
        settings: &'static [&'static str],
    ) -> Result<Self> {
        let bin = programs::folder()?;
        let prepared = if data.join("PG_VERSION").exists() {
            Ok(())
        } else {
            initialize(&bin, &folder, &data, authentication)
        };
        let started =
            prepared.and_then(|()| start_server(&bin, &folder, &data, durability, settings));
        let keeper = started.inspect_err(|_| {
            // There is no keeper to remove the folder.
            let _ = std::fs::remove_dir_all(&folder);
        })?;
        Ok(Self { folder, data, authentication, durability, settings, keeper })
    }

    /// The superuser's URL.
    pub fn url(&self) -> String {
        self.superuser_url("postgres")
    }

    /// The superuser's URL for a database.
    pub fn superuser_url(&self, name: &str) -> String {
        let folder = self.folder.display();
        match self.authentication {
            Authentication::None => format!("postgres:///{name}?host={folder}&user=postgres"),
            Authentication::Password => {
                let host = folder.to_string().replace('/', "%2F");
                format!("postgres://postgres:{PASSWORD}@{host}/{name}")
            }
        }
    }

    /// The server's socket, for a proxy in front of it.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// The application's URL for a database that is kept with the cluster's data, and created if it does not
    /// exist.
    pub fn kept_database(&self, name: &str) -> Result<String> {
        Database::ensure(&self.url(), name)
    }

    /// A new database with the contents of another one, which must not be in use meanwhile.
    pub fn copy_of(&self, name: &str) -> Result<Database> {
        Database::create_from(&self.url(), name)
    }

    /// A new empty database; see [`Database`].
    pub fn fresh_database(&self) -> Result<Database> {
        Database::create(&self.url())
    }

    /// Stops the server as a crash would, without notifying its clients. The data remains.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.stop("QUIT")
    }

    /// Starts a stopped server again, on the same data.
    pub fn restart(&mut self) -> Result<()> {
        self.keeper = start_server(
            &programs::folder()?,
            &self.folder,
            &self.data,
            self.durability,
            self.settings,
        )?;
        Ok(())
    }

    /// Starts a stopped server again as a standby, which accepts no writes until `pg_promote()` is called.
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
        // If the server was stopped, its keeper has left the folder behind.
        let was_running = self.keeper.stdin.take().is_some();
        let _ = self.keeper.wait();
        if !was_running {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Where data is that need not survive the machine: in memory if there is room, because a database has hundreds of
/// files, and creating them takes most of a short test's time on some disks.
fn fast_folder() -> &'static Path {
    let memory = Path::new(IN_MEMORY);
    let has_room = fs4::available_space(memory).is_ok_and(|bytes| bytes >= ROOM_IN_MEMORY);
    if has_room { memory } else { Path::new(ON_DISK) }
}

/// Creates a folder for a server's socket, and for its data unless the data is kept. It is never in TMPDIR: the
/// server's user must be able to reach it, and the path of a socket is limited to about a hundred characters.
fn folder_in(parent: &Path) -> Result<PathBuf> {
    let mut mktemp = programs::as_ordinary_user(Path::new("mktemp"));
    mktemp.arg("-d").arg(parent.join("zoop-postgres.XXXXXX"));
    Ok(PathBuf::from(programs::output(&mut mktemp)?.trim()))
}

/// Creates the data folder of a new cluster.
fn initialize(
    bin: &Path,
    folder: &Path,
    data: &Path,
    authentication: Authentication,
) -> Result<()> {
    let mut initdb = programs::as_ordinary_user(&bin.join("initdb"));
    initdb.arg("--pgdata").arg(data);
    initdb.args(["--username=postgres", "--encoding=UTF8", "--no-locale"]);
    initdb.args(["--no-sync", "--no-instructions"]);
    match authentication {
        Authentication::None => {
            initdb.arg("--auth=trust");
        }
        Authentication::Password => {
            let file = folder.join("password");
            std::fs::write(&file, PASSWORD)?;
            initdb.arg("--auth=scram-sha-256").arg("--pwfile").arg(file);
        }
    }
    programs::output(&mut initdb).map(drop)
}

/// Starts a server and its keeper, and waits until it accepts clients.
fn start_server(
    bin: &Path,
    folder: &Path,
    data: &Path,
    durability: Durability,
    settings: &[&str],
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
        // Tests run in parallel, and each opens its own connections.
        "max_connections=400",
        "lc_messages=C",
        // The server writes its log to this process.
        "logging_collector=off",
    ]
    .iter()
    .chain(settings)
    {
        keeper.args(["-c", setting]);
    }
    let mut keeper =
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let log = keeper.stderr.take().context("the server has no log")?;
    let mut lines = BufReader::new(log).lines();
    let mut log_text = String::new();
    for line in lines.by_ref() {
        let line = line?;
        if line.contains(READY) {
            // The server would block if its log were not read.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(keeper);
        }
        log_text.push_str(&line);
        log_text.push('\n');
    }
    let _ = keeper.wait();
    bail!("the PostgreSQL server did not start: {log_text}")
}
