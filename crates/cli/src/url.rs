//! Removes user and password from URLs, so that they may be shown.

/// The options of a database URL that are shown. Any other option may be the rest of a password that contains an `&`.
const SHOWN_OPTIONS: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "sslmode",
    "connect_timeout",
    "application_name",
    "target_session_attrs",
];

/// A URL without user and password. If the URL is malformed, other parts may be hidden too.
pub(crate) fn without_password(url: &str) -> String {
    if url.starts_with("sqlite://") {
        return url.to_owned();
    }
    let Some((start, user, address, options)) =
        parts(url).filter(|parts| is_server_address(parts.0, parts.2))
    else {
        return "…".to_owned();
    };
    let user = user.map_or("", |_| "…@");
    let option = |option: &str| match option_name(option) {
        name if SHOWN_OPTIONS.contains(&name.as_str()) => option.to_owned(),
        name if name == "password" => "password=…".to_owned(),
        _ => "…".to_owned(),
    };
    format!("{start}://{user}{address}{}", query_string(options.into_iter().map(option)))
}

/// Whether a scheme and the address after the user are well-formed. If so, they contain no part of a password.
fn is_server_address(scheme: &str, address: &str) -> bool {
    let hosts = address.split('/').next().unwrap_or_default();
    let is_host = |host: &str| {
        let port = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
        port.is_none_or(|(_, port)| port.parse::<u16>().is_ok())
    };
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || "-._~%:,[]/".contains(character);
    ["postgres", "postgresql", "smtp", "smtps"].contains(&scheme)
        && address.chars().all(is_allowed)
        && hosts.split(',').all(is_host)
}

/// A server's URL without its user part.
pub(crate) fn without_user(url: &str) -> String {
    let Some((start, _, address, options)) = parts(url) else { return url.to_owned() };
    let is_kept = |option: &&str| !matches!(option_name(option).as_str(), "user" | "password");
    let options = options.into_iter().filter(is_kept).map(str::to_owned);
    format!("{start}://{address}{}", query_string(options))
}

/// The parts of a server's URL: scheme, user and password, host and database, options.
fn parts(url: &str) -> Option<(&str, Option<&str>, &str, Vec<&str>)> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite")?;
    let (user, address) = match rest.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, rest),
    };
    let (address, options) = address.split_once('?').unwrap_or((address, ""));
    let options = options.split('&').filter(|option| !option.is_empty());
    Some((scheme, user, address, options.collect()))
}

/// The name of an option of a URL.
fn option_name(option: &str) -> String {
    option.split('=').next().unwrap_or_default().to_ascii_lowercase()
}

fn query_string(options: impl Iterator<Item = String>) -> String {
    let options: Vec<_> = options.collect();
    if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        let hidden = without_password("postgres://zoop:s3c:r@t@db.example.com:5432/zoop?ssl=1");
        assert_eq!(hidden, "postgres://…@db.example.com:5432/zoop?…");
        assert_eq!(without_password("sqlite://a@b:c.db"), "sqlite://a@b:c.db");
        for (url, hidden) in [
            ("postgres://zoop@db/zoop?sslmode=require", "postgres://…@db/zoop?sslmode=require"),
            ("postgresql://z:a/b?c@db/zoop", "postgresql://…@db/zoop"),
            (
                "postgres:///zoop?host=/tmp&password=s3c&user=z",
                "postgres:///zoop?host=/tmp&password=…&user=z",
            ),
            ("postgres:///zoop?password=s3&cret&c=r", "postgres:///zoop?password=…&…&…"),
            ("postgres:///zoop?Password=s3c", "postgres:///zoop?password=…"),
            ("postgres://z:s3c@db/zoop?password=s3c", "postgres://…@db/zoop?password=…"),
        ] {
            assert_eq!(without_password(url), hidden);
        }
        for hidden in ["s3c", "postgres://z:s3c", "mysql://z:s3c@db", "postgres://z:s3c/@@db x/y"] {
            assert_eq!(without_password(hidden), "…");
        }
        assert_eq!(without_password("postgres://z@[::1]:5432/a"), "postgres://…@[::1]:5432/a");
        assert_eq!(without_password("postgres://[::1]/a"), "postgres://[::1]/a");
        let url = "postgres://z:s3c@db/zoop?user=z&host=/tmp&password=s3c";
        assert_eq!(without_user(url), "postgres://db/zoop?host=/tmp");
    }
}
