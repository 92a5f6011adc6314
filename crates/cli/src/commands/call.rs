//! `zoop call`: sends one tool call to a running server, over HTTP like any other client.

use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use serde_json::value::RawValue;
use zoop_mcp::client::{Reply, call_tool_body, read_tool_reply};

use crate::arguments::Call;
use crate::config::{Config, FILE};
use crate::output::Output;

/// The time limit for a call, longer than the server's own deadline.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The size limit of a reply, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The maximum number of problems that an error's message contains.
const MAX_PROBLEMS_IN_MESSAGE: usize = 3;

/// Runs the command.
pub(crate) fn run(config: &Config, command: Call, output: &mut Output<'_>) -> Result<()> {
    let base = match option_or_variable(command.url, "ZOOP_URL") {
        Some(base) => base,
        None => config.public_url(None)?,
    };
    let key = option_or_variable(command.key, "ZOOP_API_KEY").ok_or_else(|| {
        anyhow!("a key is required: set ZOOP_API_KEY or --key; `zoop key create` creates one")
    })?;
    if !key.chars().all(|character| character.is_ascii_graphic()) {
        bail!("the key contains invalid characters: check that you pasted it completely");
    }
    let arguments = match command.arguments.as_str() {
        "-" => io::read_to_string(io::stdin()).context("cannot read the arguments")?,
        _ => command.arguments,
    };
    let arguments = RawValue::from_string(arguments)
        .context("the arguments are not valid JSON: write an object such as '{\"q\":\"reyes\"}'")?;
    let body = call_tool_body(1, &command.tool, &arguments);
    // Other clients need the endpoint's full address, so it may be pasted here too.
    let base = base.trim_end_matches('/').trim_end_matches("/api/mcp");
    let is_address = base.starts_with("http://") || base.starts_with("https://");
    if !is_address || base.contains('@') {
        bail!("the address cannot be used: write --url http://HOST:PORT, without user or password");
    }
    let reply = post(&format!("{base}/api/mcp"), &key, &body)?;
    match reply {
        Reply::Tool { text, is_error: false } => print(&text, output),
        Reply::Tool { text, is_error: true } => {
            // For programs, the tool's JSON goes to stdout in addition to the message on stderr.
            if output.is_json() {
                print(&text, output)?;
            }
            Err(refusal(&text))
        }
        Reply::ProtocolError { code, message, data } => {
            let reason = data.as_ref().and_then(|data| data["reason"].as_str());
            let hint = match reason {
                Some("missing_token" | "invalid_token" | "key_revoked" | "expired") => {
                    ": `zoop key create` creates a new key"
                }
                _ => "",
            };
            bail!("{message} ({}){hint}", reason.map_or_else(|| code.to_string(), str::to_owned))
        }
    }
}

/// The value of an option, or else of its variable, without the white space that pasting may add around it.
fn option_or_variable(option: Option<String>, variable: &str) -> Option<String> {
    let value = option.or_else(|| std::env::var(variable).ok())?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Sends the call.
fn post(url: &str, key: &str, body: &[u8]) -> Result<Reply> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        // A redirect must not send the key to another address.
        .max_redirects(0)
        .timeout_global(Some(TIMEOUT))
        .user_agent(concat!("zoop-call/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let response = agent
        .post(url)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .send(body)
        .with_context(|| no_answer_advice(url))?;
    let status = response.status();
    let mut reply = Vec::new();
    response
        .into_body()
        .into_reader()
        .take(MAX_BYTES)
        .read_to_end(&mut reply)
        .context("the answer was cut off")?;
    read_tool_reply(&reply)
        .with_context(|| format!("{url} answered {status}, but it is not a zoop server's answer"))
}

/// What to do if no server answers.
fn no_answer_advice(url: &str) -> String {
    let file = if Path::new(FILE).exists() {
        format!(" or a settings file with --config; `zoop call` does not read {FILE} by itself")
    } else {
        String::new()
    };
    format!("no server answers at {url}: start one, or name another address with --url{file}")
}

/// Prints the tool's answer: pretty-printed for people, on one line for programs.
fn print(text: &str, output: &mut Output<'_>) -> Result<()> {
    let answer: Box<RawValue> =
        serde_json::from_str(text).context("the answer is not valid JSON")?;
    if output.is_json() || !io::stdout().is_terminal() {
        output.object(&answer)?;
    } else {
        let value: Value = serde_json::from_str(answer.get())?;
        output.text(&serde_json::to_string_pretty(&value)?)?;
    }
    Ok(())
}

/// The tool's error.
fn refusal(text: &str) -> anyhow::Error {
    let Ok(body) = serde_json::from_str::<Value>(text) else { return anyhow!("{text}") };
    let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    // The message already contains the first problems.
    let fields = body["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let problems: Vec<String> = fields
        .iter()
        .skip(MAX_PROBLEMS_IN_MESSAGE)
        .map(|field| format!("\n  {} {}", word(field, "field"), word(field, "problem")))
        .collect();
    anyhow!("{}: {}{}", word(&body, "kind"), word(&body, "message"), problems.concat())
}
