//! Plays everyday requests with the tools, against the sample business, and generates `docs/agents.md` from the
//! calls and their answers. The requests are in `data/requests.txt`, which says how they are written.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::Value;
use zoop_crm::arguments;
use zoop_crm::call::access::Source;
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::run;
use zoop_crm::call::scope::{Scope, Scopes};
use zoop_crm::catalog;
use zoop_crm::identity::authenticate::{Bearer, Operator};
use zoop_crm::identity::keys::tools::CreateKey;
use zoop_crm::identity::tenants::tools::ListTenants;
use zoop_crm::identity::users::tools::ListUsers;
use zoop_crm::schema::MIGRATIONS;
use zoop_crm::values::clock::{Entropy, Environment};
use zoop_crm::values::size::Size;
use zoop_db::{Db, Migrate, Options, Timestamp, WriteTx};

use super::business;

const SOURCE: &str = include_str!("../../../data/requests.txt");
const PAGE: &str = "docs/agents.md";
/// 13 June 2026, 10:00 in the business's time zone.
const NOW: Timestamp = Timestamp(1_781_359_200_000_000);
/// The part of an answer that the page shows, in characters.
const SHOWN: usize = 400;
/// The business's second user, who works in the office.
const OFFICE: &str = "Priya Raman";

/// A request as people say it, and how an agent fulfills it.
#[derive(Default)]
struct Request {
    said: String,
    calls: Vec<Call>,
    /// Texts that the last answer contains: what the agent tells the person.
    found: Vec<String>,
    /// What the agent says besides, if anything.
    remark: String,
}

/// A call of a tool. In the arguments, `$2/rows/0/id` stands for that part of the second answer.
struct Call {
    tool: String,
    arguments: Value,
}

/// Reads the requests.
fn requests() -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for line in SOURCE.lines().filter(|line| !line.starts_with("//")) {
        if let Some(said) = line.strip_prefix("# ") {
            requests.push(Request { said: said.to_owned(), ..Request::default() });
            continue;
        }
        let Some(request) = requests.last_mut() else { continue };
        if let Some(call) = line.strip_prefix("> ") {
            let (tool, arguments) = call.split_once(' ').expect(line);
            let arguments = serde_json::from_str(arguments).expect(line);
            request.calls.push(Call { tool: tool.to_owned(), arguments });
        } else if let Some(found) = line.strip_prefix("= ") {
            request.found.push(found.to_owned());
        } else if let Some(remark) = line.strip_prefix("- ") {
            remark.clone_into(&mut request.remark);
        } else {
            assert!(line.is_empty(), "{line}");
        }
    }
    requests
}

/// Replaces the references to earlier answers.
fn resolve(arguments: &Value, answers: &[Value]) -> Value {
    match arguments {
        Value::String(text) if text.starts_with('$') => {
            let (number, pointer) = text[1..].split_once('/').expect(text);
            let answer = &answers[number.parse::<usize>().expect(text) - 1];
            answer
                .pointer(&format!("/{pointer}"))
                .unwrap_or_else(|| panic!("{text}: {answer}"))
                .clone()
        }
        Value::Array(items) => items.iter().map(|item| resolve(item, answers)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), resolve(member, answers))).collect()
        }
        other => other.clone(),
    }
}

/// The sample business, the same in every run.
struct Sample {
    db: Db,
    environment: Environment,
    office: Bearer,
    _folder: tempfile::TempDir,
}

impl Sample {
    fn build() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}", folder.path().join("sample.db").display());
        let db = Db::open(&url, &Options::default(), MIGRATIONS, Migrate::Run).expect("a database");
        let environment = Environment {
            clock: Arc::new(NOW),
            entropy: Entropy::seeded(1),
            note_writes_per_minute: 0,
            storage_limit: Size(0),
            files_limit: Size(0),
            dropped_client_keys: Arc::default(),
        };
        let inside = environment.clone();
        let built = db.write::<_, Error>(in_a_minute(), move |tx| {
            business::build(tx, &inside, &ProgressBar::hidden())?;
            office_key(tx, &inside)
        });
        let office = built.wait().expect("the sample business");
        Self { db, environment, office, _folder: folder }
    }

    /// The answers to a request's calls. Nothing that they write stays.
    fn play(&self, request: Request) -> Vec<(String, Value, Value)> {
        let played = Arc::new(Mutex::new(Vec::new()));
        let (inside, environment) = (played.clone(), self.environment.clone());
        let office = Bearer { token: self.office.token.clone(), source: Source::default() };
        let undone = self.db.write::<(), Error>(in_a_minute(), move |tx| {
            let mut answers = Vec::new();
            for Call { tool, arguments } in &request.calls {
                let arguments = resolve(arguments, &answers);
                let answer =
                    call(tx, &environment, &office, tool, &arguments).unwrap_or_else(|error| {
                        panic!("{}: {tool} {arguments}: {error:?}", request.said)
                    });
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                answers.push(answer.clone());
                inside.lock().expect("no panic").push((tool.clone(), arguments, answer));
            }
            Err(Error::invalid("undone"))
        });
        assert!(undone.wait().is_err());
        std::mem::take(&mut *played.lock().expect("no panic"))
    }
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A key of a person in the office.
fn office_key(tx: &mut WriteTx<'_>, environment: &Environment) -> Result<Bearer> {
    let everywhere = Operator::OUTSIDE_TENANTS;
    let tenants = run::list(tx, environment, &everywhere, arguments!(ListTenants {}))?;
    let operator = Operator::of(tenants.rows[0].tenant.id);
    let users = run::list(tx, environment, &operator, arguments!(ListUsers {}))?.rows;
    let user = users.iter().find(|user| user.member.name == OFFICE).expect(OFFICE).member.id;
    let scopes = Scopes::of(Scope::GRANTABLE).list();
    let key = arguments!(CreateKey { user: user, scopes: scopes, name: "agent" });
    let token = run::command(tx, environment, &operator, key)?.key;
    Ok(Bearer { token, source: Source::default() })
}

fn call(
    tx: &mut WriteTx<'_>,
    environment: &Environment,
    caller: &Bearer,
    tool: &str,
    arguments: &Value,
) -> Result<String> {
    let tool = catalog::find(tool).filter(|tool| tool.is_public()).expect(tool);
    let arguments = arguments.to_string();
    let answer = if tool.is_read_only() {
        run::read(tx, environment, caller, tool, &arguments)
    } else {
        run::write(tx, environment, caller, tool, &arguments, None)
    };
    answer.map_err(zoop_crm::call::caller::Refusal::of_own_credential)
}

/// The page's table of requests, and how each is fulfilled.
fn page(sample: &Sample) -> String {
    let mut table = String::from("| request | calls |\n| --- | ---: |\n");
    let mut details = String::new();
    for request in requests() {
        let (said, found, remark) =
            (request.said.clone(), request.found.clone(), request.remark.clone());
        let played = sample.play(request);
        let last = played.last().map(|(_, _, answer)| answer.to_string()).unwrap_or_default();
        for text in &found {
            assert!(last.contains(text.as_str()), "{said}: no {text} in {last}");
        }
        assert!(!found.is_empty(), "{said}: say what is found");
        let _ = writeln!(table, "| {said} | {} |", played.len());
        let _ = write!(details, "\n## {said}\n");
        for (tool, arguments, answer) in &played {
            let _ =
                write!(details, "\n`{tool}` `{arguments}`\n\n```json\n{}\n```\n", shown(answer));
        }
        if !remark.is_empty() {
            let _ = write!(details, "\n{remark}\n");
        }
    }
    format!("{INTRODUCTION}\n{table}{details}")
}

const INTRODUCTION: &str = "# Everyday requests, and the calls that fulfill them\n\n\
    Generated by a test from `crates/cli/data/requests.txt`; do not edit by hand. Each request is played with the\n\
    tools, by somebody in the office, against the sample business of `zoop demo`. None ends with an error, and\n\
    the number of calls may only fall. Long answers are cut.\n";

fn shown(answer: &Value) -> String {
    let text = answer.to_string();
    match text.char_indices().nth(SHOWN) {
        None => text,
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}

/// The number of calls of each request in the table of a page.
fn numbers(page: &str) -> Vec<(&str, usize)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter_map(|row| row.rsplit_once(" | "));
    rows.filter_map(|(said, calls)| Some((said, calls.parse().ok()?))).collect()
}

#[test]
fn every_request_is_fulfilled_and_the_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    let page = page(&Sample::build());
    let numbers_now = numbers(&page);
    assert!(numbers_now.len() >= 40, "{} requests", numbers_now.len());
    for (said, before) in numbers(&on_disk) {
        let now = numbers_now.iter().find(|(request, _)| *request == said);
        let (_, now) = now.unwrap_or_else(|| panic!("a request is missing: {said}"));
        assert!(*now <= before, "{said}: {now} calls, {before} before");
    }
    if std::env::var_os("ZOOP_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page is written");
    } else {
        assert!(on_disk == page, "{PAGE} is out of date: run ./accept");
    }
}
