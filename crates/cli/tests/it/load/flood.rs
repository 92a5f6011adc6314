//! A flood of anonymous requests: sign-ins, registrations, token requests. The server refuses most of them, and known
//! users are still served.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::{Pace, load, on_postgres, serve};
use crate::env::Folder;

const TIME: Duration = Duration::from_secs(3);
/// The flood's requests per second. A machine of this size cannot hash so many passwords in a second.
const FLOOD: f64 = 400.0;
const FLOODERS: u32 = 8;

#[test]
fn an_anonymous_flood_is_mostly_refused_and_users_are_served() {
    flood(&Folder::new());
}

#[test]
fn an_anonymous_flood_on_postgres_is_mostly_refused_and_users_are_served() {
    flood(&on_postgres());
}

fn flood(folder: &Folder) {
    let (server, key) = serve(folder, "");
    let alone = load(&server.url, &key, 4, Pace::PerSecond(100.0), TIME);
    assert_eq!((alone.rejected, alone.wrong.len()), (0, 0), "{:?}", alone.wrong);

    let over = AtomicBool::new(false);
    let (flooded, answers) = std::thread::scope(|scope| {
        let over = &over;
        let url = &server.url;
        let flooders: Vec<_> =
            (0..FLOODERS).map(|n| scope.spawn(move || send_flood(url, n, over))).collect();
        let flooded = load(&server.url, &key, 4, Pace::PerSecond(100.0), TIME);
        over.store(true, Ordering::Relaxed);
        let answers: Vec<u16> =
            flooders.into_iter().flat_map(|flooder| flooder.join().expect("a flooder")).collect();
        (flooded, answers)
    });
    let count = |status: u16| answers.iter().filter(|it| **it == status).count();
    eprintln!(
        "median and 99th percentile of the users' calls: {:?} and {:?} before the flood, {:?} and {:?} during it; \
         {} of the flood's {} requests were answered 429",
        alone.percentile(50),
        alone.percentile(99),
        flooded.percentile(50),
        flooded.percentile(99),
        count(429),
        answers.len()
    );
    assert_eq!((flooded.rejected, flooded.wrong.len()), (0, 0), "{:?}", flooded.wrong);
    assert!(answers.len() > 400, "there was a flood: {}", answers.len());
    assert_eq!(count(500) + count(503), 0, "the flood causes no server errors");
    // The limits in `server/src/anonymous_limits.rs`. Requests over a limit are answered 429 and not processed.
    let (sign_ins, registrations, token_requests) = (20, 20, 120);
    assert_eq!(count(201), registrations);
    assert_eq!(
        answers.len() - count(429),
        sign_ins + registrations + token_requests,
        "{answers:?}"
    );
    // Hashing the passwords of the first sign-ins may slow the users' calls a little.
    assert!(
        flooded.percentile(50) < alone.percentile(50) * 5 + Duration::from_millis(20),
        "{:?}",
        (flooded.percentile(50), alone.percentile(50))
    );
}

/// Sends unauthenticated requests of each kind in turn, and returns the statuses of the answers.
fn send_flood(url: &str, flooder: u32, over: &AtomicBool) -> Vec<u16> {
    let mut connection = Connection::open(url);
    let pause = Duration::from_secs_f64(f64::from(FLOODERS) / FLOOD);
    let mut next = Instant::now();
    let mut answers = Vec::new();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next += pause;
        let number = u32::try_from(answers.len()).expect("a small number") * FLOODERS + flooder;
        connection.send(&anonymous_request(url, number)).expect("the server reads");
        answers.push(connection.receive().expect("an answer").status);
    }
    answers
}

fn anonymous_request(url: &str, number: u32) -> Vec<u8> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let (path, content_type, body) = match number % 3 {
        0 => {
            let body = format!("email=nobody{number}%40example.com&password=guess-{number}-guess");
            ("/sign-in", FORM, body)
        }
        1 => {
            let body = r#"{"redirect_uris":["https://flood.example/callback"]}"#;
            ("/oauth/register", "application/json", body.to_owned())
        }
        _ => {
            let body = format!(
                "grant_type=refresh_token&client_id=x{number}&refresh_token=zoop_rt_{number}"
            );
            ("/oauth/token", FORM, body)
        }
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: zoop\r\norigin: {url}\r\ncontent-type: {content_type}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
