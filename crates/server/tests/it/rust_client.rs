//! The official Rust client, in both eras.

use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Map, Value, json};
use zoop_both::both;
use zoop_crm::catalog;

use crate::server::Server;

fn call(name: &str, arguments: Value) -> CallToolRequestParams {
    let arguments: Map<String, Value> = arguments.as_object().expect("an object").clone();
    CallToolRequestParams::new(name.to_owned()).with_arguments(arguments)
}

/// Lists tools, calls one, and gets an error from a tool and one from the protocol.
async fn converse(url: String, key: String, lifecycle: ClientLifecycleMode) {
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(key);
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve_with_lifecycle(transport, lifecycle).await.expect("a connection");
    let tools = client.list_all_tools().await.expect("the tools");
    assert!(
        tools.iter().map(|tool| &*tool.name).eq(catalog::mcp_tools().map(|(_, tool)| tool.name))
    );
    let created = json!({ "customer_type": "individual", "first_name": "Marco" });
    let created = client.call_tool(call("customers.create", created)).await.expect("a result");
    let record = created.structured_content.expect("the record");
    let id = record["id"].as_str().expect("an id");
    let shown =
        client.call_tool(call("customers_get", json!({ "id": id }))).await.expect("a result");
    assert_eq!(shown.structured_content.expect("the record")["display_name"], "Marco");
    let refused =
        client.call_tool(call("customers.get", json!({ "id": 1 }))).await.expect("a result");
    assert_eq!(refused.is_error, Some(true));
    client.call_tool(call("customers.explode", json!({}))).await.expect_err("no such tool");
    let prompts = client.list_all_prompts().await.expect("the prompts");
    assert_eq!(prompts.len(), 3);
    client.cancel().await.expect("the client ends");
}

fn talk(lifecycle: ClientLifecycleMode) {
    let server = Server::start();
    let url = format!("http://{}/api/mcp", server.public);
    let key = server.business.owner_key.clone();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(converse(url, key, lifecycle));
}

#[both]
fn the_official_client_works_with_the_handshake() {
    talk(ClientLifecycleMode::Initialize);
}

#[both]
fn the_official_client_works_without_the_handshake() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    talk(ClientLifecycleMode::Discover { preferred_versions });
}
