//! One business while another one does its worst: 64 connections that search through long notes and write the
//! longest ones, without a pause. The calm business calls at fixed intervals, alone first and then beside that.

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

/// The cases: the calm business alone, and beside the other one.
pub(crate) const ALONE: &str = "alone";
pub(crate) const BESIDE: &str = "beside the worst";
/// The calm business's calls.
pub(crate) const CALLS: [&str; 2] = ["customers.get", "customers.create"];

/// The calm business's callers, and the time between the calls of each.
const CALM: usize = 2;
const INTERVAL: Duration = Duration::from_millis(50);
/// How much longer these loads last than others: few calls are made a second, and one in a hundred counts.
const SPANS: u32 = 8;
/// The connections of the business that does its worst. One in four writes.
const GREEDY: usize = 64;
/// The notes through which a search goes, and their length in characters.
const NOTES: usize = 40;
const READ: usize = 20_000;
/// The length of the notes that are written: the longest.
const WRITTEN: usize = 100_000;

/// On SQLite.
pub(super) fn measure(run: &mut Run) -> Result<()> {
    let copy = Copy::of(&run.largest().path.clone())?;
    measure_on(run, "zoop", &format!("sqlite://{}", copy.0.display()))
}

/// On a database that may be written to.
pub(super) fn measure_on(run: &mut Run, name: &str, url: &str) -> Result<()> {
    let businesses = &run.largest().landmarks.businesses;
    let (calm, greedy) = (businesses[0].clone(), businesses[1].clone());
    let server = run.plan.zoop.start_on(url, &calm.owner_key, Commits::Grouped)?;
    let worst = Target { token: greedy.owner_key.clone(), ..server.target.clone() };
    let subject = long_notes(&worst, &greedy)?;
    run.begin("two businesses", run.plan.rounds * CALLS.len() * 2);
    let get = requests(run, &server, &calm, cases::GET.tool)?;
    run.warm_up(&server, get)?;
    for round in 0..run.plan.rounds {
        for tool in CALLS {
            one(run, &server, &calm, name, (tool, ALONE), round)?;
            beside(run, &server, &worst, &subject, |run| {
                one(run, &server, &calm, name, (tool, BESIDE), round)
            })?;
        }
    }
    Ok(())
}

/// The calm business's calls of one tool.
fn one(
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
        callers: CALM,
        customers: run.largest().customers,
        business: calm.place.clone(),
    };
    let span = run.plan.span;
    run.plan.span = Span { counted: span.counted * SPANS, interval: INTERVAL, ..span };
    let done = run.load(server, requests, key, round);
    run.plan.span = span;
    done
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

/// Does something while the other business does its worst.
fn beside(
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
        load::run(&target, worst_calls(&target, &subject), GREEDY, whole, &process)
    });
    act(run)?;
    flood.join().map_err(|_| anyhow!("the flood panicked"))?.map(drop)
}

/// Three searches through long notes, and one of the longest notes.
fn worst_calls(target: &Target, subject: &str) -> Requests {
    let search = json!({ "subject_type": "customer", "subject_id": subject, "q": "sticky gates" });
    let search = target.call("notes.list", &search);
    let write = target.call("notes.create", &note(subject, WRITTEN));
    Requests::Repeated(vec![search.clone(), search.clone(), search, write], Expected::Success)
}

/// Gives a customer long notes; its id.
fn long_notes(target: &Target, of: &BusinessLandmarks) -> Result<String> {
    let subject = of.customer_ids.first().context("a customer")?.clone();
    for _ in 0..NOTES {
        load::once(target.address, &target.call("notes.create", &note(&subject, READ)))?;
    }
    Ok(subject)
}

fn note(subject: &str, characters: usize) -> Value {
    let body: String = "gate sticks. ".chars().cycle().take(characters).collect();
    json!({ "body": body, "subject_type": "customer", "subject_id": subject })
}
