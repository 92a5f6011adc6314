//! `zoop demo --clients`: prints what other programs need in their configuration files to use the endpoint.

use anyhow::Result;
use serde_json::{Value, json};

use crate::config::Config;
use crate::database::Missing;
use crate::operator::Operator;
use crate::output::Output;
use crate::server_address::Address;

/// The placeholder for a key, which is unknown because keys are not stored.
const YOUR_KEY: &str = "YOUR_KEY";

/// Prints the configuration.
pub(super) fn run(config: &Config, output: &mut Output<'_>) -> Result<()> {
    let operator = Operator::open(config, Missing::Refuse)?;
    let address = Address::of(config, &operator)?;
    address.announce(&*operator.environment.clock);
    let key = std::env::var("ZOOP_API_KEY").unwrap_or_default();
    let key = if key.trim().is_empty() { YOUR_KEY } else { key.trim() };
    let clients = Clients { endpoint: format!("{}/api/mcp", address.url), key };
    output.answer(&clients.object(), || clients.text())?;
    Ok(())
}

struct Clients<'k> {
    endpoint: String,
    key: &'k str,
}

impl Clients<'_> {
    fn object(&self) -> Value {
        json!({
            "mcp_url": self.endpoint,
            "claude_code": self.claude_code(),
            "http": { "mcpServers": { "zoop": self.http_server() } },
            "claude_desktop": self.desktop(),
            "vs_code": { "servers": { "zoop": self.http_server() } },
        })
    }

    fn text(&self) -> String {
        let hint = match self.key {
            YOUR_KEY => {
                "Replace YOUR_KEY with a key, or set ZOOP_API_KEY for this command.\nPrograms that can \
                 sign in with OAuth need only the endpoint's address.\n\n"
            }
            _ => "",
        };
        let Self { endpoint, .. } = self;
        format!(
            "{hint}Claude Code:\n\n{claude_code}\n\nClients that read mcpServers with HTTP (.mcp.json, \
             .cursor/mcp.json):\n\n{http:#}\n\nClaude Desktop, which only starts programs and rejects dots in \
             tool names:\n\n{desktop:#}\n\nVS Code (.vscode/mcp.json):\n\n{code:#}\n\nAny other client that \
             refuses dots in tool names:\n\n{endpoint}?names=underscore\n",
            claude_code = self.claude_code(),
            http = json!({ "mcpServers": { "zoop": self.http_server() } }),
            desktop = self.desktop(),
            code = json!({ "servers": { "zoop": self.http_server() } }),
        )
    }

    fn claude_code(&self) -> String {
        format!(
            "claude mcp add --transport http zoop {} \\\n  --header \"Authorization: Bearer {}\"",
            self.endpoint, self.key
        )
    }

    fn http_server(&self) -> Value {
        json!({
            "type": "http",
            "url": self.endpoint,
            "headers": { "Authorization": format!("Bearer {}", self.key) },
        })
    }

    /// Claude Desktop uses a bridge. The header's value is in a variable, because some systems lose a space in an
    /// argument.
    fn desktop(&self) -> Value {
        let endpoint = format!("{}?names=underscore", self.endpoint);
        json!({ "mcpServers": { "zoop": {
            "command": "npx",
            "args": ["mcp-remote", endpoint, "--header", "Authorization:${ZOOP_AUTHORIZATION}"],
            "env": { "ZOOP_AUTHORIZATION": format!("Bearer {}", self.key) },
        } } })
    }
}
