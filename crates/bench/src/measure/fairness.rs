//! Measures a calm business that calls at fixed intervals, first alone and then while another business does its
//! worst: 64 connections search through long notes and write the longest ones, without a pause.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::writes::Copy;
use super::{Run, Span};
use crate::cases;
use crate::generate::landmarks::BusinessLandmarks;
use crate::load::{self, Expected, Requests, Target};
use crate::opponents::server::{Commits, Server};
use crate::results::Key;

/// The cases: the calm business alone, and at the same time as the other one.
pub(crate) const ALONE: &str = "alone";
pub(crate) const BESIDE: &str = "beside the worst";
/// The calm business's calls.
pub(crate) const CALLS: [&str; 2] = ["customers.get", "customers.create"];

/// The number of the calm business's callers.
const CALM_CALLERS: usize = 2;
/// The time between the calls of each of them.
const INTERVAL: Duration = Duration::from_millis(50);
/// These loads last this many times as long as others: with few calls per second, a 99th percentile needs time.
const SPANS: u32 = 8;
/// The number of the other business's connections. One in four writes.
const GREEDY_CALLERS: usize = 64;
/// The number of notes that a search reads.
const NOTES: usize = 40;
/// Their length in characters.
const READ_LENGTH: usize = 20_000;
/// The length in characters of the notes that are written: the maximum.
const WRITTEN_LENGTH: usize = 100_000;

/// Measures on a copy of the SQLite database.
pub(super) fn measure(run: &mut Run) -> Result<()> {
    let copy = Copy::of(&run.largest().path.clone())?;
    measure_on(run, "zoop", &format!("sqlite://{}", copy.0.display()))
}

/// Measures on a database, and writes to it.
pub(super) fn measure_on(run: &mut Run, name: &str, url: &str) -> Result<()> {
    let businesses = &run.largest().landmarks.businesses;
    let (calm, greedy) = (businesses[0].clone(), businesses[1].clone());
    let server = run.plan.zoop.start_on(url, &calm.owner_key, Commits::Grouped)?;
    let worst = Target { token: greedy.owner_key.clone(), ..server.target.clone() };
    let subject = create_long_notes(&worst, &greedy)?;
    run.begin("two businesses", run.plan.rounds * CALLS.len() * 2);
    let get = requests(run, &server, &calm, cases::GET.tool)?;
    run.warm_up(&server, get)?;
    for round in 0..run.plan.rounds {
        for tool in CALLS {
            measure_calm(run, &server, &calm, name, (tool, ALONE), round)?;
            under_flood(run, &server, &worst, &subject, |run| {
                measure_calm(run, &server, &calm, name, (tool, BESIDE), round)
            })?;
        }
    }
    Ok(())
}

/// Measures the calm business's calls of one tool.
fn measure_calm(
    run: &mut Run,
    server: &Server,
    calm: &BusinessLandmarks,
    name: &str,
    (tool, case): (&str, &str),
    round: usize,
) -> Result<()> {
    let requests = requests(run, server, calm, tool)?;
    let key = Key {
        server: name.to_owned(),
        tool: tool.to_owned(),
        case: case.to_owned(),
        callers: CALM_CALLERS,
        customers: run.largest().customers,
        business: calm.place.clone(),
    };
    let span = run.plan.span;
    run.plan.span = Span { counted: span.counted * SPANS, interval: INTERVAL, ..span };
    let result = run.load(server, requests, key, round);
    run.plan.span = span;
    result
}

fn requests(
    run: &mut Run,
    server: &Server,
    calm: &BusinessLandmarks,
    tool: &str,
) -> Result<Requests> {
    if tool == cases::GET.tool {
        return cases::GET.requests(&server.target, calm)?.context("customers");
    }
    Ok(cases::new_customers(&server.target, run.next_series()))
}

/// Runs `act` while the other business does its worst.
fn under_flood(
    run: &mut Run,
    server: &Server,
    worst: &Target,
    subject: &str,
    act: impl FnOnce(&mut Run) -> Result<()>,
) -> Result<()> {
    let (process, span) = (procfs::process::Process::new(server.process.pid)?, run.plan.span);
    let whole = Span { counted: (span.warm_up + span.counted) * SPANS, ..span };
    let (target, subject) = (worst.clone(), subject.to_owned());
    let flood = thread::spawn(move || {
        load::run(&target, worst_calls(&target, &subject), GREEDY_CALLERS, whole, &process)
    });
    act(run)?;
    flood.join().map_err(|_| anyhow!("the flood panicked"))?.map(drop)
}

/// Three searches through long notes, and a write of one of the longest notes.
fn worst_calls(target: &Target, subject: &str) -> Requests {
    let search = json!({ "subject_type": "customer", "subject_id": subject, "q": "sticky gates" });
    let search = target.call("notes.list", &search);
    let write = target.call("notes.create", &note(subject, WRITTEN_LENGTH));
    Requests::Repeated(vec![search.clone(), search.clone(), search, write], Expected::Success)
}

/// Creates long notes about a customer, and returns the customer's id.
fn create_long_notes(target: &Target, business: &BusinessLandmarks) -> Result<String> {
    let subject = business.customer_ids.first().context("a customer")?.clone();
    for _ in 0..NOTES {
        load::once(target.address, &target.call("notes.create", &note(&subject, READ_LENGTH)))?;
    }
    Ok(subject)
}

fn note(subject: &str, characters: usize) -> Value {
    let body: String = "gate sticks. ".chars().cycle().take(characters).collect();
    json!({ "body": body, "subject_type": "customer", "subject_id": subject })
}
