//! Changes the database or the role in a server's URL.

use anyhow::{Context, Result};

/// The same server's URL, with its options, for another database.
pub(crate) fn with_database(url: &str, database: &str) -> Result<String> {
    let parts = Parts::parse(url)?;
    let user = parts.user.map(|user| format!("{user}@")).unwrap_or_default();
    let options = parts.options_without(&["dbname"]);
    Ok(join(&format!("{}://{user}{}/{database}", parts.scheme, parts.server), &options))
}

/// The same URL for a role with a password, neither of which needs percent-encoding.
pub(crate) fn with_role(url: &str, role: &str, password: &str) -> Result<String> {
    let parts = Parts::parse(url)?;
    let mut options = parts.options_without(&["user", "password"]);
    let credentials = [format!("user={role}"), format!("password={password}")];
    options.extend(credentials.iter().map(String::as_str));
    let database = parts.database;
    Ok(join(&format!("{}://{}/{database}", parts.scheme, parts.server), &options))
}

fn join(address: &str, options: &[&str]) -> String {
    if options.is_empty() { address.to_owned() } else { format!("{address}?{}", options.join("&")) }
}

/// The parts of `SCHEME://USER:PASSWORD@SERVER/DATABASE?OPTIONS`. All but the scheme may be missing.
struct Parts<'a> {
    scheme: &'a str,
    user: Option<&'a str>,
    server: &'a str,
    database: &'a str,
    options: &'a str,
}

impl<'a> Parts<'a> {
    fn parse(url: &'a str) -> Result<Self> {
        // A URL that cannot be parsed may contain a password, so it is not shown.
        let (scheme, rest) = url
            .split_once("://")
            .context("the server's URL must be postgres://USER:PASSWORD@HOST/DATABASE")?;
        let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
        let (server, database) = address.split_once('/').unwrap_or((address, ""));
        let (user, server) = match server.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, server),
        };
        Ok(Self { scheme, user, server, database, options })
    }

    fn options_without(&self, names: &[&str]) -> Vec<&'a str> {
        let is_kept = |option: &&str| {
            let name = option.split('=').next().unwrap_or_default();
            !option.is_empty() && !names.contains(&name)
        };
        self.options.split('&').filter(is_kept).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_and_the_role_in_a_url_are_replaced() {
        for (given, of_superuser, of_role) in [
            ("postgres://ann@db/main", "postgres://ann@db/test", "postgres://db/test?"),
            ("postgres://ann@db", "postgres://ann@db/test", "postgres://db/test?"),
            ("postgres://ann@db/", "postgres://ann@db/test", "postgres://db/test?"),
            (
                "postgresql://ann:s3c@one:5432,two:5433/main?sslmode=require",
                "postgresql://ann:s3c@one:5432,two:5433/test?sslmode=require",
                "postgresql://one:5432,two:5433/test?sslmode=require&",
            ),
            (
                "postgres:///main?user=ann&host=/tmp/x&password=s3c&dbname=main",
                "postgres:///test?user=ann&host=/tmp/x&password=s3c",
                "postgres:///test?host=/tmp/x&",
            ),
            (
                "postgres://ann:s3c@%2Ftmp%2Fx/main?",
                "postgres://ann:s3c@%2Ftmp%2Fx/test",
                "postgres://%2Ftmp%2Fx/test?",
            ),
        ] {
            let changed = with_database(given, "test").expect("a URL");
            assert_eq!(changed, of_superuser);
            let changed = with_role(&changed, "bob", "right").expect("a URL");
            assert_eq!(changed, format!("{of_role}user=bob&password=right"));
        }
        let error = with_database("host=db password=s3c", "test").expect_err("no URL");
        assert!(!error.to_string().contains("s3c"), "{error}");
    }
}
