//! Secrets in settings: their sources, and a check that no message repeats a secret.

use crate::env::{Answer, Folder};

/// Part of every secret here. It is a number, because parsers tend to repeat numbers in errors.
const MARK: &str = "8675309";

/// The source of a value.
#[derive(Debug, Clone, Copy)]
enum Source {
    Flag,
    Variable,
    SecretFile,
    /// The variable for a secret's file contains the secret itself.
    MistakenPath,
    TomlText,
    /// The value without quotes, however TOML parses it.
    TomlBare,
}

const SOURCES: &[Source] = &[
    Source::Flag,
    Source::Variable,
    Source::SecretFile,
    Source::MistakenPath,
    Source::TomlText,
    Source::TomlBare,
];

const SECRETS: &[&str] = &["database", "company.client_secret", "mail.url"];

/// Invalid values for secret settings.
const BROKEN: &[&str] = &[
    "8675309",
    "-8675309.5",
    "[8675309]",
    "{ a = 8675309 }",
    "'8675309",
    "\"8675309",
    "8675309\n\"",
    "postgres://u8675309:p@8675309@db.invalid/x",
    "postgres://8675309:x@127.0.0.1:1/x",
    "postgres://u:8675309@127.0.0.1:1/x?sslmode=verify-full",
    "postgres://u:8675309@127.0.0.1:1/x?8675309=1",
    "postgres://u:a/8675309@127.0.0.1:1/x",
    "postgres://u:8675309",
    "postgres:///x?password=a&8675309",
    "mysql://u:8675309@127.0.0.1/x",
    "sqlite:8675309",
    "smtp://u:p@8675309@127.0.0.1:x",
    "smtps://u8675309:8675309@",
    "imap://8675309@127.0.0.1",
];

/// Runs `zoop` with a setting from one source; `None` if the setting cannot come from there.
fn run(setting: &str, source: Source, value: &str, arguments: &[&str]) -> Option<Answer> {
    let folder = Folder::new();
    let typed = format!("--database={value}");
    let flag = [arguments, &[typed.as_str()]].concat();
    let variable = format!("ZOOP_{}", setting.replace('.', "_").to_uppercase());
    let mut command = match source {
        Source::Flag if setting != "database" => return None,
        Source::Flag => folder.command(&flag),
        _ => folder.command(arguments),
    };
    let toml = |value: &str| match setting.split_once('.') {
        Some((section, key)) => format!("[{section}]\n{key} = {value}\n"),
        None => format!("{setting} = {value}\n"),
    };
    match source {
        Source::Flag => {}
        Source::Variable => drop(command.env(variable, value)),
        Source::SecretFile => {
            folder.write("secret", value);
            command.env(format!("{variable}_FILE"), "secret");
        }
        Source::MistakenPath => drop(command.env(format!("{variable}_FILE"), value)),
        Source::TomlText => folder.write("zoop.toml", &toml(&format!("'''{value}'''"))),
        Source::TomlBare => folder.write("zoop.toml", &toml(value)),
    }
    command.env("ZOOP_SERVER_LISTEN", "127.0.0.1:0").env("ZOOP_SERVER_OPS_LISTEN", "none");
    Some(Answer::from(command.output().expect("zoop runs")))
}

#[test]
fn no_message_repeats_any_part_of_a_secret() {
    for setting in SECRETS {
        for source in SOURCES {
            for value in BROKEN {
                // A server with such a setting does not start, so every run ends.
                let commands: &[&[&str]] = match source {
                    Source::Flag | Source::Variable => {
                        &[&["doctor"], &["serve"], &["serve", "--print-config"]]
                    }
                    _ => &[&["doctor"]],
                };
                for arguments in commands {
                    let Some(answer) = run(setting, *source, value, arguments) else { continue };
                    let output = format!("{}{}", answer.stdout, answer.stderr);
                    let what = format!("{setting} {source:?} {value} {arguments:?}: {output}");
                    assert!(!output.contains(MARK) && !output.is_empty(), "{what}");
                    assert!(arguments != &["serve"] || answer.code == 1, "{what}");
                }
            }
        }
    }
}

#[test]
fn a_secret_is_read_from_its_file_without_the_trailing_newline() {
    let folder = Folder::new();
    let print = |variable: &str, text: &str| {
        folder.write("secret", text);
        let mut command = folder.command(&["serve", "--print-config"]);
        let answer = command.env(variable, "secret").output().expect("zoop runs");
        Answer::from(answer).stdout
    };
    for ending in ["", "\n", "\r\n"] {
        let url = print("ZOOP_DATABASE_FILE", &format!("sqlite://from file.db{ending}"));
        assert!(url.contains("database = \"sqlite://from file.db\""), "{url:?}");
        let url = print("ZOOP_MAIL_URL_FILE", &format!("smtps://u:x@mail.example.com{ending}"));
        assert!(url.contains("url = \"smtps://…@mail.example.com\""), "{url:?}");
        let secret = print("ZOOP_COMPANY_CLIENT_SECRET_FILE", &format!("1{ending}"));
        assert!(secret.contains("client_secret = \"…\""), "{secret:?}");
    }
    let only_newline = print("ZOOP_DATABASE_FILE", "\n");
    assert_eq!(only_newline, "", "an empty secret is a mistake");
}

#[test]
fn a_secret_that_is_set_twice_is_refused() {
    let folder = Folder::new();
    folder.write("secret", "sqlite://b.db");
    let print = ["serve", "--print-config"];
    let mut command = folder.command(&print);
    command.env("ZOOP_DATABASE", "sqlite://a.db").env("ZOOP_DATABASE_FILE", "secret");
    let answer = Answer::from(command.output().expect("zoop runs"));
    let message = answer.failure();
    assert!(message.contains("by ZOOP_DATABASE and by ZOOP_DATABASE_FILE"), "{message}");
    let mut command = folder.command(&print);
    command.env("ZOOP_DATABASE_FILE", "nowhere");
    let answer = Answer::from(command.output().expect("zoop runs"));
    let message = answer.failure();
    assert!(
        message.contains("database (ZOOP_DATABASE_FILE) names a file that cannot be read"),
        "{message}"
    );
}
