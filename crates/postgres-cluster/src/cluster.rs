//! [`Cluster`]: a server of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};

use crate::database::Database;
use crate::programs;

/// Runs the server (`$2…`) until a line comes, which names the signal that ends it. When the other end
/// of the input is gone instead, so is whoever wanted the cluster, and its folder (`$1`) goes too.
const KEEPER: &str = r#"
folder=$1; shift
"$@" &
server=$!
if read -r signal; then kill -s "$signal" "$server"; wait "$server"
else kill -s INT "$server"; wait "$server"; rm -rf "$folder"; fi
"#;

/// What the server says when it lets clients in.
const READY: &str = "database system is ready to accept ";

/// A server with some gigabytes of memory.
const SIZED: &[&str] = &[
    "shared_buffers=2GB",
    "effective_cache_size=8GB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
];

/// Whether what was committed survives a crash of the machine. A crash of the server it survives in
/// any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It may be lost: tests are quicker.
    Off,
    /// It is there.
    On,
}

/// Whom a cluster lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Whoever reaches the socket.
    Open,
    /// Who knows a password.
    Password,
}

/// The superuser's password where one is asked for.
const PASSWORD: &str = "zoop_superuser";

/// A server with a socket in a temporary folder, and its data there too unless they are kept. Dropping
/// it, or the end of this process, ends the server and removes the folder.
pub struct Cluster {
    folder: PathBuf,
    data: PathBuf,
    door: Door,
    durability: Durability,
    sized: &'static [&'static str],
    keeper: Child,
}

impl Cluster {
    /// Starts a cluster that need not survive the machine.
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

    /// Starts a cluster whose data stay in a folder, which is made if it is not there, on a server sized
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
            // Nobody else knows of it yet.
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

    /// The server's socket, for what stands between it and a client.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// The application's URL of a database that stays with the cluster's data, made if it is not there.
    pub fn kept_database(&self, name: &str) -> Result<String> {
        Database::keep(&self.url(), name)
    }

    /// A new database with the contents of another, which nobody may have open meanwhile.
    pub fn copy_of(&self, name: &str) -> Result<Database> {
        Database::create_from(&self.url(), name)
    }

    /// A new empty database; see [`Database`].
    pub fn fresh_database(&self) -> Result<Database> {
        Database::create(&self.url())
    }

    /// Ends the server as a crash would, without a word to its clients; the data stay.
    pub fn stop_immediately(&mut self) -> Result<()> {
        self.stop("QUIT")
    }

    /// Starts a server that was stopped, on the same data.
    pub fn restart(&mut self) -> Result<()> {
        self.keeper =
            keep(&programs::folder()?, &self.folder, &self.data, self.durability, self.sized)?;
        Ok(())
    }

    /// The same as a standby, which takes no writes until `pg_promote()` is called.
    pub fn restart_as_standby(&mut self) -> Result<()> {
        std::fs::write(self.data.join("standby.signal"), "")?;
        self.restart()
    }

    fn stop(&mut self, signal: &str) -> Result<()> {
        let mut input = self.keeper.stdin.take().context("the server is stopped already")?;
        writeln!(input, "{signal}")?;
        drop(input);
        self.keeper.wait()?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The keeper of a server that was stopped has left the folder behind.
        let was_running = self.keeper.stdin.take().is_some();
        let _ = self.keeper.wait();
        if !was_running {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A new folder for a server's socket. Under /tmp whatever TMPDIR says: the server's user must reach it,
/// and the path of a socket may have a hundred characters.
fn socket_folder() -> Result<PathBuf> {
    let mut mktemp = programs::as_ordinary_user(Path::new("mktemp"));
    let made = programs::output(mktemp.args(["-d", "/tmp/zoop-postgres.XXXXXX"]))?;
    Ok(PathBuf::from(made.trim()))
}

/// Makes a cluster's data.
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

/// Starts a server and its keeper, and waits until it lets clients in.
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
        // Every test has an engine of its own, and tests run side by side.
        "max_connections=400",
        "lc_messages=C",
        // What the server logs stays with this process.
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
            // A log that nobody reads would stop the server.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(keeper);
        }
        said.push_str(&line);
        said.push('\n');
    }
    let _ = keeper.wait();
    bail!("the PostgreSQL server did not start: {said}")
}
