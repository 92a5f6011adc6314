//! A client that calls tools over HTTP and recognizes missing answers.

use std::time::Duration;

use serde_json::{Value, json};

/// The time limit for an answer, so that a hanging test fails.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One caller with one connection, kept between its calls.
pub(crate) struct Client {
    agent: ureq::Agent,
    endpoint: String,
    authorization: String,
}

/// Gets a path from a server; returns the status and the body.
pub(crate) fn get(url: &str, path: &str) -> (u16, String) {
    let reply = agent().get(format!("{url}{path}")).call().expect("an answer");
    (reply.status().as_u16(), reply.into_body().read_to_string().expect("a body"))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(TIMEOUT))
        .proxy(None)
        .build()
        .into()
}

/// A server's answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// `Retry-After` in seconds.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
}

/// There was no complete answer: the server is gone, or stopped while answering.
#[derive(Debug)]
pub(crate) struct Unanswered;

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let (endpoint, authorization) = (format!("{url}/api/mcp"), format!("Bearer {key}"));
        Self { agent: agent(), endpoint, authorization }
    }

    /// Calls a tool.
    pub(crate) fn call(&self, tool: &str, arguments: &Value) -> Result<Reply, Unanswered> {
        let params = json!({ "name": tool, "arguments": arguments });
        let frame = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let request = self.agent.post(&self.endpoint).header("content-type", "application/json");
        let response = request.header("authorization", &self.authorization).send(frame.to_string());
        let response = response.map_err(|_| Unanswered)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let body = response.into_body().read_to_string().map_err(|_| Unanswered)?;
        let body = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body}"));
        Ok(Reply { status, retry_after, body })
    }

    /// Calls a tool, which must succeed; returns the tool's answer.
    #[track_caller]
    pub(crate) fn ask(&self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments).expect("an answer").success()
    }
}

impl Reply {
    /// The tool's answer; it must be a success.
    #[track_caller]
    pub(crate) fn success(&self) -> Value {
        let result = &self.body["result"];
        let is_success = self.status == 200 && result["isError"] != true;
        let text = result["content"][0]["text"].as_str().filter(|_| is_success);
        let text = text.unwrap_or_else(|| panic!("{self:?}"));
        serde_json::from_str(text).expect("JSON in the text")
    }
}
