//! Error pages for browsers. Other clients get the error as JSON, or with an empty body.

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::page;
use crate::app::App;
use crate::mcp;

/// Whether a browser asks for a page.
pub(crate) fn is_for_person(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    method == Method::GET && accepts.flat_map(|list| list.split(',')).any(is_html)
}

fn is_html(range: &str) -> bool {
    let media = range.split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case("text/html")
}

/// Replaces the body of an error with a page, unless the body is a page already. Status and headers are kept.
pub(crate) async fn for_people(request: Request, next: Next) -> Response {
    let is_for_person = is_for_person(request.method(), request.headers());
    let answer = next.run(request).await;
    let status = answer.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if !is_for_person || !is_refusal || is_page(&answer) {
        return answer;
    }
    let page = match status {
        StatusCode::NOT_FOUND => page::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => page::stop(
            status,
            "This address cannot be opened",
            "It is only for forms and programs. Go back to Zoop and start again.",
        ),
        status => page::stop(
            status,
            "This request was refused",
            "This address is for programs. Go back to Zoop and start again.",
        ),
    };
    with_page_body(answer, page)
}

/// `GET /api/mcp`. A browser gets a page that explains the address; a program gets the endpoint's own error.
pub(crate) async fn endpoint(app: State<App>, request: Request) -> Response {
    let is_for_person = is_for_person(request.method(), request.headers());
    let answer = mcp::endpoint(app, request).await;
    if !is_for_person {
        return answer;
    }
    let page = page::stop(
        answer.status(),
        "This is an address for programs",
        "Add this address as an MCP server in Claude, ChatGPT or another program. There is nothing \
         to see here in a browser.",
    );
    with_page_body(answer, page)
}

fn is_page(answer: &Response) -> bool {
    let media = answer.headers().get(CONTENT_TYPE).and_then(|media| media.to_str().ok());
    media.is_some_and(is_html)
}

fn with_page_body(answer: Response, page: Response) -> Response {
    let (mut head, _) = answer.into_parts();
    let (page_head, body) = page.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    for (name, value) in &page_head.headers {
        head.headers.insert(name, value.clone());
    }
    Response::from_parts(head, body)
}
