//! Jobs, as pages and servers drive them.

mod interrupted;
mod servers;

use std::sync::Arc;

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::ReadTx;

use super::super::columns::{Column, Meaning, Said};
use super::super::store::{self as imports, State};
use super::work::deadline;
use super::*;
use crate::call::access::Source as CallSource;
use crate::call::caller::Refusal;
use crate::identity::sign_in::sessions::InTenant;
use crate::testing::{Business, Caller, TestEnv};

const FILE: &str = "Name,Phone,Zugang\nAnn Able,510-555-0101,Has a dog.\nBob Baker,510-555-0102,\n,510-555-0103,\n";

/// A member of a business with the pages open, and a server.
struct Desk<'e> {
    env: &'e TestEnv,
    proof: InTenant,
    worker: Worker,
}

impl<'e> Desk<'e> {
    fn of(env: &'e TestEnv, business: &Business, member: &Caller) -> Self {
        let (_, signed_in) = env.sign_in(Business::user(member));
        let proof = signed_in.in_tenant(business.account.id, CallSource::default());
        Self { env, proof, worker: server(env) }
    }

    fn try_write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteCtx<'_, '_>) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (environment, proof) = (self.env.environment.clone(), self.proof.clone());
        let write = self.env.db.write(deadline(), move |tx| write(tx, &environment, &proof, &work));
        write.wait()
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteCtx<'_, '_>) -> Result<T> + Send + 'static,
    ) -> T {
        self.try_write(work).expect("a write")
    }

    fn try_read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut ReadTx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (environment, proof) = (self.env.environment.clone(), self.proof.clone());
        let read = self.env.db.read(deadline(), move |tx| read(tx, &environment, &proof, &work));
        read.wait()
    }

    fn job(&self, id: Id<kinds::ImportJob>) -> Job {
        self.try_read(move |tx| get(tx, id)).expect("the job")
    }

    /// Sends a file.
    fn send(&self, file: &str) -> Id<kinds::ImportJob> {
        let id = self.write(|ctx| begin(ctx, "customers.csv"));
        for (sent, bytes) in file.as_bytes().chunks(SENT_BYTES).enumerate() {
            let bytes = bytes.to_vec();
            self.write(move |ctx| add_bytes(ctx, id, sent, &bytes));
        }
        self.write(move |ctx| arrived(ctx, id));
        id
    }

    /// Sends a file that a server looks up.
    fn look_up(&self, file: &str) -> Job {
        let id = self.send(file);
        self.serve();
        self.job(id)
    }

    fn start(&self, job: &Job, when_rejected: WhenRejected) -> Job {
        let (id, plan) = (job.id, job.plan.clone());
        self.write(move |ctx| start(ctx, id, &plan, when_rejected));
        self.serve();
        self.job(id)
    }

    fn import(&self, id: Id<kinds::Import>) -> imports::Import {
        self.try_read(move |tx| imports::get(tx, id)).expect("the import")
    }

    /// Undoes an import. Returns the job, once the server has done it.
    fn undo(&self, import: Id<kinds::Import>) -> Job {
        let id = self.write(move |ctx| undo(ctx, import));
        self.serve();
        self.job(id)
    }

    /// Lets the server do all that is due.
    fn serve(&self) {
        while let Some(due) = self.worker.claim_next(None).expect("the queue") {
            self.worker.work(due).expect("work");
        }
    }

    /// What is stored of a file.
    fn file(&self, id: Id<kinds::ImportJob>, file: StoredFile) -> String {
        let mut bytes = Vec::new();
        for number in 0.. {
            let read = self.try_read(move |tx| part(tx, id, file, number)).expect("a part");
            let Some(part) = read else { break };
            bytes.extend(part);
        }
        String::from_utf8(bytes).expect("a text")
    }
}

fn server(env: &TestEnv) -> Worker {
    let (db, environment) = (env.db.clone(), env.environment.clone());
    Worker { db, environment, is_stopping: Arc::default() }
}

fn names(env: &TestEnv, business: &Business) -> Vec<Value> {
    let found = env.call(&business.owner, "customers.search", json!({})).expect("a list");
    let rows = found["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["display_name"].clone()).collect()
}

#[both]
fn a_file_is_looked_up_read_as_a_person_says_and_imported_as_shown() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.office);
    let job = desk.look_up(FILE);
    assert_eq!((job.stage, &*job.problem), (Stage::Ready, ""));
    let shown = job.preview.as_ref().expect("a preview");
    assert_eq!((shown.counts.added, shown.counts.unusable), (2, 1));
    assert_eq!(shown.added[0].shown.name, "Ann Able");
    assert_eq!(job.columns[2].samples, ["Has a dog."]);
    assert_eq!(job.columns[2].meaning, None);
    assert!(desk.file(job.id, StoredFile::Report).contains("3,Bob Baker,added,"));

    let said = Said { column: Column::At(2), meaning: Some(Meaning::Notes) };
    let reading = Reading { columns: vec![said], defaults: Vec::new() };
    let id = job.id;
    desk.write(move |ctx| read_as(ctx, id, &reading));
    let old = job.plan.clone();
    assert!(desk.try_write(move |ctx| start(ctx, id, &old, WhenRejected::AddNone)).is_err());
    desk.serve();
    let job = desk.job(id);
    assert_eq!(job.preview.as_ref().expect("a preview").added[0].shown.notes, 1);
    assert!(names(&env, &acme).is_empty(), "nothing is written");

    let refused = desk.start(&job, WhenRejected::AddNone);
    assert_eq!(refused.stage, Stage::Ready);
    assert!(refused.problem.starts_with("Nothing was imported: line 4"), "{}", refused.problem);
    let done = desk.start(&job, WhenRejected::AddOthers);
    assert_eq!((done.stage, done.result.added, done.result.rejected.count), (Stage::Ended, 2, 1));
    assert_eq!(names(&env, &acme), ["Bob Baker", "Ann Able"]);
    assert_eq!(
        desk.file(id, StoredFile::Rejected),
        "\u{feff}Name,Phone,Zugang,reason\r\n,510-555-0103,,first_name is required for an individual\r\n"
    );
    assert_eq!(desk.file(id, StoredFile::Source), "", "it is not kept");
    let changes = env.call(&acme.owner, "changes.list", json!({})).expect("changes");
    assert_eq!(changes["rows"][0]["tool"], "customers.import");
    assert_eq!(changes["rows"][0]["user_name"], "Oscar Office");

    let import = done.import.expect("an import");
    let again = desk.write(move |ctx| undo(ctx, import));
    desk.serve();
    assert_eq!((again, desk.job(id).result.taken_back), (id, 2));
    assert!(names(&env, &acme).is_empty());
}

#[both]
fn what_is_wrong_with_a_file_is_said() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.look_up("Wer,Wo\nAnn Able,Oakland\n");
    assert!(job.problem.starts_with("No column is known"), "{}", job.problem);
    assert_eq!((job.stage, job.columns.len(), job.preview.is_none()), (Stage::Ready, 2, true));
    let id = job.id;
    let refused = desk.try_write(move |ctx| start(ctx, id, "", WhenRejected::AddNone));
    assert!(format!("{refused:?}").contains("Conflict"), "a file without a plan is not started");
    let empty = desk.look_up("\n");
    assert_eq!(empty.problem, "The file is empty.");
    for _ in 2..actions::MAX_OPEN {
        desk.send(FILE);
    }
    let refused = desk.try_write(|ctx| begin(ctx, "one more.csv"));
    assert!(format!("{refused:?}").contains("5 files wait already"), "{refused:?}");
    desk.write(move |ctx| remove(ctx, id));
    desk.serve();
    assert!(desk.try_read(move |tx| get(tx, id)).is_err());
    desk.send(FILE);
}

#[both]
fn what_has_changed_since_a_person_looked_is_shown_again() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.look_up("Name,Phone\nAnn Able,510-555-0101\nBob Baker,510-555-0102\n");
    let same = json!({ "customer_type": "individual", "first_name": "Ann", "last_name": "Able", "phone": "5105550101" });
    env.create(&acme.owner, "customers.create", same);
    let shown = desk.start(&job, WhenRejected::AddNone);
    assert_eq!(shown.stage, Stage::Ready);
    assert!(shown.problem.starts_with("Your customers have changed"), "{}", shown.problem);
    let preview = shown.preview.as_ref().expect("a preview");
    assert_eq!((preview.counts.added, preview.counts.here), (1, 1));
    let done = desk.start(&shown, WhenRejected::AddNone);
    assert_eq!((done.stage, done.result.added), (Stage::Ended, 1));
}

#[both]
fn only_members_who_may_import_see_the_jobs_of_their_business() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let owner = Desk::of(&env, &acme, &acme.owner);
    let job = owner.look_up(FILE);
    let (id, token) = (job.id, job.plan.clone());
    let colleague = Desk::of(&env, &acme, &acme.office);
    assert_eq!(colleague.job(id).plan, token);
    let missing = |refused: String| assert!(refused.contains("NotFound"), "{refused}");
    let stranger = Desk::of(&env, &other, &other.owner);
    missing(format!("{:?}", stranger.try_read(move |tx| get(tx, id))));
    missing(format!("{:?}", stranger.try_read(move |tx| part(tx, id, StoredFile::Report, 0))));
    missing(format!("{:?}", stranger.try_write(move |ctx| remove(ctx, id))));
    missing(format!("{:?}", stranger.try_write(move |ctx| cancel(ctx, id))));
    missing(format!("{:?}", stranger.try_write(move |ctx| arrived(ctx, id))));
    missing(format!("{:?}", stranger.try_write(move |ctx| add_bytes(ctx, id, 9, b"x"))));
    missing(format!("{:?}", stranger.try_write(move |ctx| read_as(ctx, id, &Reading::default()))));
    let plan = token.clone();
    missing(format!(
        "{:?}",
        stranger.try_write(move |ctx| start(ctx, id, &plan, WhenRejected::AddNone))
    ));
    assert!(stranger.try_read(latest).expect("a list").is_empty());
    let done = owner.start(&job, WhenRejected::AddOthers);
    let import = done.import.expect("an import");
    missing(format!("{:?}", stranger.try_write(move |ctx| undo(ctx, import))));
    let tech = Desk::of(&env, &acme, &acme.tech);
    for refused in [
        format!("{:?}", tech.try_read(move |tx| get(tx, id))),
        format!("{:?}", tech.try_write(|ctx| begin(ctx, "customers.csv"))),
    ] {
        assert!(refused.contains("InsufficientScope"), "{refused}");
    }
}

#[both]
fn what_stays_after_an_undo_can_be_taken_back_later_and_is_counted_once() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.look_up("Name,Phone\nAnn Able,510-555-0101\nBob Baker,510-555-0102\n");
    let import = desk.start(&job, WhenRejected::AddNone).import.expect("an import");
    let found = env.call(&acme.owner, "customers.search", json!({ "q": "ann" })).expect("a list");
    let ann = found["rows"][0]["id"].clone();
    let note = json!({ "subject_type": "customer", "subject_id": ann, "body": "Called." });
    env.create(&acme.owner, "notes.create", note);
    for _ in 0..2 {
        let result = desk.undo(import).result;
        assert_eq!((result.taken_back, result.kept_count), (1, 1));
        assert_eq!(desk.import(import).state, State::Undoing, "something of it is there");
    }
    env.call(&acme.owner, "customers.archive", json!({ "id": ann })).expect("archived");
    let result = desk.undo(import).result;
    assert_eq!((result.taken_back, result.kept_count), (2, 0));
    assert_eq!(desk.import(import).state, State::Undone);
}

#[both]
fn an_erasure_that_ends_early_leaves_no_part_of_a_file() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.look_up(FILE);
    let (id, plan) = (job.id, job.plan.clone());
    assert!(desk.write(erase_some), "there is more to erase");
    let refused = desk.try_write(move |ctx| start(ctx, id, &plan, WhenRejected::AddOthers));
    assert!(format!("{refused:?}").contains("NotFound"), "{refused:?}");
    desk.serve();
    let left = desk.try_read(store::oldest).expect("a read");
    assert_eq!(left, None, "a server has removed the rest");
}
