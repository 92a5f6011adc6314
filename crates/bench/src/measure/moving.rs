//! Moving a whole business: a file is imported and an export is written with the binary, while another business of the
//! same database adds customers at a steady pace. How long its calls take is the price that the others pay.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use hdrhistogram::Histogram;
use procfs::process::Process;

use super::Run;
use super::writes::Copy;
use crate::cases;
use crate::generate::{self, Parameters};
use crate::load::{Connection, Target};
use crate::opponents::server::{Commits, Zoop};
use crate::results::Results;
use crate::say;

/// The rows of the file in a full run.
pub(crate) const ROWS: u32 = 100_000;
/// The commands.
pub(crate) const COMMANDS: [&str; 2] = ["import", "export"];
/// What is measured: the other business alone, and beside each command.
pub(crate) const MOVES: [&str; 3] = ["alone", "beside an import", "beside an export"];
/// The prefixes for the names of these results, before the command.
pub(crate) const SECONDS: &str = "seconds of ";
pub(crate) const PEAK: &str = "peak memory of ";
/// The prefixes for the times of the other business's calls, before what is measured.
pub(crate) const TIMES: [&str; 3] = ["moving, p50: ", "moving, p99: ", "moving, longest: "];

/// The customers that both businesses have together before.
const CUSTOMERS: u32 = 2_000;
/// The time between the other business's calls.
const INTERVAL: Duration = Duration::from_millis(25);
/// How long the other business is measured alone.
const ALONE: Duration = Duration::from_secs(15);

/// Measures on SQLite.
pub(super) fn measure(run: &mut Run) -> Result<()> {
    let rows = run.results.largest().min(ROWS);
    run.results.facts.extend(measure_moving(&run.plan.zoop, rows)?.facts);
    Ok(())
}

/// Measures only this, with a file of this many rows.
pub(crate) fn measure_moving(zoop: &Zoop, rows: u32) -> Result<Results> {
    let small = Parameters { notes: Some(0), tenants: Some(2), ..Parameters::of(CUSTOMERS) };
    let (base, landmarks) = generate::cached(&small)?;
    let [moved, other, ..] = &landmarks.businesses[..] else {
        return Err(anyhow!("the database has one business only"));
    };
    let copy = Copy::of(&base)?;
    let folder = crate::folder()?;
    let (file, exported) = (folder.join("import.csv"), folder.join("export"));
    fs::write(&file, file_of(rows))?;
    let _ = fs::remove_dir_all(&exported);
    let server = zoop.start(&copy.0, &other.owner_key, Commits::Grouped)?;
    let command = |arguments: &[&str], path: &Path| {
        let mut command = Command::new(&zoop.binary);
        command.args(arguments).arg(path).args(["--tenant", &moved.tenant_id, "--json"]);
        command.env("ZOOP_DATABASE", format!("sqlite://{}", copy.0.display()));
        command
    };
    let commands = [command(&["import", "--yes"], &file), command(&["export", "--to"], &exported)];
    let results = Results { sizes: vec![rows], ..Results::default() };
    let mut moving = Moving { target: server.target.clone(), results, rows };
    let until = Instant::now() + ALONE;
    moving.calls(0, || Ok(Instant::now() < until))?;
    for (number, command) in commands.into_iter().enumerate() {
        moving.beside(number, command)?;
    }
    let _ = (fs::remove_dir_all(&exported), fs::remove_file(&file));
    Ok(moving.results)
}

struct Moving {
    target: Target,
    results: Results,
    rows: u32,
}

impl Moving {
    /// Runs a command, and the other business's calls meanwhile.
    fn beside(&mut self, number: usize, mut command: Command) -> Result<()> {
        let name = COMMANDS[number];
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let process = Process::new(i32::try_from(child.id())?)?;
        let peak = thread::spawn(move || peak_memory(&process));
        self.calls(number + 1, || Ok(child.try_wait()?.is_none()))?;
        let seconds = began.elapsed().as_secs_f64();
        ensure!(child.wait()?.success(), "zoop {name} failed");
        let peak = peak.join().map_err(|_| anyhow!("the watch panicked"))?;
        self.results.note(&format!("{SECONDS}{name}"), self.rows, seconds);
        self.results.note(&format!("{PEAK}{name}"), self.rows, peak);
        Ok(())
    }

    /// The other business's calls as long as `goes_on`. A late answer delays the next call, whose time counts from when
    /// it was due.
    fn calls(&mut self, number: usize, mut goes_on: impl FnMut() -> Result<bool>) -> Result<()> {
        let requests = cases::new_customers(&self.target, number);
        let mut times = Histogram::<u64>::new(3)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = Connection::open(self.target.address).await?;
            let mut due = Instant::now();
            for index in 0.. {
                due += INTERVAL;
                tokio::time::sleep_until(due.into()).await;
                if !goes_on()? {
                    break;
                }
                connection.call(&requests.get(index), requests.expected()).await?;
                times.record(u64::try_from(due.elapsed().as_micros())?)?;
            }
            anyhow::Ok(())
        })?;
        let values = [times.value_at_quantile(0.5), times.value_at_quantile(0.99), times.max()];
        for (prefix, value) in TIMES.iter().zip(values) {
            let value = f64::from(u32::try_from(value)?);
            self.results.note(&format!("{prefix}{}", MOVES[number]), self.rows, value);
        }
        say(&format!("{} calls {}: p50, p99, longest {values:?} µs", times.len(), MOVES[number]));
        Ok(())
    }
}

/// The greatest memory of a process until it ends, in bytes.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn peak_memory(process: &Process) -> f64 {
    let mut peak = 0;
    while let Ok(status) = process.status() {
        let Some(kibibytes) = status.vmhwm else { break };
        peak = peak.max(kibibytes << 10);
        thread::sleep(Duration::from_millis(20));
    }
    peak as f64
}

/// A file as another system writes it: every other customer with a note.
fn file_of(rows: u32) -> String {
    let mut file = String::from(
        "First Name,Last Name,Phone,Email,Street,City,State,Zip,Tags,Customer ID,Notes\n",
    );
    for row in 0..rows {
        let (exchange, line) = (200 + row / 10_000 % 800, row % 10_000);
        let note = if row % 2 == 0 { "Gate sticks; call before you come." } else { "" };
        let _ = writeln!(
            file,
            "Ann{row},Import{},(510) {exchange}-{line:04},ann{row}@example.com,{} Oak Street,Oakland,CA,94607,\
             Imported,QB-{row},{note}",
            row / 7,
            row + 1
        );
    }
    file
}
