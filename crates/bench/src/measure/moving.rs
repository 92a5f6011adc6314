//! Moving a whole business: a file is imported and an export is written with the binary, while another business of the same
//! database adds customers at a steady pace. How long its calls take is the price that the others pay.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use procfs::process::Process;

use super::Run;
use super::writes::Copy;
use crate::cases;
use crate::generate::{self, Parameters};
use crate::load::{self, Measured, Span};
use crate::opponents::server::{Commits, Server, Zoop};
use crate::results::{Key, Results, Sample};
use crate::say;

/// What is measured: the other business alone, and while one is imported or exported.
pub(crate) const MOVES: [&str; 3] = ["alone", "beside an import", "beside an export"];
/// The prefixes for the names of these results, before the command.
pub(crate) const SECONDS: &str = "seconds of ";
pub(crate) const PEAK: &str = "peak memory of ";
/// The server's name in these results.
pub(crate) const MOVING: &str = "zoop, moving";
/// The commands.
pub(crate) const COMMANDS: [&str; 2] = ["import", "export"];
pub(crate) const TOOL: &str = "customers.create";

/// The rows of the file in a full run.
pub(crate) const ROWS: u32 = 100_000;
/// The customers that both businesses have together before.
const CUSTOMERS: u32 = 2_000;
/// The other business's callers, and the time between the calls of each.
const CALLERS: usize = 2;
const INTERVAL: Duration = Duration::from_millis(50);
/// The longest time in which calls are counted. The load ends before a command does, however fast the machine is.
const LONGEST: Duration = Duration::from_secs(20);
/// More rows than any machine imports, and customers than it exports, in a second.
const FASTEST: [u32; 2] = [8_000, 40_000];

/// Measures on SQLite.
pub(super) fn measure(run: &mut Run) -> Result<()> {
    let rows = if run.results.largest() < ROWS { run.results.largest() } else { ROWS };
    let moved = measure_moving(&run.plan.zoop, rows)?;
    run.results.facts.extend(moved.facts);
    run.results.samples.extend(moved.samples);
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
    let results = Results { sizes: vec![rows], ..Results::default() };
    let mut moving = Moving { server, results, rows };
    let alone = moving.calls(LONGEST)?;
    moving.note(MOVES[0], alone);
    let tenant = ["--tenant", &moved.tenant_id];
    let command = |arguments: &[&str], path: &Path| {
        let mut command = Command::new(&zoop.binary);
        command.args(arguments).args(tenant).arg("--json");
        command.env("ZOOP_DATABASE", format!("sqlite://{}", copy.0.display()));
        command.arg(path);
        command
    };
    moving.beside(0, command(&["import", "--yes"], &file))?;
    moving.beside(1, {
        let mut export = command(&["export"], Path::new("--to"));
        export.arg(&exported);
        export
    })?;
    let _ = (fs::remove_dir_all(&exported), fs::remove_file(&file));
    Ok(moving.results)
}

struct Moving {
    server: Server,
    results: Results,
    rows: u32,
}

impl Moving {
    /// Runs a command, and the other business's calls meanwhile.
    fn beside(&mut self, number: usize, mut command: Command) -> Result<()> {
        let name = COMMANDS[number];
        let seconds = f64::from(self.rows) / f64::from(FASTEST[number]);
        let counted = Duration::from_secs_f64(seconds).min(LONGEST);
        let began = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let process = Process::new(i32::try_from(child.id())?)?;
        let peak = thread::spawn(move || peak_memory(&process));
        let calls = self.calls(counted)?;
        ensure!(child.try_wait()?.is_none(), "the {name} ended before the calls: send more rows");
        let seconds = end(&mut child, name, began)?;
        let peak = peak.join().map_err(|_| anyhow!("the watch panicked"))?;
        self.results.note(&format!("{SECONDS}{name}"), self.rows, seconds);
        self.results.note(&format!("{PEAK}{name}"), self.rows, peak);
        say(&format!(
            "{name}: {seconds:.1} s, {:.0} rows a second, {:.0} MB",
            f64::from(self.rows) / seconds,
            peak / 1e6
        ));
        self.note(MOVES[number + 1], calls);
        Ok(())
    }

    /// The other business's calls, during this time.
    fn calls(&self, counted: Duration) -> Result<Measured> {
        // No two loads add the same customers.
        let series = self.results.samples.len();
        let span = Span { warm_up: Duration::from_millis(300), counted, interval: INTERVAL };
        let requests = cases::new_customers(&self.server.target, series);
        load::run(&self.server.target, requests, CALLERS, span, &self.server.process)
    }

    fn note(&mut self, case: &str, measured: Measured) {
        say(&format!(
            "{case}: p50 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs, {} calls",
            measured.p50, measured.p99, measured.p999, measured.calls
        ));
        let key = Key {
            server: MOVING.to_owned(),
            tool: TOOL.to_owned(),
            case: case.to_owned(),
            callers: CALLERS,
            customers: self.rows,
            business: String::new(),
        };
        self.results.samples.push(Sample { key, round: 0, measured });
    }
}

/// Waits for the end of a command that must succeed. Returns how long it took, in seconds.
fn end(child: &mut Child, name: &str, began: Instant) -> Result<f64> {
    let status = child.wait()?;
    ensure!(status.success(), "zoop {name} failed");
    Ok(began.elapsed().as_secs_f64())
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
