//! The welcome text of `zoop demo`, on one screen: the address, how to sign in, the keys, and a call to paste.

use serde_json::{Value, json};

/// The search term of the example call. It finds Nguyễn in the sample data, although it has no diacritics.
const SEARCHED: &str = "nguyen";

/// The credentials, shown once when they are issued.
pub(super) struct Credentials {
    /// The owner's password.
    pub(super) password: String,
    /// The owner's key.
    pub(super) user_key: String,
    /// The business's own key.
    pub(super) tenant_key: String,
}

/// The content of the welcome text.
pub(super) struct Welcome {
    /// The server's base address.
    pub(super) url: String,
    /// The credentials that this run issued; `None` if an earlier run issued them.
    pub(super) credentials: Option<Credentials>,
    /// The business's id.
    pub(super) tenant_id: String,
    /// The owner's id.
    pub(super) owner_id: String,
    /// The owner's name.
    pub(super) owner_name: String,
    /// The owner's e-mail address.
    pub(super) owner_email: String,
    /// The database's URL.
    pub(super) database: String,
}

impl Welcome {
    /// The endpoint's address.
    fn endpoint(&self) -> String {
        format!("{}/api/mcp", self.url)
    }

    /// The content as one JSON object. Credentials that an earlier run issued are `null`.
    pub(super) fn object(&self) -> Value {
        let credential = |field: fn(&Credentials) -> &String| self.credentials.as_ref().map(field);
        json!({
            "url": self.url,
            "mcp_url": self.endpoint(),
            "user_key": credential(|it| &it.user_key),
            "tenant_key": credential(|it| &it.tenant_key),
            "tenant_id": self.tenant_id,
            "owner_id": self.owner_id,
            "sign_in_url": self.url,
            "owner_email": self.owner_email,
            "owner_password": credential(|it| &it.password),
            "database": self.database,
        })
    }

    /// The content as text for people. If the address is short, it fits 23 lines of 80 columns.
    pub(super) fn text(&self) -> String {
        let Self { url, owner_name, owner_email, database, .. } = self;
        let endpoint = self.endpoint();
        let head = format!(
            "zoop is running with a sample business.\n\n  Endpoint  {endpoint}\n  Database  {database}\n  \
             Sign in   {url}\n            as {owner_email} ({owner_name})\n"
        );
        let tail = "Connect Claude, Cursor, VS Code and others: zoop demo --clients\nAsk your agent: \
             \"Find the Nguyens and tell me how to get into their yard\"\nStop with Ctrl-C; the data stays.";
        let Some(Credentials { password, user_key, tenant_key }) = &self.credentials else {
            return format!(
                "{head}\nThe password and the keys that an earlier run printed still work.\nLost them? \
                 zoop demo --renew creates new ones, and the old ones stop working.\n\n{tail}\n"
            );
        };
        format!(
            "{head}            with the password {password}\n  \
             Keys      {user_key}\n            ({owner_name})\n            {tenant_key}\n            \
             (the business; writes no notes)\n\nThey are not shown again. Try one:\n\n{curl}\n\n{tail}\n",
            curl = curl(&endpoint, user_key)
        )
    }
}

/// A call to paste into a shell. Lines are short because the shell joins adjacent quoted strings.
fn curl(endpoint: &str, key: &str) -> String {
    let call = json!({ "name": "customers.search", "arguments": { "q": SEARCHED } });
    format!(
        "curl -sS {endpoint} \\\n  -H 'Content-Type: application/json' -H 'Authorization: Bearer '\\\n{key} \
         \\\n  -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":'\\\n'{call}}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_text_fits_one_screen() {
        let key = |prefix: &str| format!("{prefix}{}", "x".repeat(49));
        let credentials = Credentials {
            password: "0123-4567-89ab-cdef-0123".to_owned(),
            user_key: key("zoop_uk_"),
            tenant_key: key("zoop_tk_"),
        };
        let mut welcome = Welcome {
            url: "http://127.0.0.1:65535".to_owned(),
            credentials: Some(credentials),
            tenant_id: String::new(),
            owner_id: String::new(),
            owner_name: "Dana Whitfield".to_owned(),
            owner_email: "dana@copper-creek.example".to_owned(),
            database: "sqlite://zoop.db".to_owned(),
        };
        for _ in 0..2 {
            let text = welcome.text();
            assert!(text.lines().count() < 24, "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            welcome.credentials = None;
        }
    }
}
