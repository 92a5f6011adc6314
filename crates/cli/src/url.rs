//! Database URLs as they may be shown: a password in one is nobody's to see.

/// A database URL without the password in it. Where one is written in a way that it should not be,
/// with an `@` or a `/` as it is, too much is hidden rather than too little.
pub(crate) fn without_password(url: &str) -> String {
    let Some((start, user, place, options)) = parts(url) else { return url.to_owned() };
    let user = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        None => String::new(),
        Some((user, "")) => format!("{user}@"),
        Some((user, _)) => format!("{user}:…@"),
    };
    let option = |option: &str| match name(option).as_str() {
        "password" => "password=…".to_owned(),
        _ => option.to_owned(),
    };
    format!("{start}://{user}{place}{}", joined(options.into_iter().map(option)))
}

/// A server's URL without who asks.
pub(crate) fn without_user(url: &str) -> String {
    let Some((start, _, place, options)) = parts(url) else { return url.to_owned() };
    let is_said = |option: &&str| !matches!(name(option).as_str(), "user" | "password");
    let options = options.into_iter().filter(is_said).map(str::to_owned);
    format!("{start}://{place}{}", joined(options))
}

/// A server's URL as scheme, user and password, host with database, and options.
fn parts(url: &str) -> Option<(&str, Option<&str>, &str, Vec<&str>)> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite")?;
    let (user, place) = match rest.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, rest),
    };
    let (place, options) = place.split_once('?').unwrap_or((place, ""));
    let options = options.split('&').filter(|option| !option.is_empty());
    Some((scheme, user, place, options.collect()))
}

/// The name of an option of a URL.
fn name(option: &str) -> String {
    option.split('=').next().unwrap_or_default().to_ascii_lowercase()
}

fn joined(options: impl Iterator<Item = String>) -> String {
    let options: Vec<_> = options.collect();
    if options.is_empty() { String::new() } else { format!("?{}", options.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden() {
        let hidden = without_password("postgres://zoop:s3c:r@t@db.example.com:5432/zoop?ssl=1");
        assert_eq!(hidden, "postgres://zoop:…@db.example.com:5432/zoop?ssl=1");
        assert_eq!(without_password("sqlite://a@b:c.db"), "sqlite://a@b:c.db");
        for (url, hidden) in [
            ("postgres://zoop@db/zoop?ssl=1", "postgres://zoop@db/zoop?ssl=1"),
            ("postgresql://z:a/b?c@db/zoop", "postgresql://z:…@db/zoop"),
            (
                "postgres:///zoop?host=/tmp&password=s3c&user=z",
                "postgres:///zoop?host=/tmp&password=…&user=z",
            ),
            ("postgres:///zoop?Password=s3c", "postgres:///zoop?password=…"),
            ("postgres://z:s3c@db/zoop?password=s3c", "postgres://z:…@db/zoop?password=…"),
        ] {
            assert_eq!(without_password(url), hidden);
        }
        let url = "postgres://z:s3c@db/zoop?user=z&host=/tmp&password=s3c";
        assert_eq!(without_user(url), "postgres://db/zoop?host=/tmp");
    }
}
