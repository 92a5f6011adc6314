//! `POST /api/mcp`: checks a request and passes it to the module that answers it.
//!
//! The rules of the protocol are in `zoop-mcp`, those of the tools in `zoop-crm`. Here they meet HTTP. The
//! checks are, in order: origin, method, body, headers, query, token and message. Then one job runs on a
//! database thread.
//!
//! Every message needs a valid token and is counted, even a notification and one that cannot be parsed.

mod body;
mod call;
mod context;
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
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use zoop_mcp::{Incoming, MethodCall, Refusal, ReplyTo};

use crate::answer::Answer;
use crate::app::{App, Shared};
use crate::auth::{AuthContext, MISSING_TOKEN, Presented, bearer};
use crate::challenges::Challenge;
use crate::limiter::Class;
use crate::origin::{self, Sender};
use crate::request_log::RequestLog;

use body::BodyFault;
use context::RequestContext;
use headers::McpHeaders;
use view::View;

/// Seconds after which a client should try again when there is no room.
const OVERLOAD_SECONDS: u64 = 1;
/// Seconds after which a client should try again when the storage fails.
const STORAGE_SECONDS: u64 = 5;

/// The endpoint.
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
                origin::open_preflight(response.headers_mut());
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
    // A refusal is an answer too; `?` only shortens the code.
    admitted(shared, head, body, request_log).await.unwrap_or_else(|refusal| refusal)
}

async fn admitted(
    shared: &Arc<Shared>,
    head: &Parts,
    body: Body,
    request_log: &mut RequestLog<'_>,
) -> Result<Answer, Answer> {
    let deadline = Instant::now() + shared.settings.request_deadline;
    let unread = || headers::unread(&head.headers);
    if head.method != Method::POST {
        return Err(refused(&unread().method_not_allowed()));
    }
    if !request_log.has_room {
        return Err(overloaded(unread()));
    }
    let body = body::read(body, deadline).await.map_err(|fault| unreadable(fault, unread()))?;
    let sent = McpHeaders::read(&head.headers)
        .map_err(|fault| refused(&fault.refusal(headers::peek(&body, &head.headers))))?;
    let reply_to = || zoop_mcp::peek(&body, &sent.protocol);
    // Only once the body has arrived: slow senders must not block others.
    let Ok(_seat) = shared.permits.try_acquire() else { return Err(overloaded(reply_to())) };
    let view = View::read(head.uri.query(), shared.tools.toolsets())
        .map_err(|message| refused(&reply_to().invalid_request(&message)))?;
    let asked_at = shared.settings.public_url.asked_at(&head.uri, &head.headers);
    let Some(token) = sent.authorization.and_then(bearer) else {
        let challenge = Some(Challenge(&asked_at).missing());
        let refusal = reply_to().unauthorized(MISSING_TOKEN);
        return Err(Answer { challenge, ..Answer::refusal(&refusal, "unauthorized") });
    };
    let product = || headers::product(&head.headers);
    let address = request_log.address;
    let request = match zoop_mcp::read(&body, &sent.protocol) {
        Ok(Incoming::Request(request)) => request,
        // Nothing runs, but the caller must be authenticated all the same, and is counted.
        other => {
            // A notification counts as connecting; what cannot be parsed may be anything.
            let class = if other.is_ok() { Class::Connecting } else { Class::Call };
            let caller = Presented { client: product(), address, asked_at, class };
            let auth = AuthContext::new(shared, &token, caller);
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
    let auth = AuthContext::new(shared, &token, caller);
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
    dispatch(&context).await
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

/// The class of a call: a client that connects asks only for what the server offers.
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

/// The label of a call in log and metrics, never a client's text.
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

/// The answer with a result.
fn done(body: Vec<u8>) -> Answer {
    Answer::ok(body, "ok")
}

/// An error for an invalid request.
fn refused(refusal: &Refusal) -> Answer {
    Answer::refusal(refusal, "refused")
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

/// An error for a body that could not be read to its end; its connection is closed.
fn unreadable(fault: BodyFault, reply_to: ReplyTo<'static>) -> Answer {
    let refusal = match fault {
        BodyFault::TooLarge => reply_to.too_large(body::LIMIT),
        // RFC 9110, 15.5.9.
        BodyFault::Late => Refusal {
            status: StatusCode::REQUEST_TIMEOUT.as_u16(),
            ..reply_to.invalid_request("the body did not arrive in time")
        },
        BodyFault::Broken => reply_to.invalid_request("the body is incomplete"),
    };
    Answer { close: true, ..refused(&refusal) }
}
