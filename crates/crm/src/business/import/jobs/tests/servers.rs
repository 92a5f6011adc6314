//! How servers share jobs, how long jobs are kept, and what becomes of one after a bug.

use std::sync::atomic::Ordering;

use zoop_both::both;

use super::super::holding::Held;
use super::super::*;
use super::{Desk, FILE, names, server};
use crate::testing::TestEnv;

#[both]
fn a_job_is_done_by_one_server_and_ends_where_it_is_when_that_stops() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = desk.send(FILE);
    let other = server(&env);
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    assert_eq!(other.claim_next(None).expect("the queue"), None);
    env.clock.advance(100_000);
    let held = Held::new(&desk.worker, due);
    held.progress()(1, 3).expect("it goes on");
    assert_eq!((desk.job(id).done, desk.job(id).total), (1, 3));
    env.clock.advance(100_000);
    assert_eq!(other.claim_next(None).expect("the queue"), None);
    desk.worker.is_stopping.store(true, Ordering::Relaxed);
    held.progress()(2, 3).expect_err("the server stops");
    held.give_back().expect("given back");
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    desk.worker.work(due).expect("given back");
    assert_eq!(desk.job(id).stage, Stage::LookingUp);
    let due = other.claim_next(None).expect("the queue").expect("the job");
    other.work(due).expect("work");
    assert_eq!(desk.job(id).stage, Stage::Ready);
    assert_eq!(other.claim_next(None).expect("the queue"), None, "it is done");
}

#[both]
fn work_that_a_person_has_stopped_leaves_nothing() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = desk.send(FILE);
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    let slow = Held::new(&desk.worker, due);
    desk.write(move |ctx| cancel(ctx, id));
    assert_eq!(desk.job(id).problem, "You stopped it: choose Read again, or remove the file.");
    slow.progress()(1, 3).expect_err("it is stopped");
    assert!(slow.is_lost());
    env.clock.advance(121_000);
    desk.serve();
    assert_eq!(desk.job(id).stage, Stage::Ready, "the file is there");
    desk.write(move |ctx| read_as(ctx, id, &Reading::default()));
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    slow.change(|_| Ok(())).expect_err("another one has it");
    desk.worker.work(due).expect("work");
    let job = desk.job(id);
    let plan = job.plan.clone();
    desk.write(move |ctx| start(ctx, id, &plan, WhenRejected::AddOthers));
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    let slow = Held::new(&desk.worker, due);
    desk.write(move |ctx| cancel(ctx, id));
    desk.write(move |ctx| remove(ctx, id));
    desk.serve();
    slow.progress()(1, 3).expect_err("it is gone");
    env.clock.advance(121_000);
    assert_eq!(desk.worker.claim_next(None).expect("the queue"), None);
    assert!(names(&env, &acme).is_empty());
}

#[both]
fn one_business_does_not_hold_all_threads() {
    let env = TestEnv::new();
    let (acme, other) = (env.empty_business("Acme"), env.empty_business("Other"));
    let desk = Desk::of(&env, &acme, &acme.owner);
    desk.send(FILE);
    desk.send(FILE);
    let theirs = Desk::of(&env, &other, &other.owner).send(FILE);
    let busy = Some(acme.account.number);
    let due = desk.worker.claim_next(busy).expect("the queue").expect("the other's job");
    assert_eq!(due.job, theirs);
    assert_eq!(desk.worker.claim_next(busy).expect("the queue"), None);
}

#[both]
fn a_job_is_removed_after_a_week() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.look_up(FILE);
    let arriving = desk.write(|ctx| begin(ctx, "never.csv"));
    env.clock.advance(10 * 60_000);
    desk.serve();
    assert!(desk.try_read(move |tx| get(tx, arriving)).is_err(), "it did not arrive");
    env.clock.advance(7 * 86_400_000 + 1);
    let desk = Desk::of(&env, &acme, &acme.owner);
    desk.serve();
    let id = job.id;
    assert!(desk.try_read(move |tx| get(tx, id)).is_err());
    let part = env.read(move |tx| {
        tx.bind(acme.account.number);
        store::part(tx, id, StoredFile::Source, 0)
    });
    assert_eq!(part.expect("a read"), None);
}

#[both]
fn a_bug_ends_a_job_without_losing_it() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = desk.send(FILE);
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    Held::new(&desk.worker, due).fail().expect("recorded");
    let job = desk.job(id);
    assert_eq!(job.stage, Stage::Ready);
    assert!(job.problem.starts_with("Something went wrong"), "{}", job.problem);
}

#[both]
fn what_was_done_with_an_old_job_is_kept_for_a_week() {
    const DAY: i64 = 86_400_000;
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let id = desk.look_up(FILE).id;
    env.clock.advance(6 * DAY);
    let desk = Desk::of(&env, &acme, &acme.owner);
    desk.write(move |ctx| read_as(ctx, id, &Reading::default()));
    desk.serve();
    env.clock.advance(6 * DAY);
    let desk = Desk::of(&env, &acme, &acme.owner);
    desk.write(move |ctx| read_as(ctx, id, &Reading::default()));
    desk.serve();
    let done = desk.start(&desk.job(id), WhenRejected::AddOthers);
    assert_eq!((done.stage, done.result.added), (Stage::Ended, 2));
    assert!(desk.file(id, StoredFile::Rejected).contains("510-555-0103"));
    env.clock.advance(7 * DAY + 1);
    let desk = Desk::of(&env, &acme, &acme.owner);
    desk.serve();
    assert!(desk.try_read(move |tx| get(tx, id)).is_err());
}

#[both]
fn a_bug_does_not_bring_back_what_was_done_or_removed() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let done = desk.start(&desk.look_up(FILE), WhenRejected::AddOthers);
    env.clock.advance(7 * 86_400_000 + 1);
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    Held::new(&desk.worker, due).fail().expect("recorded");
    let desk = Desk::of(&env, &acme, &acme.owner);
    let job = desk.job(done.id);
    assert_eq!((job.stage, job.result.added, &*job.problem), (Stage::Ended, 2, ""));

    let id = desk.look_up(FILE).id;
    desk.write(move |ctx| remove(ctx, id));
    let due = desk.worker.claim_next(None).expect("the queue").expect("the job");
    Held::new(&desk.worker, due).fail().expect("recorded");
    assert!(desk.try_read(move |tx| get(tx, id)).is_err(), "it is not shown again");
}
