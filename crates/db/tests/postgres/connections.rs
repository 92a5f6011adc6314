//! Connections that break, servers that stop, and the errors for a server that cannot be reached.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zoop_db::{Db, Error, Migrate, Options, ReadTx, Tenant, params};
use zoop_postgres_cluster::Cluster;

use crate::{
    ADD, ASLEEP, COUNT, END_OTHER_CONNECTIONS, END_OWN_CONNECTION, MIGRATIONS, SLEEP, add, count,
    database, far, open,
};

#[test]
fn connections_lost_while_idle_are_reopened() {
    let database = database();
    let (db, other) = (open(database.url()), open(database.url()));
    add(&db, 1).expect("a row");
    let cut = other.read::<_, Error>(far(), |tx| {
        tx.global_first::<i64, Error>(END_OTHER_CONNECTIONS, &[], |row| row.take())
    });
    assert!(cut.wait().expect("a count") >= Some(1));
    for number in 2..20 {
        add(&db, number).expect("a row");
        assert_eq!(count(&db).expect("a count"), number);
    }
}

#[test]
fn a_write_whose_connection_broke_runs_again() {
    let database = database();
    let db = open(database.url());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let added = db.write::<_, Error>(far(), move |tx| {
        tx.bind(Tenant(1));
        let key = tx.insert(ADD, params![1_i64])?;
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            tx.global_first::<bool, Error>(END_OWN_CONNECTION, &[], |row| row.take())?;
        }
        Ok(key)
    });
    added.wait().expect("kept at the second run");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(count(&db).expect("a count"), 1);
}

#[test]
fn a_read_whose_connection_broke_fails_and_affects_no_other() {
    let database = database();
    let db = open(database.url());
    let cut = db.read::<_, Error>(far(), |tx| {
        tx.global_first::<bool, Error>(END_OWN_CONNECTION, &[], |row| row.take())
    });
    // The read ran again as if its connection had been lost while idle, and then ended its second connection.
    assert!(matches!(cut.wait(), Err(Error::Unavailable(_))));
    assert_eq!(count(&db).expect("a count"), 0);
}

#[test]
fn a_read_whose_snapshot_is_gone_fails_instead_of_using_another() {
    let database = database();
    let (db, other) = (open(database.url()), open(database.url()));
    add(&db, 1).expect("a row");
    let torn = db.read::<_, Error>(far(), move |tx| {
        tx.bind(Tenant(1));
        let count = |tx: &mut ReadTx<'_>| tx.first::<i64, Error>(COUNT, &[], |row| row.take());
        assert_eq!(count(tx)?, Some(1));
        let cut = other.read::<_, Error>(far(), |tx| {
            tx.global_first::<i64, Error>(END_OTHER_CONNECTIONS, &[], |row| row.take())
        });
        cut.wait()?;
        assert!(matches!(count(tx), Err(Error::Unavailable(_))));
        assert!(matches!(count(tx), Err(Error::Unavailable(_))));
        Ok(())
    });
    // The job ignored the errors, so its answer would be based on only some of its reads.
    assert!(matches!(torn.wait(), Err(Error::Unavailable(_))));
    assert_eq!(count(&db).expect("a count"), 1);
}

#[test]
fn a_statement_past_its_deadline_is_ended_on_the_server_too() {
    let database = database();
    let db = open(database.url());
    let soon = Instant::now() + Duration::from_millis(300);
    let asleep =
        db.read::<_, Error>(soon, |tx| tx.global_first::<i64, Error>(SLEEP, &[], |row| row.take()));
    assert!(matches!(asleep.wait(), Err(Error::Deadline)));
    assert!(Instant::now() < soon + Duration::from_millis(500));
    let left = db
        .read::<_, Error>(far(), |tx| tx.global_first::<i64, Error>(ASLEEP, &[], |row| row.take()));
    assert_eq!(left.wait().expect("a count"), Some(0));
}

#[test]
fn a_server_restart_is_logged_and_the_server_used_again() {
    let mut cluster = Cluster::start().expect("a cluster");
    let database = cluster.fresh_database().expect("a database");
    let db = open(database.url());
    add(&db, 1).expect("a row");
    cluster.stop_immediately().expect("stopped");
    assert!(matches!(count(&db), Err(Error::Unavailable(_))));
    assert!(matches!(add(&db, 2), Err(Error::Unavailable(_))));
    assert!(!db.takes_writes());
    cluster.restart().expect("started");
    add(&db, 2).expect("a row");
    assert!(db.takes_writes());
    assert_eq!(count(&db).expect("a count"), 2);
}

#[test]
fn connection_errors_do_not_show_the_password() {
    let refused = |url: &str| {
        let opened = Db::open(url, &Options::default(), MIGRATIONS, Migrate::Run);
        let error = opened.err().expect("a refusal");
        let message = format!("{error} {error:?}");
        assert!(!message.contains("hunter2") && !message.contains("ursula"), "{message}");
        (error, message)
    };
    let (error, message) = refused("postgres://ursula:hunter2@localhost:1/zoop");
    assert!(matches!(error, Error::Connect { .. }), "{message}");
    assert!(message.contains("at localhost:1/zoop"), "{message}");
    for url in [
        "postgres://",
        "postgres://ursula:hunter2@h/zoop?hunter2",
        "postgres://ursula:p@hunter2@h/zoop",
        "postgres://ursula:p@hunter2/zoop?application_name=a@b",
    ] {
        let (error, message) = refused(url);
        assert!(matches!(error, Error::ServerUrl), "{message}");
    }
    for parameter in
        ["x=y", "hunter2=1", "schema=hunter2", "sslrootcert=hunter2", "password=p&ursula=1"]
    {
        let (error, message) = refused(&format!("postgres://ursula:hunter2@h/zoop?{parameter}"));
        assert!(matches!(error, Error::Schema(_)), "{message}");
        assert!(
            message.contains("an unknown parameter; the known ones are user, password, dbname"),
            "{message}"
        );
        assert!(!message.contains("%40"), "{message}");
    }
    for name in ["connect_timeout", "port", "target_session_attrs"] {
        let (error, message) = refused(&format!("postgres://ursula:hunter2@h/zoop?{name}=hunter2"));
        assert!(matches!(error, Error::Schema(_)), "{message}");
        assert!(
            message.contains(&format!("the parameter {name} with an invalid value")),
            "{message}"
        );
    }
    let (error, message) = refused("postgres://ursula:p?hunter2=1@localhost:1/zoop");
    assert!(
        matches!(error, Error::Connect { .. }),
        "a ? in a password begins no parameters: {message}"
    );
    for mode in ["verify-full", "verify-ca", "hunter2", ""] {
        let (error, message) =
            refused(&format!("postgres://ursula:hunter2@h/zoop?x=y&sslmode={mode}"));
        assert!(matches!(error, Error::SslMode), "{message}");
        assert!(message.contains("disable, prefer or require"), "{message}");
    }
    let database = database();
    let nowhere = database.url().replace("zoop_test", "zoop_nowhere");
    let (error, message) = refused(&nowhere);
    assert!(matches!(error, Error::Connect { .. }), "{message}");
    assert!(message.contains("does not exist"), "{message}");
}

#[test]
fn the_urls_password_is_sent_to_a_server_that_asks() {
    let cluster = Cluster::start_with_passwords().expect("a cluster");
    let database = cluster.fresh_database().expect("a database");
    let db = open(database.url());
    add(&db, 1).expect("a row");
    assert_eq!(count(&db).expect("a count"), 1);
    let wrong = database.url().replace("password=", "password=not");
    let opened = Db::open(&wrong, &Options::default(), MIGRATIONS, Migrate::Run);
    let error = opened.err().expect("a refusal").to_string();
    assert!(error.contains("password authentication failed"), "{error}");
}

#[test]
fn the_servers_clock_is_read_as_a_point_in_time_and_advances() {
    let database = database();
    let db = open(database.url());
    let first = db.clock().expect("a clock");
    assert!(db.clock().expect("a clock") >= first);
    // After 2020-01-01, so the value is a point in time and not a duration.
    assert!(first.0 > 1_577_836_800_000_000);
}

#[test]
fn a_server_without_tls_is_rejected_if_tls_is_required() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut request = [0; 8];
        client.read_exact(&mut request).expect("a request for TLS");
        client.write_all(b"N").expect("an answer");
        // The number of bytes that come next. It would be above 0 if the client sent the password anyway.
        client.read(&mut request).unwrap_or(0)
    });
    let url = format!("postgres://ann:hunter2@127.0.0.1:{port}/zoop?sslmode=require");
    let refused = Db::open(&url, &Options::default(), MIGRATIONS, Migrate::Run);
    let error = refused.err().expect("a refusal");
    assert!(error.to_string().contains("TLS"), "{error}");
    assert_eq!(server.join().expect("a server"), 0);
}
