//! Imports of which a server has added something when it dies, or loses the job.

use serde_json::json;
use zoop_both::both;

use super::super::super::run::Run;
use super::super::super::store::{self as imports, State};
use super::super::super::undo::{Undo, undo_as_member};
use super::super::super::{Importer, Plan, Progress, Source};
use super::super::holding::Held;
use super::super::*;
use super::{Desk, names, server};
use crate::testing::{Business, TestEnv};
use crate::values::country::Country;

/// An import that a server is about to begin for a job.
struct Claimed {
    id: Id<kinds::ImportJob>,
    due: Due,
    importer: Importer,
    source: Source,
    plan: Plan,
    when_rejected: WhenRejected,
}

impl Claimed {
    fn of(desk: &Desk<'_>, count: usize, when_rejected: WhenRejected) -> Self {
        let line = |n: usize| format!("Ann{n} Able{n},510-555-{:04}\n", 1000 + n);
        let many = (0..count).map(line).collect::<Vec<_>>().concat();
        let file = format!("Name,Phone\n{many}");
        let job = desk.look_up(&file);
        let (id, token) = (job.id, job.plan.clone());
        desk.write(move |ctx| start(ctx, id, &token, when_rejected));
        let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
        let row = desk.try_read(move |tx| store::get(tx, id)).expect("the job");
        let importer = desk.worker.importer(due, &row);
        let source =
            Source::read("customers.csv", file.as_bytes(), Reading::default(), Country::US);
        let source = source.expect("a file");
        let plan = Plan::make(&importer, &source, &|_, _| Ok(())).expect("a plan");
        assert_eq!(plan.token, job.plan);
        Self { id, due, importer, source, plan, when_rejected }
    }

    fn run<'r>(&'r self, held: &'r Held<'r>, progress: Progress<'r>) -> Run<'r> {
        let Self { importer, source, when_rejected, .. } = self;
        Run { importer, source, when_rejected: *when_rejected, held: Some(held), progress }
    }

    fn import(&self, desk: &Desk<'_>) -> imports::Import {
        desk.import(desk.job(self.id).import.expect("an import"))
    }
}

/// An import of which a server has added some customers when it dies.
fn interrupted(desk: &Desk<'_>, count: usize, when_rejected: WhenRejected) -> Claimed {
    let claimed = Claimed::of(desk, count, when_rejected);
    let died = |done: usize, _: usize| match done {
        0 => Ok(()),
        _ => Err(Error::from(zoop_db::Error::Closed)),
    };
    let held = Held::new(&desk.worker, claimed.due);
    let run = claimed.run(&held, &died);
    let (id, token) = (claimed.id, held.token());
    let begun = run.begin(&claimed.plan, move |tx, import| steps::begin(tx, &token, id, import));
    run.add(&claimed.plan, begun.expect("an import")).expect_err("it died");
    claimed
}

/// A customer of the file, added by someone else.
fn add_by_hand(env: &TestEnv, business: &Business, number: usize) {
    let customer = json!({ "customer_type": "individual", "first_name": format!("Ann{number}"),
        "last_name": format!("Able{number}"), "phone": format!("510-555-{:04}", 1000 + number) });
    env.create(&business.owner, "customers.create", customer);
}

#[both]
fn another_server_goes_on_with_an_import_and_adds_nothing_twice() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = interrupted(&desk, 45, WhenRejected::AddNone).id;
    let there = names(&env, &acme).len();
    assert!((1..45).contains(&there), "{there}");
    assert_eq!(
        desk.worker.claim_next(None).expect("the queue"),
        None,
        "the first one may still work"
    );
    env.clock.advance(121_000);
    desk.serve();
    let job = desk.job(id);
    assert_eq!((job.stage, job.result.added, &*job.problem), (Stage::Ended, 45, ""));
    let all = env.call(&acme.owner, "customers.search", json!({ "limit": 100 })).expect("a list");
    assert_eq!(all["rows"].as_array().map(Vec::len), Some(45));
}

#[both]
fn an_interrupted_import_is_taken_back_if_something_else_would_be_added() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = interrupted(&desk, 45, WhenRejected::AddNone).id;
    add_by_hand(&env, &acme, 44);
    env.clock.advance(121_000);
    desk.serve();
    let job = desk.job(id);
    assert_eq!(job.stage, Stage::Ready);
    assert!(
        job.problem.contains("your customers changed while it was interrupted"),
        "{}",
        job.problem
    );
    assert_eq!(names(&env, &acme), ["Ann44 Able44"]);
}

#[both]
fn a_person_stops_an_import_that_runs() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = interrupted(&desk, 45, WhenRejected::AddNone).id;
    let import = desk.job(id).import.expect("an import");
    desk.write(move |ctx| cancel(ctx, id));
    env.clock.advance(121_000);
    desk.serve();
    assert_eq!(desk.job(id).stage, Stage::Ended);
    assert!(names(&env, &acme).is_empty());
    assert_eq!(desk.import(import).state, State::Undone);
}

#[both]
fn an_import_whose_member_left_while_no_server_ran_is_taken_back() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let office = Desk::of(&env, &acme, &acme.office);
    let id = interrupted(&office, 45, WhenRejected::AddNone).id;
    assert!(!names(&env, &acme).is_empty());
    let user = Business::user(&acme.office).to_string();
    env.call_as_operator(Some(acme.account), "users.remove", json!({ "id": user }));
    env.clock.advance(121_000);
    office.serve();
    let job = Desk::of(&env, &acme, &acme.owner).job(id);
    assert_eq!(job.stage, Stage::Ended);
    assert_eq!(job.problem, "The person who started this may not import any more.");
    assert!(names(&env, &acme).is_empty());
}

#[both]
fn what_others_have_added_while_an_import_was_interrupted_is_left_out_with_the_reason() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    add_by_hand(&env, &acme, 43);
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = interrupted(&desk, 45, WhenRejected::AddOthers).id;
    add_by_hand(&env, &acme, 44);
    env.clock.advance(121_000);
    desk.serve();
    let job = desk.job(id);
    assert_eq!((job.stage, job.result.added, &*job.problem), (Stage::Ended, 43, ""));
    assert_eq!(job.result.rejected.count, 1, "the one that was there before is not new");
    let why = &job.result.rejected.first[0];
    assert_eq!(why.line, 46);
    assert!(why.text.starts_with("is in the account already: C-"), "{}", why.text);
    assert!(desk.file(id, StoredFile::Rejected).contains("Ann44 Able44,510-555-1044,is in the"));
}

#[both]
fn a_server_that_has_lost_a_job_adds_and_undoes_nothing() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let claimed = Claimed::of(&desk, 3, WhenRejected::AddNone);
    let slow = Held::new(&desk.worker, claimed.due);
    let run = claimed.run(&slow, &|_, _| Ok(()));
    let (id, token) = (claimed.id, slow.token());
    let begun = run.begin(&claimed.plan, move |tx, import| steps::begin(tx, &token, id, import));
    env.clock.advance(121_000);
    let other = server(&env);
    let due = other.claim_next(None).expect("the queue").expect("the job");
    run.add(&claimed.plan, begun.expect("an import")).expect_err("another one has it");
    assert!(slow.is_lost());
    assert!(names(&env, &acme).is_empty());
    other.work(due).expect("work");
    assert_eq!(desk.job(id).result.added, 3);

    let import = claimed.import(&desk).id;
    desk.write(move |ctx| undo(ctx, import));
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    let slow = Held::new(&desk.worker, due);
    env.clock.advance(121_000);
    let due = other.claim_next(None).expect("the queue").expect("the job");
    let undo = Undo {
        importer: &claimed.importer,
        import,
        held: Some(&slow),
        progress: &|_, _| Ok(()),
        becomes: State::Undone,
    };
    undo.run().expect_err("another one has it");
    assert!(slow.is_lost());
    assert_eq!(claimed.import(&desk).state, State::Done);
    other.work(due).expect("work");
    assert_eq!(claimed.import(&desk).state, State::Undone);
}

#[both]
fn a_server_that_goes_on_with_taking_back_knows_why() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let claimed = interrupted(&desk, 45, WhenRejected::AddNone);
    add_by_hand(&env, &acme, 44);
    env.clock.advance(121_000);
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    let held = Held::new(&desk.worker, due);
    // Only taking back begins without knowing how much there is.
    let died = |_: usize, all: usize| match all {
        0 => Err(Error::from(zoop_db::Error::Closed)),
        _ => Ok(()),
    };
    claimed.run(&held, &died).resume(&claimed.import(&desk)).expect_err("it died");
    env.clock.advance(121_000);
    desk.serve();
    let job = desk.job(claimed.id);
    assert_eq!(job.stage, Stage::Ended);
    assert_eq!(job.problem, "The import stopped: your customers changed while it was interrupted.");
    assert_eq!(names(&env, &acme), ["Ann44 Able44"]);
}

#[both]
fn a_file_whose_import_was_undone_elsewhere_can_be_imported_again() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let claimed = interrupted(&desk, 45, WhenRejected::AddNone);
    let import = claimed.import(&desk).id;
    undo_as_member(&claimed.importer, import, &|_, _| Ok(())).expect("undone");
    env.clock.advance(121_000);
    desk.serve();
    let job = desk.job(claimed.id);
    assert_eq!((job.stage, job.import), (Stage::Ready, None));
    assert_eq!(job.problem, "The import was undone meanwhile.");
    let done = desk.start(&job, WhenRejected::AddNone);
    assert_eq!((done.stage, done.result.added, &*done.problem), (Stage::Ended, 45, ""));
}
