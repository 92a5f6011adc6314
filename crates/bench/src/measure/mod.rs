//! A run: databases are made, servers started, loads put on them in alternation, round by round, so
//! that whatever else the machine does meets all of them alike.
//!
//! | module | holds |
//! | --- | --- |
//! | [`others`] | zoop beside the floor, the driver and the SDKs |
//! | [`pages`] | every search and list, by the database's size and the business's |
//! | [`writes`] | creating, with shared transactions and without |
//! | [`postgres`] | all of this on PostgreSQL |
//! | [`facts`] | memory, starts, sizes |

mod facts;
mod machine;
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

pub(crate) use others::CALLERS;
pub(crate) use postgres::{BARE, BARE_CALLS, BOUND, BOUND_CALLS, MOVED, POSTGRES};
pub(crate) use writes::SINGLE;

/// Customers of the database that larger ones are compared with.
pub(crate) const SMALLEST_SIZE: u32 = 10_000;

const WARM_UP_CALLERS: usize = 16;

/// Loads that write are numbered from somewhere below.
const SERIES: usize = 100_000;

/// What a run does.
pub(crate) struct Plan {
    /// Customers of each database, rising.
    pub(crate) sizes: Vec<u32>,
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) zoop: Zoop,
    pub(crate) peers: Peers,
    /// Where the results are kept.
    pub(crate) folder: PathBuf,
}

impl Plan {
    /// Everything, up to a database of so many customers.
    pub(crate) fn full(customers: u32, zoop: Zoop, peers: Peers) -> Result<Self> {
        let mut sizes: Vec<u32> =
            [SMALLEST_SIZE, 100_000].into_iter().filter(|it| *it < customers).collect();
        sizes.push(customers);
        let span = Span { warm_up: Duration::from_millis(300), counted: Duration::from_secs(1) };
        Ok(Self { sizes, rounds: 3, span, zoop, peers, folder: crate::folder()? })
    }

    /// The whole way in about three minutes, for nobody's figures.
    pub(crate) fn quick(zoop: Zoop, peers: Peers) -> Result<Self> {
        let span = Span { warm_up: Duration::from_millis(50), counted: Duration::from_millis(200) };
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

/// A run while it goes on.
struct Run {
    plan: Plan,
    databases: Vec<Database>,
    results: Results,
    bar: ProgressBar,
    /// Loads that have written so far.
    series: usize,
}

/// Measures everything, and keeps the results.
pub(crate) fn run(plan: Plan) -> Result<Results> {
    let machine = machine::describe()?;
    let mut run = Run::new(plan, Results { machine, ..Results::default() })?;
    let (rounds, time) = (run.plan.rounds, run.plan.span.counted);
    run.results.machine.push(format!("{rounds} rounds, in each {time:?} of every load"));
    for (name, part) in [
        ("sizes and starts", facts::measure as fn(&mut Run) -> Result<()>),
        ("zoop and others", others::measure),
        ("searches and lists", pages::measure),
        ("writes", writes::measure),
        ("PostgreSQL", postgres::measure),
    ] {
        say(&format!("measuring: {name}"));
        part(&mut run)?;
        // Kept after each part: a run that breaks off has measured something.
        run.results.save(&run.plan.folder)?;
    }
    run.bar.finish_and_clear();
    Ok(run.results)
}

/// Measures PostgreSQL anew, and keeps what else the last run has measured.
pub(crate) fn again_on_postgres(plan: Plan) -> Result<Results> {
    let mut kept = Results::load(&plan.folder)?;
    kept.samples.retain(|sample| sample.key.server != POSTGRES);
    kept.facts.retain(|fact| !postgres::FACTS.contains(&fact.name.as_str()));
    let mut run = Run::new(plan, kept)?;
    postgres::measure(&mut run)?;
    run.results.save(&run.plan.folder)?;
    run.bar.finish_and_clear();
    Ok(run.results)
}

impl Run {
    /// A run that adds to results.
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
        // Writes of an earlier run may be there still, so theirs are not made again.
        let series = usize::try_from(std::process::id())? % SERIES;
        Ok(Self { plan, databases, results, bar, series })
    }

    fn largest(&self) -> &Database {
        &self.databases[self.databases.len() - 1]
    }

    /// Begins a part of so many loads.
    fn begin(&self, part: &'static str, loads: usize) {
        self.bar.reset();
        self.bar.set_length(loads as u64);
        self.bar.set_message(part);
    }

    /// Puts a load on a server that nobody counts: programs that are compiled while they run need
    /// some time.
    fn warm_up(&self, server: &Server, requests: Requests) -> Result<()> {
        let span = Span { counted: self.plan.span.counted * 2, ..self.plan.span };
        load::run(&server.target, requests, WARM_UP_CALLERS, span, &server.process)?;
        Ok(())
    }

    /// The number of one more load that writes.
    fn next_series(&mut self) -> usize {
        self.series += 1;
        self.series
    }

    /// Puts a load on a server and keeps what it measured.
    fn load(&mut self, server: &Server, requests: Requests, key: Key, round: usize) -> Result<()> {
        let measured =
            load::run(&server.target, requests, key.callers, self.plan.span, &server.process)?;
        self.results.samples.push(Sample { key, round, measured });
        self.bar.inc(1);
        Ok(())
    }
}
