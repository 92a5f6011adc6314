//! `POST /api/mcp`: checks a request and passes it to the module that answers it.
//!
//! The rules of the protocol are in `zoop-mcp`, and those of the tools in `zoop-crm`; this module connects both to
//! HTTP. The checks are, in order: origin, method, the token's form, body, headers, a seat, query and message. Then
//! the request's jobs run on database threads. Each job begins by looking up the token.
//!
//! Every message needs a valid token and is counted, even a notification or a message that cannot be parsed.

mod call;
mod context;
mod entry;
mod file_content;
#[cfg(feature = "conformance-fixtures")]
mod fixture;
mod headers;
mod lists;
mod prompts;
mod resources;
pub(crate) mod tool_book;
mod view;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::EXPECT;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use zoop_mcp::{Incoming, MethodCall, Refusal, ReplyTo};

use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::{AuthContext, Presented};
use crate::bodies::{self, BodyFault, Terms};
use crate::limiter::Class;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;
use crate::seats::halfway;
use crate::unread::Cut;

use context::RequestContext;
use entry::Entry;
use headers::McpHeaders;
use view::View;

/// Seconds after which a client should try again when there is no room.
const OVERLOAD_SECONDS: u64 = 1;
/// Seconds after which a client should try again when the storage fails.
const STORAGE_SECONDS: u64 = 5;

/// The size limit of a body, in bytes. The longest valid note fits, even with every character escaped.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// Answers any request to the endpoint.
pub(crate) async fn endpoint(State(app): State<App>, request: Request) -> Response {
    let mut request_log = RequestLog::start(&app.shared, &request);
    let (head, body) = request.into_parts();
    match app.shared.origins.sender(&head.uri, &head.headers) {
        Sender::NoPage => {
            let answer = answer(&app.shared, &head, body, &mut request_log).await;
            request_log.finish(answer)
        }
        Sender::Allowed(page) => {
            let is_preflight = head.method == Method::OPTIONS;
            let answer = if is_preflight {
                Answer::empty(StatusCode::NO_CONTENT, "preflight")
            } else {
                answer(&app.shared, &head, body, &mut request_log).await
            };
            let mut response = request_log.finish(answer);
            origin::open_to(page, response.headers_mut());
            if is_preflight {
                origin::open_preflight(response.headers_mut(), "POST");
            }
            response
        }
        Sender::Refused => {
            request_log.finish(refused(&headers::unread(&head.headers).origin_refused()))
        }
    }
}

async fn answer(
    shared: &Arc<Shared>,
    head: &Parts,
    body: Body,
    request_log: &mut RequestLog<'_>,
) -> Answer {
    match Entry::of(shared, head, request_log) {
        // `Err` is an answer too: `admitted` returns refusals as `Err` only to be able to use `?`.
        Ok(entry) => admitted(shared, head, body, entry, request_log).await.unwrap_or_else(|it| it),
        Err(refusal) => {
            // With `Expect`, the client waits for permission before it sends the body.
            let is_sent = !head.headers.contains_key(EXPECT);
            Answer { close: !(is_sent && bodies::let_go(body).await), ..refusal }
        }
    }
}

async fn admitted(
    shared: &Arc<Shared>,
    head: &Parts,
    body: Body,
    entry: Entry,
    request_log: &mut RequestLog<'_>,
) -> Result<Answer, Answer> {
    let deadline = Instant::now() + shared.settings.request_deadline;
    let terms = Terms { limit: BODY_LIMIT, holder: entry.holder, deadline };
    let whole = shared.bodies.read(body, terms).await;
    let whole = whole.map_err(|fault| unreadable(fault, headers::unread(&head.headers)))?;
    let body = &whole.bytes;
    let sent = McpHeaders::read(&head.headers)
        .map_err(|fault| refused(&fault.refusal(headers::peek(body, &head.headers))))?;
    let reply_to = || zoop_mcp::peek(body, &sent.protocol);
    let Some(_seat) = shared.seats.take(entry.holder, halfway(deadline)).await else {
        return Err(overloaded(reply_to()));
    };
    // While this request waited, more unknown tokens from its network may have been counted.
    entry.check(shared, request_log, reply_to())?;
    let view = View::read(head.uri.query(), shared.tools.toolsets())
        .map_err(|message| refused(&reply_to().invalid_request(&message)))?;
    let asked_at = shared.settings.public_url.asked_at(&head.uri, &head.headers);
    let product = || headers::product(&head.headers);
    let address = request_log.address;
    let request = match zoop_mcp::read(body, &sent.protocol) {
        Ok(Incoming::Request(request)) => request,
        // Nothing runs, but the caller must still be authenticated, and the message is counted.
        other => {
            // A notification counts as connecting. A message that cannot be parsed counts as a call.
            let class = if other.is_ok() { Class::Connecting } else { Class::Call };
            let caller = Presented { client: product(), address, asked_at, class };
            let auth = AuthContext::new(shared, &entry.token, caller);
            request_log.auth = Some(auth.clone());
            let admitted = context::admit(&auth, deadline).await;
            admitted.map_err(|failure| {
                context::answer_to(&auth, reply_to(), &request_log.id, &failure)
            })?;
            other.map_err(|refusal| refused(&refusal))?;
            return Ok(Answer::empty(StatusCode::ACCEPTED, "accepted"));
        }
    };
    let client = request.client_name.clone().or_else(product);
    let caller = Presented { client, address, asked_at, class: class(&request.call) };
    let auth = AuthContext::new(shared, &entry.token, caller);
    request_log.auth = Some(auth.clone());
    request_log.tool = label(shared, &request.call);
    let context = RequestContext {
        shared,
        request,
        view,
        auth,
        deadline,
        idempotency_key: sent.idempotency_key,
        request_id: &request_log.id,
    };
    let answer = dispatch(&context).await.unwrap_or_else(|refusal| refusal);
    let cut = head.extensions.get::<Cut>().cloned().unwrap_or_default();
    Ok(context.count_unread(answer, cut).await)
}

async fn dispatch(context: &RequestContext<'_>) -> Result<Answer, Answer> {
    match &context.request.call {
        MethodCall::CallTool { name, arguments } => call::call(context, name, *arguments).await,
        MethodCall::ReadResource { uri } => resources::read(context, uri).await,
        MethodCall::Initialize { requested } => {
            context.admit().await?;
            let instructions = lists::instructions(context.view.names());
            Ok(done(context.responder().initialize(requested.as_deref(), &instructions)))
        }
        MethodCall::Discover => {
            context.admit().await?;
            let instructions = lists::instructions(context.view.names());
            Ok(done(context.responder().discover(&instructions)))
        }
        MethodCall::Ping => {
            context.admit().await?;
            Ok(done(context.responder().ping()))
        }
        MethodCall::ListTools { cursor } => lists::tools(context, cursor.as_deref()).await,
        MethodCall::ListPrompts => prompts::list(context).await,
        MethodCall::GetPrompt { name, arguments } => prompts::get(context, name, *arguments).await,
        MethodCall::ListResources => resources::list(context).await,
        MethodCall::ListResourceTemplates => resources::templates(context).await,
    }
}

/// The class of a message. Messages that only ask what the server offers count as connecting.
fn class(call: &MethodCall<'_>) -> Class {
    match call {
        MethodCall::Initialize { .. }
        | MethodCall::Discover
        | MethodCall::Ping
        | MethodCall::ListTools { .. }
        | MethodCall::ListPrompts
        | MethodCall::ListResources
        | MethodCall::ListResourceTemplates => Class::Connecting,
        MethodCall::CallTool { .. }
        | MethodCall::GetPrompt { .. }
        | MethodCall::ReadResource { .. } => Class::Call,
    }
}

/// The label of a message in the log and the metrics: never a client's text.
fn label(shared: &Shared, call: &MethodCall<'_>) -> &'static str {
    match call {
        MethodCall::CallTool { name, .. } => {
            shared.tools.find(name).map_or("unknown", |it| it.tool.name)
        }
        MethodCall::Initialize { .. } => "initialize",
        MethodCall::Ping => "ping",
        MethodCall::Discover => "server/discover",
        MethodCall::ListTools { .. } => "tools/list",
        MethodCall::ListPrompts => "prompts/list",
        MethodCall::GetPrompt { .. } => "prompts/get",
        MethodCall::ListResources => "resources/list",
        MethodCall::ListResourceTemplates => "resources/templates/list",
        MethodCall::ReadResource { .. } => "resources/read",
    }
}

/// An answer with a result.
fn done(body: Vec<u8>) -> Answer {
    Answer::ok(body, "ok")
}

/// An error for an invalid request.
fn refused(refusal: &Refusal) -> Answer {
    Answer::refusal(refusal, "refused")
}

/// An error for a token that is missing or rejected.
fn unauthorized(reply_to: ReplyTo<'_>, reason: &str, challenge: HeaderValue) -> Answer {
    let challenge = Some(challenge);
    Answer { challenge, ..Answer::refusal(&reply_to.unauthorized(reason), "unauthorized") }
}

/// An error for too many requests.
fn limited(reply_to: ReplyTo<'_>, seconds: u64) -> Answer {
    let retry_after = Some(seconds);
    Answer { retry_after, ..Answer::refusal(&reply_to.rate_limited(seconds), "rate_limited") }
}

/// An error for overload.
fn overloaded(reply_to: ReplyTo<'_>) -> Answer {
    let refusal = reply_to.overloaded(OVERLOAD_SECONDS);
    let retry_after = Some(OVERLOAD_SECONDS);
    Answer { retry_after, ..Answer::refusal(&refusal, "overloaded") }
}

/// An error for a storage failure.
fn unavailable(reply_to: ReplyTo<'_>) -> Answer {
    let refusal = reply_to.unavailable(STORAGE_SECONDS);
    let retry_after = Some(STORAGE_SECONDS);
    Answer { retry_after, ..Answer::refusal(&refusal, "unavailable") }
}

/// An error for a storage failure that leaves the outcome of a change unknown.
fn uncertain(reply_to: ReplyTo<'_>) -> Answer {
    let refusal = reply_to.uncertain(STORAGE_SECONDS);
    let retry_after = Some(STORAGE_SECONDS);
    Answer { retry_after, ..Answer::refusal(&refusal, "unavailable") }
}

/// An error for a body that could not be read to its end. The connection is closed.
fn unreadable(fault: BodyFault, reply_to: ReplyTo<'static>) -> Answer {
    let refusal = match fault {
        BodyFault::NoRoom => return Answer { close: true, ..overloaded(reply_to) },
        BodyFault::TooLarge => reply_to.too_large(BODY_LIMIT),
        // RFC 9110, 15.5.9.
        BodyFault::Late => Refusal {
            status: StatusCode::REQUEST_TIMEOUT.as_u16(),
            ..reply_to.invalid_request("the body did not arrive in time")
        },
        BodyFault::Broken => reply_to.invalid_request("the body is incomplete"),
    };
    Answer { close: true, ..refused(&refusal) }
}
