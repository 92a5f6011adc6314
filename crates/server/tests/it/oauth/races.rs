//! Concurrent use of one secret: only one of the uses takes effect.

use std::sync::Barrier;

use zoop_both::both;

use super::{Browser, EVERY_SCOPE, Program, check_token, consent_request, event_count, tokens};
use crate::http::Reply;
use crate::server::Server;

const THREADS: usize = 8;

/// Runs `work` in several threads at the same time.
fn run_concurrently(work: impl Fn() -> Reply + Sync) -> Vec<Reply> {
    let ready = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    ready.wait();
                    work()
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    })
}

#[both]
fn concurrent_refreshes_each_get_a_pair_and_rotate_once() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let replies = run_concurrently(|| program.refresh(&first.refresh, &[]));
    let all: Vec<_> = replies.iter().map(tokens).collect();
    for pair in &all {
        assert_eq!(check_token(&server, &pair.access), Ok(()));
    }
    // The grace period begins with the only rotation, whichever thread made it.
    server.env.clock.advance(120_000);
    tokens(&program.refresh(&first.refresh, &[]));
    server.env.clock.advance(1);
    super::assert_refused(&program.refresh(&first.refresh, &[]), 400, "invalid_grant");
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 1);
}

#[both]
fn a_code_used_concurrently_is_exchanged_once_and_then_revoked() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let code = program.code(&browser, &server.business, EVERY_SCOPE);
    let replies = run_concurrently(|| program.exchange(&code, &[]));
    let done: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(done.len(), 1, "{replies:?}");
    assert_eq!(check_token(&server, &tokens(done[0]).access), Err("key_revoked".to_owned()));
    assert_eq!(event_count(&server, &server.business, "code_replayed"), 1);
}

#[both]
fn concurrent_consents_count_once() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let request = consent_request(&browser.ask(&program.query(&[])));
    let replies = run_concurrently(|| browser.allow(&request, &server.business, EVERY_SCOPE));
    let taken = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(taken, 1, "{replies:?}");
    assert_eq!(event_count(&server, &server.business, "consent"), 1);
}

#[both]
fn concurrent_replays_are_recorded_once() {
    let server = Server::start();
    let program = Program::register(&server);
    let browser = Browser::signed_in(&server, &server.business.owner);
    let first = program.connect(&browser, &server.business, EVERY_SCOPE);
    let second = tokens(&program.refresh(&first.refresh, &[]));
    server.env.clock.advance(120_001);
    let replies = run_concurrently(|| program.refresh(&first.refresh, &[]));
    assert!(replies.iter().all(|reply| reply.status == 400), "{replies:?}");
    assert_eq!(check_token(&server, &second.access), Err("key_revoked".to_owned()));
    assert_eq!(event_count(&server, &server.business, "token_replayed"), 1);
}
