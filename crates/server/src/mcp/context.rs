//! [`RequestContext`]: a valid request until it is answered, and the database jobs for it.

use std::sync::Arc;
use std::time::Instant;

use zoop_crm::arguments;
use zoop_crm::business::files::tools::open::{OpenFile, OpenedFile};
use zoop_crm::call::access::Actor;
use zoop_crm::call::definition::ToolDef;
use zoop_crm::call::error::Error;
use zoop_crm::call::proof::Proof as _;
use zoop_crm::call::run::Runner;
use zoop_crm::call::scope::Scopes;
use zoop_mcp::{MethodCall, ReplyTo, Request, Responder};

use super::view::View;
use super::{limited, overloaded, unauthorized, unavailable, uncertain};
use crate::answer::Answer;
use crate::app::Shared;
use crate::auth::{AuthContext, CallFailure};
use crate::unread::Cut;

/// A request that follows the protocol's rules. Its token has not been looked up yet.
pub(super) struct RequestContext<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) request: Request<'a>,
    pub(super) view: View,
    pub(super) auth: Arc<AuthContext>,
    pub(super) deadline: Instant,
    pub(super) idempotency_key: Option<&'a str>,
    pub(super) request_id: &'a str,
}

impl RequestContext<'_> {
    /// Looks up the token and counts the request; see [`admit`].
    pub(super) async fn admit(&self) -> Result<Admitted, Answer> {
        admit(&self.auth, self.deadline).await.map_err(|failure| self.answer_to(&failure))
    }

    /// Runs a tool for the caller and returns the answer's JSON. Each job of the call looks up the token.
    pub(super) async fn run(
        &self,
        tool: &'static ToolDef,
        arguments: String,
    ) -> Result<String, CallFailure> {
        let (db, environment) = (&self.auth.db(), &self.shared.environment);
        let runner = Runner { db, environment, deadline: self.deadline };
        runner.call(self.auth.clone(), tool, arguments, self.beside_arguments()?).await
    }

    /// The idempotency key that was sent beside the arguments: as a header or in `_meta`.
    fn beside_arguments(&self) -> Result<Option<String>, CallFailure> {
        let (header, meta) = (self.idempotency_key, self.request.idempotency_key.as_deref());
        match (header.map(str::trim), meta.map(str::trim)) {
            (Some(header), Some(meta)) if header != meta => {
                let problem = "in _meta differs from the Idempotency-Key header: send one";
                Err(CallFailure::Failed(Error::field("idempotency_key", problem)))
            }
            (one, other) => Ok(one.or(other).map(str::to_owned)),
        }
    }

    /// Looks up a file that the caller may read, as its note's tool would.
    pub(super) async fn open_file(&self, id: &str) -> Result<OpenedFile, CallFailure> {
        let (db, environment) = (&self.auth.db(), &self.shared.environment);
        let runner = Runner { db, environment, deadline: self.deadline };
        runner.query(self.auth.clone(), arguments!(OpenFile { id: id })).await
    }

    pub(super) fn responder(&self) -> Responder<'_> {
        self.request.responder(&self.shared.server)
    }

    /// Counts an answer's bytes until the caller has read them. If there is no room for the bytes by the deadline,
    /// returns an error instead: overload after a read, and an unknown outcome after a write.
    pub(super) async fn count_unread(&self, mut answer: Answer, cut: Cut) -> Answer {
        let account = self.auth.authenticated().and_then(|authenticated| authenticated.account);
        let Some(account) = account else { return answer };
        let body = std::mem::take(&mut answer.body);
        match self.shared.unread.count(account.number, body, cut, self.deadline).await {
            Some(body) => Answer { body, ..answer },
            None if self.is_write() => uncertain(self.request.reply_to()),
            None => overloaded(self.request.reply_to()),
        }
    }

    fn is_write(&self) -> bool {
        match &self.request.call {
            MethodCall::CallTool { name, .. } => {
                self.shared.tools.find(name).is_some_and(|it| !it.tool.is_read_only())
            }
            _ => false,
        }
    }

    /// The answer to a request that has no result; see [`answer_to`].
    pub(super) fn answer_to(&self, failure: &CallFailure) -> Answer {
        answer_to(&self.auth, self.request.reply_to(), self.request_id, failure)
    }

    /// The answer to a request that failed outside any tool.
    pub(super) fn failed(&self, error: &Error) -> Answer {
        failed(self.request.reply_to(), self.request_id, error)
    }
}

/// A caller, as far as lists of tools and resources depend on it.
#[derive(Clone, Copy)]
pub(super) struct Admitted {
    /// The scopes that the caller has, and those that the caller's client could ask the user for.
    scopes: Scopes,
    actor: Actor,
}

impl Admitted {
    /// Whether the caller is shown the tool. A person is not shown what their role may not do. A key of the account is
    /// shown what needs a person, because its holder can make a key for one.
    pub(super) fn sees(self, tool: &ToolDef) -> bool {
        let role_allows = match self.actor {
            Actor::User { role, .. } => tool.actor.allows_role(role),
            Actor::Tenant | Actor::Operator => true,
        };
        role_allows && self.scopes.has(tool.scope)
    }
}

/// Looks up the token and counts the request.
pub(super) async fn admit(
    auth: &Arc<AuthContext>,
    deadline: Instant,
) -> Result<Admitted, CallFailure> {
    let context = auth.clone();
    auth.db()
        .read(deadline, move |tx| {
            let access = context.access(tx, &context.shared().environment)?;
            let scopes = access.scopes.or(access.attainable());
            Ok(Admitted { scopes, actor: access.actor })
        })
        .await
}

/// The answer to a message whose caller was not admitted or whose work failed.
pub(super) fn answer_to(
    auth: &AuthContext,
    reply_to: ReplyTo<'_>,
    request_id: &str,
    failure: &CallFailure,
) -> Answer {
    match failure {
        CallFailure::Denied(denied) => {
            auth.count_denied(*denied);
            unauthorized(reply_to, denied.reason(), auth.challenge().invalid())
        }
        CallFailure::Limited => {
            let seconds =
                auth.authenticated().and_then(|authenticated| authenticated.admission.refused_for);
            limited(reply_to, seconds.unwrap_or(1))
        }
        CallFailure::Failed(error) => failed(reply_to, request_id, error),
    }
}

fn failed(reply_to: ReplyTo<'_>, request_id: &str, error: &Error) -> Answer {
    log(request_id, error);
    match error {
        Error::Unavailable { cause: zoop_db::Error::Locked | zoop_db::Error::Unavailable(_) } => {
            unavailable(reply_to)
        }
        Error::Unavailable { cause: zoop_db::Error::Unknown(_) } => uncertain(reply_to),
        Error::Unavailable { .. } => overloaded(reply_to),
        _ => Answer::refusal(&reply_to.internal(request_id), "internal"),
    }
}

/// Logs the cause of a failure; the caller gets only the request's id.
pub(super) fn log(request_id: &str, error: &Error) {
    match error {
        Error::Internal { cause } => {
            let is_damage = matches!(cause.downcast_ref(), Some(zoop_db::Error::Corrupt(_)));
            let advice = is_damage.then_some(
                "run `zoop doctor`; `zoop restore-backup` replaces the database with a backup",
            );
            tracing::error!(request_id, %cause, advice, "a request failed");
        }
        // Only at debug level, because one cause can affect thousands of requests. Each request's log line shows its
        // outcome, the metrics show the queues, and the engine logs storage failures.
        Error::Unavailable { cause } => {
            tracing::debug!(request_id, %cause, "a request was answered 503");
        }
        _ => {}
    }
}
