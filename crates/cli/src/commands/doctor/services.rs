//! Checks of `zoop doctor` that need more than the database: whether browsers keep a session at the public URL, and
//! whether the mail server and the company's identity provider answer.

use anyhow::{Result, anyhow, bail};
use zoop_server::WebOrigin;

use super::Check;
use crate::config::Config;

/// Checks the services that the settings name.
pub(super) fn examine(config: &Config, checks: &mut Vec<Check>) {
    if config.server.public_url.is_some() {
        checks.push(Check::advice("public URL", check_public_url(config)));
    }
    match config.mailer() {
        Ok(None) => {}
        Ok(Some(mailer)) => {
            let reached = mailer.reach().map(|()| "the mail server answers".to_owned());
            let hint = "Check mail.url. Until the mail server answers, invitations are shown but not mailed.";
            let reached = reached.map_err(|error| anyhow!("{error}. {hint}"));
            checks.push(Check::advice("mail server", reached));
        }
        Err(error) => checks.push(Check::new("mail server", Err(error))),
    }
    match config.provider() {
        Ok(None) => {}
        Ok(Some(company)) => {
            let reached = company.reach().map(|()| format!("{} answers", company.issuer));
            let hint = "no one can sign in there: check company.issuer and the network";
            let reached = reached.map_err(|error| anyhow!("{error}: {hint}"));
            checks.push(Check::advice("company's provider", reached));
        }
        Err(error) => checks.push(Check::new("company's provider", Err(error))),
    }
}

/// Returns the public URL, or an error if users cannot sign in there.
fn check_public_url(config: &Config) -> Result<String> {
    let url = config.public_url(None)?;
    if !url.parse::<WebOrigin>()?.keeps_cookies() {
        bail!(
            "{url} is plain HTTP: no one can sign in there, because browsers keep no session without TLS, \
             and keys can be intercepted. Put a TLS proxy in front of the server and use https"
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_accepted_only_at_localhost_and_its_two_addresses() {
        let check = |url: &str| {
            let mut config = Config::default();
            config.server.public_url = Some(url.to_owned());
            check_public_url(&config)
        };
        for url in [
            "https://crm.example.com",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]:8080",
        ] {
            assert_eq!(check(url).unwrap(), url);
        }
        for url in [
            "http://crm.example.com",
            "http://localhost-crm.lan",
            "http://localhost.example.com",
            "http://127.0.0.100",
        ] {
            let refusal = check(url).unwrap_err().to_string();
            assert!(refusal.contains("is plain HTTP"), "{refusal}");
        }
    }
}
