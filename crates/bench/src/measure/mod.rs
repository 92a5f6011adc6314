//! A run generates databases, starts servers, and loads the servers in turns, round by round, so that other activity
//! on the machine affects all of them alike.
//!
//! | module | holds |
//! | --- | --- |
//! | [`others`] | zoop compared with the floor, the driver and the SDKs |
//! | [`console`] | the pages of the console |
//! | [`pages`] | every search and list, by the size of the database and of the business |
//! | [`writes`] | creating records, with and without shared transactions |
//! | [`postgres`] | reads, searches, lists and writes on PostgreSQL |
//! | [`holds`] | how long one call holds the writer |
//! | [`mod@duplicates`] | finding and merging duplicates |
//! | [`fairness`] | one business while another does its worst |
//! | [`moving`] | an import and an export, and another business meanwhile |
//! | [`facts`] | memory, starts, sizes |

mod console;
mod duplicates;
mod facts;
mod fairness;
mod holds;
mod machine;
mod moving;
mod others;
mod pages;
mod postgres;
mod writes;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::generate::landmarks::BusinessLandmarks;
use crate::generate::{self, Landmarks, Parameters};
use crate::load::{self, Requests, Span};
use crate::opponents::peers::Peers;
use crate::opponents::server::{Server, Zoop};
use crate::results::{Key, Results, Sample};
use crate::say;

pub(crate) use console::{CONSOLE, PAGES};
pub(crate) use duplicates::{CROWDED, HALF, MOST, duplicates, measure_duplicates};
pub(crate) use fairness::{ALONE, BESIDE, CALLS};
pub(crate) use holds::{HOLD, kinds, measure_holds};
pub(crate) use moving::{COMMANDS, MOVES, PEAK, ROWS, SECONDS, TIMES, measure_moving};
pub(crate) use others::CALLERS;
pub(crate) use postgres::{BARE, BARE_CALLS, BOUND, BOUND_CALLS, MOVED, POSTGRES};
pub(crate) use writes::SINGLE;

/// Customers of the smallest database, with which larger ones are compared.
pub(crate) const SMALLEST_SIZE: u32 = 10_000;

const WARM_UP_CALLERS: usize = 16;

/// The upper limit of a run's first series number.
const MAX_FIRST_SERIES: usize = 100_000;

/// The plan of a run.
pub(crate) struct Plan {
    /// Customers of each database, ascending.
    pub(crate) sizes: Vec<u32>,
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) zoop: Zoop,
    pub(crate) peers: Peers,
    /// Where the results are stored.
    pub(crate) folder: PathBuf,
}

impl Plan {
    /// A full run, up to a database with this many customers.
    pub(crate) fn full(customers: u32, zoop: Zoop, peers: Peers) -> Result<Self> {
        let mut sizes: Vec<u32> =
            [SMALLEST_SIZE, 100_000].into_iter().filter(|it| *it < customers).collect();
        sizes.push(customers);
        let (warm_up, counted) = (Duration::from_millis(300), Duration::from_secs(1));
        let span = Span { warm_up, counted, interval: Duration::ZERO };
        Ok(Self { sizes, rounds: 3, span, zoop, peers, folder: crate::folder()? })
    }

    /// A run of every step in about three minutes, with meaningless figures.
    pub(crate) fn quick(zoop: Zoop, peers: Peers) -> Result<Self> {
        let (warm_up, counted) = (Duration::from_millis(50), Duration::from_millis(200));
        let span = Span { warm_up, counted, interval: Duration::ZERO };
        let folder = crate::folder()?.join("quick");
        std::fs::create_dir_all(&folder)?;
        Ok(Self { sizes: vec![SMALLEST_SIZE, 50_000], rounds: 2, span, zoop, peers, folder })
    }
}

/// A generated database.
struct Database {
    customers: u32,
    path: PathBuf,
    landmarks: Landmarks,
}

impl Database {
    fn largest(&self) -> &BusinessLandmarks {
        &self.landmarks.businesses[0]
    }
}

/// A run in progress.
struct Run {
    plan: Plan,
    databases: Vec<Database>,
    results: Results,
    bar: ProgressBar,
    /// The series number of the last load that writes.
    series: usize,
}

/// Measures everything, and stores the results.
pub(crate) fn run(plan: Plan) -> Result<Results> {
    let machine = machine::describe()?;
    let mut run = Run::new(plan, Results { machine, ..Results::default() })?;
    let (rounds, time) = (run.plan.rounds, run.plan.span.counted);
    run.results.machine.push(format!("{rounds} rounds, in each {time:?} of every load"));
    for (name, part) in [
        ("sizes and starts", facts::measure as fn(&mut Run) -> Result<()>),
        ("zoop and others", others::measure),
        ("searches and lists", pages::measure),
        ("the console", console::measure),
        ("writes", writes::measure),
        ("the writer", holds::measure),
        ("duplicates", duplicates::measure),
        ("two businesses", fairness::measure),
        ("an import and an export", moving::measure),
        ("PostgreSQL", postgres::measure),
    ] {
        say(&format!("measuring: {name}"));
        part(&mut run)?;
        // Stored after each part, so that an interrupted run has results.
        run.results.save(&run.plan.folder)?;
    }
    run.bar.finish_and_clear();
    Ok(run.results)
}

/// Measures PostgreSQL again, and keeps the other results of the last run.
pub(crate) fn repeat_postgres(plan: Plan) -> Result<Results> {
    let mut kept = Results::load(&plan.folder)?;
    kept.samples.retain(|sample| sample.key.server != POSTGRES);
    kept.facts.retain(|fact| !postgres::FACTS.contains(&fact.name.as_str()));
    let mut run = Run::new(plan, kept)?;
    postgres::measure(&mut run)?;
    run.results.save(&run.plan.folder)?;
    run.bar.finish_and_clear();
    Ok(run.results)
}

/// Measures only one business next to another one, on both engines.
pub(crate) fn measure_neighbors(plan: Plan) -> Result<Results> {
    let mut run = Run::new(plan, Results::default())?;
    fairness::measure(&mut run)?;
    postgres::measure_neighbors(&mut run)?;
    run.bar.finish_and_clear();
    Ok(run.results)
}

/// Measures only the pages of the console.
pub(crate) fn measure_console(plan: Plan) -> Result<Results> {
    let mut run = Run::new(plan, Results::default())?;
    console::measure(&mut run)?;
    run.bar.finish_and_clear();
    Ok(run.results)
}

impl Run {
    /// A run that adds to existing results.
    fn new(plan: Plan, mut results: Results) -> Result<Self> {
        plan.zoop.check()?;
        let mut databases = Vec::new();
        for customers in &plan.sizes {
            let (path, landmarks) = generate::cached(&Parameters::of(*customers))?;
            databases.push(Database { customers: *customers, path, landmarks });
        }
        results.sizes.clone_from(&plan.sizes);
        let bar = ProgressBar::no_length().with_style(ProgressStyle::with_template(
            "{msg} [{bar:30}] {percent}%  {pos}/{len} loads  {eta} left",
        )?);
        // Rows of an earlier run may still exist, so the numbering must not start at the same number.
        let series = usize::try_from(std::process::id())? % MAX_FIRST_SERIES;
        Ok(Self { plan, databases, results, bar, series })
    }

    fn largest(&self) -> &Database {
        &self.databases[self.databases.len() - 1]
    }

    /// Begins a part with this many loads.
    fn begin(&self, part: &'static str, loads: usize) {
        self.bar.reset();
        self.bar.set_length(loads as u64);
        self.bar.set_message(part);
    }

    /// Puts an uncounted load on a server, because just-in-time compilers need some time.
    fn warm_up(&self, server: &Server, requests: Requests) -> Result<()> {
        let span = Span { counted: self.plan.span.counted * 2, ..self.plan.span };
        load::run(&server.target, requests, WARM_UP_CALLERS, span, &server.process)?;
        Ok(())
    }

    /// The series number for the next load that writes.
    fn next_series(&mut self) -> usize {
        self.series += 1;
        self.series
    }

    /// Puts a load on a server and stores the result.
    fn load(&mut self, server: &Server, requests: Requests, key: Key, round: usize) -> Result<()> {
        let measured =
            load::run(&server.target, requests, key.callers, self.plan.span, &server.process)?;
        self.results.samples.push(Sample { key, round, measured });
        self.bar.inc(1);
        Ok(())
    }
}
