//! The sources of settings, and usage errors.

mod secrets;

use std::net::TcpListener;

use crate::env::{Answer, Folder};

const CONFIG: &[&str] = &["serve", "--print-config"];

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let folder = Folder::new();
    folder.write(
        "zoop.toml",
        "[server]\nlisten = '127.0.0.1:1001'\nops_listen = '127.0.0.1:1002'\n\
         request_deadline = '3s'\nallowed_origins = ['https://a.example']\n\
         [limits]\ncredential = 7\ntenant = 8\n",
    );
    let mut command = folder.command(&[CONFIG, &["--json", "--listen", "127.0.0.1:3001"]].concat());
    command
        .env("ZOOP_SERVER_LISTEN", "127.0.0.1:2001")
        .env("ZOOP_SERVER_OPS_LISTEN", "127.0.0.1:2002")
        .env("ZOOP_LIMITS_CREDENTIAL", "9")
        .env("ZOOP_SERVER_ALLOWED_ORIGINS", "https://b.example, https://c.example")
        .env("ZOOP_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7")
        .env("ZOOP_LOG_LEVEL", "")
        .env("ZOOP_SERVICE_HOST", "10.0.0.1");
    let answer = Answer::from(command.output().expect("zoop runs"));
    let config = answer.json();
    assert_eq!(config["server"]["listen"], "127.0.0.1:3001", "flag");
    assert_eq!(config["server"]["ops_listen"], "127.0.0.1:2002", "variable");
    assert_eq!(config["server"]["request_deadline"], "3s", "file");
    assert_eq!(config["server"]["allowed_origins"][1], "https://c.example", "variable");
    let proxies = &config["server"]["trusted_proxies"];
    assert_eq!(*proxies, serde_json::json!(["10.0.0.0/8", "192.0.2.7/32"]), "variable");
    assert_eq!(config["limits"]["credential"], 9, "variable");
    assert_eq!(config["limits"]["tenant"], 8, "file");
    assert_eq!(config["limits"]["note_writes"], 60, "default");
    assert_eq!(config["server"]["public_url"], "http://127.0.0.1:3001", "derived");
    assert_eq!(config["log"]["level"], serde_json::Value::Null, "an empty variable is not set");
}

#[test]
fn printed_settings_are_a_valid_file_and_hide_passwords() {
    let folder = Folder::new();
    let url = "postgres://zoop:secret@db.example.com/zoop";
    let printed = folder.zoop(&[CONFIG, &["--database", url]].concat());
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    assert!(printed.stdout.contains("postgres://…@db.example.com/zoop"), "{}", printed.stdout);
    assert!(!printed.stdout.contains("secret"));
    folder.write("zoop.toml", &printed.stdout);
    let again = folder.zoop(CONFIG);
    assert_eq!(again.stdout, printed.stdout);
}

#[test]
fn an_unknown_setting_or_an_invalid_value_is_named() {
    let folder = Folder::new();
    folder.write("zoop.toml", "[limits]\ncredental = 7\n");
    let answer = folder.zoop(CONFIG);
    assert!(answer.failure().contains("credental"), "{}", answer.stderr);
    folder.write("zoop.toml", "[server]\nrequest_deadline = 'soon'\n");
    let answer = folder.zoop(CONFIG);
    assert!(answer.failure().contains("such as 10s"), "{}", answer.stderr);
    folder.write("zoop.toml", "[server]\ntrusted_proxies = ['inside']\n");
    let answer = folder.zoop(CONFIG);
    assert!(answer.failure().contains("10.0.0.0/8"), "{}", answer.stderr);
    folder.write("zoop.toml", "[storage]\nwrite_batch = 0\n");
    let answer = folder.zoop(CONFIG);
    assert!(answer.failure().contains("write_batch"), "{}", answer.stderr);
    folder.write("zoop.toml", "[server\n");
    let answer = folder.zoop(CONFIG);
    assert!(answer.failure().contains("zoop.toml"), "{}", answer.stderr);
    assert_eq!(answer.stderr.lines().count(), 1, "{}", answer.stderr);
    let doctor = folder.zoop(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.starts_with("✗ settings"), "{}", doctor.stdout);
}

#[test]
fn each_invalid_setting_is_reported_once_with_its_source() {
    let folder = Folder::new();
    folder.write("zoop.toml", "[server]\nlistn = '127.0.0.1:1'\n[storage]\nreaders = 'two'\n");
    let mut command = folder.command(&[CONFIG, &["--listen", "8080"]].concat());
    command.env("ZOOP_LIMITS_CREDENTIAL", "many");
    let answer = Answer::from(command.output().expect("zoop runs"));
    assert_eq!(
        answer.failure(),
        "the settings cannot be used: \
         server.listn (zoop.toml) is not a setting; the nearest one is server.listen; \
         server.listen (--listen) must be an address and a port, such as 127.0.0.1:8080; \
         limits.credential (ZOOP_LIMITS_CREDENTIAL) must be a whole number from 0 to 4294967295, 0 for \
         no limit; \
         storage.readers (zoop.toml) must be a whole number of at least 1"
    );
}

#[test]
fn text_from_a_variable_is_taken_literally() {
    let folder = Folder::new();
    for text in ["269483756129837465", "true", "'quoted'", "\"x\"", "[a, b]", "{a=1}", " padded "] {
        let mut command = folder.command(&[CONFIG, &["--json"]].concat());
        command.env("ZOOP_COMPANY_CLIENT_ID", text).env("ZOOP_COMPANY_NAME", text);
        let config = Answer::from(command.output().expect("zoop runs")).json();
        assert_eq!(config["company"]["client_id"], text);
        assert_eq!(config["company"]["name"], text);
    }
}

#[test]
fn an_invalid_value_is_rejected_with_the_accepted_ones() {
    let folder = Folder::new();
    for (variable, value, accepted) in [
        ("ZOOP_LOG_LEVEL", "warning", "error, warn, info, debug, trace or off"),
        ("ZOOP_LOG_LEVEL", "zoop_srver=debug", "zoop_server"),
        ("ZOOP_LOG_FORMAT", "xml", "text or json"),
        ("ZOOP_SERVER_ALLOWED_ORIGINS", "*", "https://app.example.com"),
        ("ZOOP_SERVER_ALLOWED_ORIGINS", "https://a.example/path", "without a path"),
        ("ZOOP_SERVER_IN_FLIGHT", "0", "at least 1"),
        ("ZOOP_SERVER_REQUEST_DEADLINE", "0s", "such as 10s"),
        ("ZOOP_SERVER_OPS_LISTEN", "off", "or none"),
        ("ZOOP_SERVER_PUBLIC_URL", "https://u:p@crm.example.com", "https://crm.example.com"),
    ] {
        let mut command = folder.command(CONFIG);
        let answer = Answer::from(command.env(variable, value).output().expect("zoop runs"));
        let message = answer.failure();
        assert!(message.contains(accepted) && message.matches(variable).count() == 1, "{message}");
    }
    // Settings that belong together are checked when they are used.
    for (variable, value, accepted) in [
        ("ZOOP_MAIL_FROM", "zoop@example.com", "mail.url and mail.from belong together: set both"),
        ("ZOOP_MAIL_URL", "smtp://127.0.0.1", "mail.url and mail.from belong together: set both"),
        ("ZOOP_COMPANY_CLIENT_ID", "zoop", "belong together: set all three"),
    ] {
        let mut command = folder.command(&["doctor"]);
        let answer = Answer::from(command.env(variable, value).output().expect("zoop runs"));
        assert!(answer.stdout.contains(accepted), "{variable}: {}", answer.stdout);
    }
    for (value, expected) in [("WARN,zoop_db=trace", "warn,zoop_db=trace"), ("off", "off")] {
        let mut command = folder.command(&[CONFIG, &["--json"]].concat());
        let answer =
            Answer::from(command.env("ZOOP_LOG_LEVEL", value).output().expect("zoop runs"));
        assert_eq!(answer.json()["log"]["level"], expected);
    }
}

#[test]
fn a_flag_names_another_file_which_is_reported() {
    let folder = Folder::new();
    folder.write("zoop.toml", "[limits]\ncredential = 7\n");
    folder.write("other.toml", "[limits]\ncredential = 8\n");
    for (flags, file, limit) in
        [(&[][..], "zoop.toml", 7), (&["--config", "other.toml"], "other.toml", 8)]
    {
        let answer = folder.zoop(&[CONFIG, flags, &["--json"]].concat());
        assert_eq!(answer.json()["limits"]["credential"], limit);
        assert!(answer.stderr.contains(&format!("settings from {file}")), "{}", answer.stderr);
        let doctor = folder.zoop(&[&["doctor"], flags].concat()).stdout;
        assert!(doctor.contains(&format!("✓ settings: {file};")), "{doctor}");
    }
    let answer = folder.zoop(&[CONFIG, &["--config", "nowhere.toml"]].concat());
    assert!(answer.failure().contains("nowhere.toml cannot be read"), "{}", answer.stderr);
}

#[test]
fn a_call_ignores_the_address_in_the_current_folders_file() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    folder.write("zoop.toml", &format!("[server]\npublic_url = '{url}'\n"));
    let mut command = folder.command(&["call", "tags.list", "--key", "x"]);
    command.env("ZOOP_SERVER_LISTEN", "127.0.0.1:9");
    let answer = Answer::from(command.output().expect("zoop runs"));
    assert!(answer.failure().contains("does not read zoop.toml"), "{}", answer.stderr);
    assert!(listener.accept().is_err(), "no connection was opened");
    listener.set_nonblocking(false).expect("a listener that waits");
    let server = std::thread::spawn(move || drop(listener.accept().expect("a connection")));
    let answer = folder.zoop(&["call", "tags.list", "--key", "x", "--config", "zoop.toml"]);
    assert!(answer.failure().contains(&url), "{}", answer.stderr);
    server.join().expect("the address in the named file is used");
}

#[test]
fn usage_errors_exit_with_2_and_print_nothing_on_stdout() {
    let folder = Folder::new();
    for wrong in [
        &["frobnicate"][..],
        &[],
        &["key", "create"],
        &["key", "create", "--scope", "read:everything"],
        &["key", "create", "--scope", "read:notes", "--expires", "soon"],
        &["key", "create", "--scope", "read:notes", "--limit", "-1"],
        &["user", "set-role", "id", "boss"],
        &["restore", "tag", "id"],
        &["history", "--limit", "-1"],
    ] {
        let answer = folder.zoop(wrong);
        assert_eq!((answer.code, answer.stdout.as_str()), (2, ""), "{wrong:?}: {}", answer.stderr);
    }
    let version = folder.zoop(&["--version"]);
    assert_eq!(version.code, 0);
    assert_eq!(version.stdout, format!("zoop {}\n", env!("CARGO_PKG_VERSION")));
    assert!(folder.zoop(&["key", "create", "--help"]).stdout.contains("Examples:"));
}

#[test]
fn an_address_that_is_not_an_origin_prevents_the_start_and_is_explained() {
    let folder = Folder::new();
    let set = |name: &str, value: &str| {
        let mut command = folder.command(&[CONFIG, &["--json"]].concat());
        Answer::from(command.env(name, value).output().expect("zoop runs"))
    };
    for value in [
        "*",
        "https://*.example.com",
        "https://a.example,null",
        "app.example.com",
        "https://a.example/x",
    ] {
        let answer = set("ZOOP_SERVER_ALLOWED_ORIGINS", value);
        let message = answer.failure();
        assert!(
            message.contains("is not an origin") && message.contains("https://app.example.com"),
            "{message}"
        );
    }
    let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
    let command = command.env("ZOOP_SERVER_PUBLIC_URL", "https://www.example.com/crm");
    let answer = Answer::from(command.output().expect("zoop runs"));
    assert!(answer.failure().contains("without a path"), "{}", answer.stderr);
    let shown = set("ZOOP_SERVER_PUBLIC_URL", "HTTPS://CRM.Example.com:443/").json();
    assert_eq!(shown["server"]["public_url"], "https://crm.example.com");
    let shown = set("ZOOP_SERVER_ALLOWED_ORIGINS", "HTTPS://App.Example.com:443").json();
    assert_eq!(shown["server"]["allowed_origins"][0], "https://app.example.com");
}
