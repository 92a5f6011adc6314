//! What `zoop demo` tells a newcomer: the address, the keys, and something to paste.

use std::env;

use serde_json::{Value, json};

/// A name that is in the sample data: the search finds Nguyễn without the marks.
const SEARCHED: &str = "nguyen";

/// What there is to tell.
pub(super) struct Welcome {
    /// The server's base address.
    pub(super) url: String,
    /// The owner's key.
    pub(super) user_key: String,
    /// The business's own key.
    pub(super) tenant_key: String,
    /// The business.
    pub(super) tenant_id: String,
    /// Its owner.
    pub(super) owner_id: String,
    /// The owner's name.
    pub(super) owner_name: String,
    /// The owner's e-mail address.
    pub(super) owner_email: String,
    /// The owner's password, made for this run.
    pub(super) owner_password: String,
    /// The database's URL.
    pub(super) database: String,
}

impl Welcome {
    /// The endpoint.
    fn endpoint(&self) -> String {
        format!("{}/api/mcp", self.url)
    }

    /// All of it as one object.
    pub(super) fn object(&self) -> Value {
        json!({
            "url": self.url,
            "mcp_url": self.endpoint(),
            "user_key": self.user_key,
            "tenant_key": self.tenant_key,
            "tenant_id": self.tenant_id,
            "owner_id": self.owner_id,
            "sign_in_url": self.url,
            "owner_email": self.owner_email,
            "owner_password": self.owner_password,
            "database": self.database,
        })
    }

    /// All of it for people.
    pub(super) fn text(&self) -> String {
        let Self { url, user_key, tenant_key, owner_name, database, .. } = self;
        let Self { owner_email, owner_password, .. } = self;
        let zoop = program();
        let endpoint = self.endpoint();
        format!(
            "zoop is running with a sample business.

  MCP endpoint  {endpoint}
  user key      {user_key}   ({owner_name}, the owner)
  tenant key    {tenant_key}   (integrations; writes no notes, creates no tags)
  sign in at    {url}   as {owner_email} with the password {owner_password}
  database      {database}

Try it:

{curl}

Claude Code:

claude mcp add --transport http zoop {endpoint} --header \"Authorization: Bearer {user_key}\"

Clients that read mcpServers with HTTP (.mcp.json, .cursor/mcp.json):

{http}

Claude Desktop, which starts programs only and refuses dots in tool names:

{desktop}

VS Code (.vscode/mcp.json):

{code}

Any other client that refuses dots in tool names: {endpoint}?names=underscore

Ask your agent: \"Find the Nguyens and tell me how to get into their yard\", \"What did we write
about sprinklers this year?\", \"Add a customer: Marco Reyes, 482 Oak Street, Oakland CA 94607\"

In another terminal, in this folder:

  {zoop} key create --scope read:customers --name reporting
  {zoop} history --limit 5
  {zoop} call tags.list --url {url} --key {user_key}
  {zoop} --help

Stop with Ctrl-C; the data stays, and the next `zoop demo` here goes on with it.
",
            curl = self.curl(),
            http = pretty(&json!({ "mcpServers": { "zoop": self.http_server() } })),
            desktop = pretty(&self.desktop()),
            code = pretty(&json!({ "servers": { "zoop": self.http_server() } })),
        )
    }

    /// A call to paste into a shell.
    fn curl(&self) -> String {
        let call = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": { "name": "customers.search", "arguments": { "q": SEARCHED } },
        });
        format!(
            "curl -sS {} \\\n  -H 'Authorization: Bearer {}' \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{call}'",
            self.endpoint(),
            self.user_key
        )
    }

    fn http_server(&self) -> Value {
        json!({
            "type": "http",
            "url": self.endpoint(),
            "headers": { "Authorization": format!("Bearer {}", self.user_key) },
        })
    }

    /// Through a bridge. The header's value stands in a variable because a space in an argument is
    /// lost on some systems.
    fn desktop(&self) -> Value {
        let endpoint = format!("{}?names=underscore", self.endpoint());
        json!({ "mcpServers": { "zoop": {
            "command": "npx",
            "args": ["mcp-remote", endpoint, "--header", "Authorization:${ZOOP_AUTHORIZATION}"],
            "env": { "ZOOP_AUTHORIZATION": format!("Bearer {}", self.user_key) },
        } } })
    }
}

/// What starts this program in a shell: its name if the shell finds it, else where it is.
fn program() -> String {
    const NAME: &str = "zoop";
    let folders = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&folders).any(|folder| folder.join(NAME).is_file()) {
        return NAME.to_owned();
    }
    env::current_exe().map_or_else(|_| NAME.to_owned(), |path| path.display().to_string())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
