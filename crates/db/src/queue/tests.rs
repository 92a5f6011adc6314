use std::time::Duration;

use super::*;
use crate::tx::Tenant;

const MILLI: Duration = Duration::from_millis(1);

fn tenant(number: u32) -> Lane {
    member(number, 0)
}

fn member(number: u32, member: u64) -> Lane {
    Lane::Tenant { tenant: Tenant(number), member }
}

/// A queue of jobs that consist of a name.
fn queue(threads: usize) -> (Arc<Queue<&'static str>>, Worker<&'static str>) {
    let queue = Queue::new(Bounds::of_threads(1_024, threads));
    let worker = queue.worker();
    (queue, worker)
}

fn push(queue: &Queue<&'static str>, lane: Lane, jobs: &[&'static str]) {
    for job in jobs {
        queue.push(lane, job).expect("there is room");
    }
}

/// Runs all waiting jobs one after another, each at its `cost`. Returns their names in order.
fn serve(worker: &Worker<&'static str>, cost: impl Fn(&str) -> Duration) -> String {
    let mut order = String::new();
    while let Some((job, turn)) = worker.try_next() {
        order.push_str(job);
        turn.charge(cost(job));
    }
    order
}

/// Starts as many jobs as may run at once.
fn start(worker: &Worker<&'static str>) -> Vec<(&'static str, Turn<&'static str>)> {
    std::iter::from_fn(|| worker.try_next()).collect()
}

#[test]
fn parties_are_served_in_turn_however_many_jobs_each_has() {
    let (queue, worker) = queue(1);
    push(&queue, tenant(1), &["a"; 8]);
    push(&queue, tenant(2), &["b"; 2]);
    push(&queue, Lane::Anonymous { member: 1 }, &["x"; 2]);
    push(&queue, Lane::Internal, &["i"; 2]);
    assert_eq!(serve(&worker, |_| MILLI), "ixabixabaaaaaa");
}

#[test]
fn a_party_whose_jobs_cost_more_has_fewer_turns() {
    let (queue, worker) = queue(1);
    push(&queue, tenant(1), &["A"; 4]);
    push(&queue, tenant(2), &["b"; 20]);
    let order = serve(&worker, |job| if job == "A" { MILLI * 10 } else { MILLI });
    assert_eq!(order, "AbbbbbbbbbbAbbbbbbbbbbAA");
}

#[test]
fn members_of_a_party_share_its_turns() {
    let (queue, worker) = queue(1);
    push(&queue, member(1, 1), &["a"; 6]);
    push(&queue, member(1, 2), &["A"; 2]);
    push(&queue, tenant(2), &["b"; 4]);
    assert_eq!(serve(&worker, |_| MILLI), "abAbabAbaaaa");
}

#[test]
fn a_debt_outlasts_a_moment_without_jobs_and_ends_when_nobody_waits() {
    let (queue, worker) = queue(1);
    push(&queue, tenant(1), &["A"]);
    push(&queue, tenant(2), &["b"; 20]);
    let (job, turn) = worker.try_next().expect("a job");
    assert_eq!(job, "A");
    turn.charge(MILLI * 10);
    drop(turn);
    // Tenant 1 comes back at once, still in debt.
    push(&queue, tenant(1), &["A"]);
    let order = serve(&worker, |job| if job == "A" { MILLI * 10 } else { MILLI });
    assert_eq!(order, "bbbbbbbbbbAbbbbbbbbbb");
    push(&queue, tenant(1), &["A"]);
    push(&queue, tenant(2), &["b"]);
    assert_eq!(serve(&worker, |_| MILLI), "Ab", "the debt has ended, because nobody waited");
}

#[test]
fn an_idle_party_saves_up_no_turns() {
    let (queue, worker) = queue(1);
    push(&queue, tenant(1), &["a"; 20]);
    for _ in 0..10 {
        let (_, turn) = worker.try_next().expect("a job");
        turn.charge(MILLI);
    }
    push(&queue, tenant(2), &["b"; 10]);
    assert_eq!(serve(&worker, |_| MILLI), "ba".repeat(10));
}

#[test]
fn a_party_without_running_jobs_finds_a_thread() {
    let (queue, worker) = queue(8);
    push(&queue, tenant(1), &["a"; 20]);
    let first = start(&worker);
    assert_eq!(first.len(), 4, "half of the threads");
    push(&queue, tenant(2), &["b"; 20]);
    let second = start(&worker);
    assert_eq!(second.len(), 2, "half of the rest");
    push(&queue, tenant(3), &["c"; 20]);
    push(&queue, Lane::Anonymous { member: 1 }, &["x"; 20]);
    let third = start(&worker);
    assert_eq!(third.len(), 2, "at least one each");
    drop((first, second, third));
}

#[test]
fn a_member_leaves_its_partys_last_thread_to_the_others() {
    let (queue, worker) = queue(8);
    push(&queue, member(1, 1), &["a"; 20]);
    let alone = start(&worker);
    assert_eq!(alone.len(), 4);
    drop(alone);
    push(&queue, member(1, 2), &["A"]);
    let both: String = start(&worker).iter().map(|(job, _)| *job).collect();
    assert_eq!(both, "Aaa", "the last thread is left to member 2");
}

#[test]
fn the_running_jobs_of_a_party_are_limited() {
    let bounds = Bounds { of_tenant: 1, of_others: 2, ..Bounds::of_threads(1_024, 8) };
    let queue = Queue::new(bounds);
    let worker = queue.worker();
    for party in [tenant(1), tenant(2), Lane::Anonymous { member: 1 }, Lane::Internal] {
        push(&queue, party, &["a"; 5]);
    }
    let running = start(&worker);
    assert_eq!(running.len(), 1 + 1 + 2 + 2);
    drop(running);
    assert_eq!(start(&worker).len(), 6);
}

#[test]
fn a_party_fills_a_part_of_the_queue_and_callers_leave_room_for_the_program() {
    let queue = Queue::new(Bounds::of_threads(8, 1));
    let _worker = queue.worker();
    let busy = |lane| matches!(queue.push(lane, "more"), Err((_, Error::Busy)));
    push(&queue, tenant(1), &["a"; 2]);
    assert!(busy(tenant(1)) && busy(member(1, 7)));
    for other in 2..=4 {
        push(&queue, tenant(other), &["b"; 2]);
    }
    assert!(busy(tenant(5)) && busy(Lane::Anonymous { member: 1 }), "the queue is full");
    push(&queue, Lane::Internal, &["i"; 8]);
    assert!(busy(Lane::Internal));
    assert_eq!(queue.len(), 16);
}

#[test]
fn a_network_leaves_room_for_other_strangers() {
    let queue = Queue::new(Bounds::of_threads(16, 1));
    let _worker = queue.worker();
    let stranger = |member| Lane::Anonymous { member };
    push(&queue, stranger(1), &["a"; 2]);
    assert!(matches!(queue.push(stranger(1), "more"), Err((_, Error::Busy))));
    push(&queue, stranger(2), &["b"]);
}

#[test]
fn a_queue_without_threads_is_closed_and_drops_its_jobs() {
    let queue = Queue::new(Bounds::of_threads(8, 1));
    let worker = queue.worker();
    let job = Arc::new(());
    queue.push(Lane::Internal, job.clone()).expect("there is room");
    drop(worker);
    assert_eq!(Arc::strong_count(&job), 1);
    assert!(matches!(queue.push(Lane::Internal, job), Err((_, Error::Closed))));
}

#[test]
fn idle_debtors_beyond_the_maximum_are_forgotten() {
    let (queue, worker) = queue(4);
    push(&queue, Lane::Anonymous { member: 0 }, &["held"]);
    let held = worker.try_next().expect("a job");
    for member in 1..10_000 {
        push(&queue, Lane::Anonymous { member }, &["x"]);
        let (_, turn) = worker.try_next().expect("a job");
        turn.charge(MILLI);
    }
    let state = queue.lock();
    let strangers = &state.parties.get(Party::Anonymous).expect("a job still runs").data;
    assert!(strangers.known() < 5_000, "{}", strangers.known());
    drop(state);
    drop(held);
    assert!(
        queue.lock().parties.get(Party::Anonymous).is_none(),
        "nothing is remembered when no job is left"
    );
}
