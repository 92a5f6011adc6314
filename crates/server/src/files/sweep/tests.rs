//! What a sweep deletes, and what it leaves alone.

use std::sync::mpsc::Sender;

use axum::Router;
use axum::response::AppendHeaders;
use serde_json::json;
use zoop_both::both;
use zoop_crm::database_identity::DatabaseId;
use zoop_crm::testing::{Business, TestEnv};
use zoop_crm::values::id::following;

use super::*;
use crate::app::{App, Settings};
use crate::files::objects::Object;
use crate::files::pictures::PictureSize;

const HOUR: i64 = 60 * 60 * 1_000;

/// Adds a file with content to the note.
async fn add(env: &TestEnv, acme: &Business, store: &FileStore, note: &str) -> Id<kinds::File> {
    let file = env.add_file(&acme.owner, note, "a.txt", b"text").expect("a file").id;
    write(acme, store, file).await;
    file
}

async fn write(acme: &Business, store: &FileStore, file: Id<kinds::File>) {
    let mut writer = store.write(Key { tenant: acme.account.id, file }).await.expect("a writer");
    writer.write(b"text").await.expect("written");
    writer.finish().await.expect("stored");
}

/// A server's state, with a folder as its store.
fn shared(env: &TestEnv, store: &FileStore) -> std::sync::Arc<Shared> {
    let mut settings = Settings::new("http://t.test".parse().expect("a URL"));
    settings.files = Some(store.clone());
    App::new(env.db.clone(), env.environment.clone(), settings).shared
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

/// Both clocks, which go at the same pace.
struct Clocks<'e> {
    env: &'e TestEnv,
    began: (Timestamp, Instant),
}

impl<'e> Clocks<'e> {
    fn of(env: &'e TestEnv) -> Self {
        Self { env, began: (env.environment.clock.now(), Instant::now()) }
    }

    fn now(&self) -> RoundTime {
        let clock = self.env.environment.clock.now();
        let passed = u64::try_from(clock.0 - self.began.0.0).expect("it goes forward");
        RoundTime { clock, steady: self.began.1 + Duration::from_micros(passed) }
    }
}

/// Content that no row names.
async fn lose(env: &TestEnv, business: &Business, store: &FileStore) {
    let lost = Id::new(following(None, env.environment.clock.now(), 7));
    write(business, store, lost).await;
}

#[both]
fn nothing_is_deleted_in_the_store_of_another_database() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate sticks." }));
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let shared = shared(&env, &store);
    run(async {
        let other = "00000000-0000-4000-8000-000000000001 elsewhere";
        store.adopt(&DatabaseId::parse(other).expect("an id")).await.expect("adopted");
        lose(&env, &acme, &store).await;
        let removed = add(&env, &acme, &store, &note).await;
        env.call(&acme.owner, "notes.remove_file", json!({ "id": removed })).expect("removed");
        env.clock.advance(25 * HOUR);
        let (clocks, mut sweeping) = (Clocks::of(&env), Sweeping::default());
        let mut left = async || {
            sweeping.round(&shared, clocks.now()).await;
            store.list(acme.account.id).await.expect("a list").len()
        };
        assert_eq!(left().await, 2);
        let named =
            env.read(move |tx| cleaning::removed(tx, acme.account.number, Timestamp(1 << 60)));
        assert_eq!(named.expect("files"), [], "the row counts for the account no longer");
        env.clock.advance(2 * HOUR);
        assert_eq!(left().await, 2);
        let ours = env.read(database_identity::get).expect("an id");
        store.adopt(&ours).await.expect("adopted");
        env.clock.advance(HOUR);
        assert_eq!(left().await, 2, "it is the first round in its own store");
        env.clock.advance(7 * HOUR);
        assert_eq!(left().await, 0);
    });
}

#[both]
fn removed_files_do_not_count_for_ever_without_a_store() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate sticks." }));
    let folder = tempfile::tempdir().expect("a folder");
    let shared = shared(&env, &FileStore::folder(folder.path().join("never used")));
    let file = env.add_file(&acme.owner, &note, "a.txt", b"text").expect("a file").id;
    env.call(&acme.owner, "notes.remove_file", json!({ "id": file })).expect("removed");
    let number = acme.account.number;
    let removed = || env.read(move |tx| cleaning::removed(tx, number, Timestamp(1 << 60)));
    let (clocks, mut sweeping) = (Clocks::of(&env), Sweeping::default());
    run(sweeping.round(&shared, clocks.now()));
    assert_eq!(removed().expect("files"), [file], "not before a day has passed");
    env.clock.advance(25 * HOUR);
    run(sweeping.round(&shared, clocks.now()));
    assert_eq!(removed().expect("files"), []);
}

#[both]
fn a_business_that_cannot_be_swept_does_not_keep_the_others_from_it() {
    let env = TestEnv::new();
    let [first, second] = ["First", "Second"].map(|name| env.empty_business(name));
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let shared = shared(&env, &store);
    run(async {
        let in_the_way = folder.path().join(first.account.id.to_string());
        std::fs::write(&in_the_way, "no folder").expect("a file");
        lose(&env, &second, &store).await;
        let (clocks, mut sweeping) = (Clocks::of(&env), Sweeping::default());
        let mut two_rounds = async || {
            for _ in 0..2 {
                env.clock.advance(25 * HOUR);
                sweeping.round(&shared, clocks.now()).await;
            }
        };
        two_rounds().await;
        assert_eq!(store.list(second.account.id).await.expect("a list"), []);

        std::fs::remove_file(&in_the_way).expect("removed");
        lose(&env, &first, &store).await;
        two_rounds().await;
        assert_eq!(store.list(first.account.id).await.expect("a list"), []);
    });
}

/// A bucket that belongs to the database, and never lists the content of one tenant. Each question is sent to the channel.
async fn bucket(database: DatabaseId, silent_about: String, asked: Sender<String>) -> FileStore {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", server.local_addr().expect("an address"));
    let answer = move |target: String| {
        let (silent_about, asked) = (silent_about.clone(), asked.clone());
        async move {
            asked.send(target.clone()).expect("the test hears it");
            if target.contains(&silent_about) {
                std::future::pending::<()>().await;
            }
            let body = if target.contains("zoop-database") {
                database.to_string()
            } else {
                "<ListBucketResult></ListBucketResult>".to_owned()
            };
            let known = [("ETag", "1"), ("Last-Modified", "Mon, 01 Jun 2026 00:00:00 GMT")];
            (AppendHeaders(known), body)
        }
    };
    let router = Router::new().fallback(move |uri: axum::http::Uri| answer(uri.to_string()));
    tokio::spawn(async move { axum::serve(server, router).await });
    let keys = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let variables = keys.map(|(name, value)| (name.to_owned(), value.to_owned()));
    FileStore::open("s3://photos", Some(&endpoint), variables).expect("a store")
}

#[test]
fn a_business_whose_files_are_not_listed_in_time_does_not_hold_up_the_others() {
    let env = TestEnv::new();
    let [first, second] = ["First", "Second"].map(|name| env.empty_business(name).account.id);
    let database = env.read(database_identity::get).expect("an id");
    run(async {
        let (asked, questions) = std::sync::mpsc::channel();
        let store = bucket(database, first.to_string(), asked).await;
        let shared = shared(&env, &store);
        let tenant_timeout = Duration::from_millis(200);
        let mut sweeping = Sweeping { tenant_timeout, ..Sweeping::default() };
        let time = Clocks::of(&env).now();
        let round = sweeping.round(&shared, time);
        // Sooner than the request itself is given up.
        time::timeout(Duration::from_secs(20), round).await.expect("it goes on");
        let asked_about =
            |id: Id<kinds::Tenant>| move |target: String| target.contains(&id.to_string());
        assert!(questions.try_iter().any(asked_about(second)), "after the first");
        assert_eq!(sweeping.next, Some(time.steady + RETRY), "the first one is tried again soon");
    });
}

#[test]
fn content_of_a_bucket_is_as_old_as_the_bucket_says() {
    let now = Timestamp(100 * HOUR * 1_000);
    let stored = |hour: Option<i64>| Stored {
        file: Id::new(following(None, Timestamp(0), 7)),
        object: Object::Content,
        size: 1,
        since: hour.map(|hour| Timestamp(hour * HOUR * 1_000)),
    };
    assert!(is_old(&stored(Some(75)), now) && is_old(&stored(None), now));
    assert!(!is_old(&stored(Some(77)), now), "even if a wrong clock made its id");
}

#[both]
fn content_that_nothing_needs_is_deleted_after_a_day() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let note = env.create(&acme.owner, "notes.create", json!({ "body": "Gate sticks." }));
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let shared = shared(&env, &store);
    run(async {
        let kept = add(&env, &acme, &store, &note).await;
        let removed = add(&env, &acme, &store, &note).await;
        let lost = Id::new(following(None, env.environment.clock.now(), 7));
        write(&acme, &store, lost).await;
        for (file, size) in [
            (kept, PictureSize::Thumbnail),
            (removed, PictureSize::Thumbnail),
            (removed, PictureSize::Model),
        ] {
            let key = Key { tenant: acme.account.id, file };
            store.write_picture(key, size, "small".into()).await.expect("stored");
        }
        let remove = json!({ "id": removed });
        env.call(&acme.owner, "notes.remove_file", remove).expect("removed");
        let (clocks, mut sweeping) = (Clocks::of(&env), Sweeping::default());
        let mut left = async || {
            sweeping.round(&shared, clocks.now()).await;
            store.list(acme.account.id).await.expect("a list").len()
        };
        assert_eq!(left().await, 6);
        env.clock.advance(23 * HOUR);
        assert_eq!(left().await, 6, "not before a day has passed");
        env.clock.advance(2 * HOUR);
        assert_eq!(left().await, 6, "the next round is not due");
        env.clock.advance(5 * HOUR);
        assert_eq!(left().await, 6, "one round has found it");
        env.clock.advance(6 * HOUR);
        assert_eq!(left().await, 2);
        let left = store.list(acme.account.id).await.expect("a list");
        assert!(left.iter().all(|it| it.file == kept), "the file and its thumbnail: {left:?}");
    });
}

#[test]
fn nothing_is_deleted_because_the_clock_has_jumped() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let folder = tempfile::tempdir().expect("a folder");
    let store = FileStore::folder(folder.path());
    let shared = shared(&env, &store);
    run(async {
        let began = env.environment.clock.now();
        let (start, mut sweeping) = (Instant::now(), Sweeping::default());
        lose(&env, &acme, &store).await;
        // After so many hours by the clock, and by the one that does not jump.
        let mut left = async |clock: i64, steady: u32| {
            let clock = Timestamp(began.0 + clock * HOUR * 1_000);
            let steady = start + steady * Duration::from_secs(60 * 60);
            sweeping.round(&shared, RoundTime { clock, steady }).await;
            store.list(acme.account.id).await.expect("a list").len()
        };
        assert_eq!(left(25, 0).await, 1, "the first round deletes nothing");
        assert_eq!(left(100, 2).await, 1, "the clock has jumped ahead");
        assert_eq!(left(50, 10).await, 1, "and back");
        assert_eq!(left(57, 17).await, 0);
    });
}

#[test]
fn a_round_begins_after_the_last_business_of_one_that_ended_early() {
    let env = TestEnv::new();
    let ids = ["First", "Second"].map(|name| env.empty_business(name).account.id);
    let database = env.read(database_identity::get).expect("an id");
    run(async {
        let (asked, questions) = std::sync::mpsc::channel();
        let store = bucket(database, "none".to_owned(), asked).await;
        let shared = shared(&env, &store);
        let first = env.read(cleaning::tenants).expect("tenants")[0].number;
        let mut sweeping = Sweeping { last: Some(first), ..Sweeping::default() };
        sweeping.round(&shared, Clocks::of(&env).now()).await;
        let asked: Vec<_> = questions.try_iter().collect();
        let order = ids.map(|id| asked.iter().position(|it| it.contains(&id.to_string())));
        assert!(order[1].is_some() && order[1] < order[0], "{asked:?}");
        assert_eq!(sweeping.last, None);
    });
}
