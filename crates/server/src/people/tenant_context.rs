//! A signed-in user's request about one of their businesses. Finds the business that the page is about, and runs the
//! catalog's tools there. The tools decide who may do what.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::access::{Role, Source};
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::error::Error;
use zoop_crm::call::run::Runner;
use zoop_crm::call::tool::{Command, List};
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::identity::sign_in::sessions::{InTenant, Membership};
use zoop_crm::values::id::{Id, kinds};
use zoop_db::Db;

use crate::anonymous_limits::Action;
use crate::app::App;
use crate::lanes;
use crate::web::form::Form;
use crate::web::page_context::PageContext;
use crate::web::{next, page};

/// The page to come back to after signing in again.
const TEAM: &str = "/team";

/// A user's request about one of their businesses.
pub(super) struct TenantContext {
    pub(super) context: PageContext,
    pub(super) signed_in: SignedIn,
    /// The business that the page is about.
    pub(super) membership: Membership,
    /// Every business that the user belongs to.
    pub(super) memberships: Vec<Membership>,
    /// The storage, for jobs of this user in the business.
    db: Db,
}

impl TenantContext {
    /// Begins a page request. It is about the business that the URL names, or the first business that the user owns.
    pub(super) async fn page(app: &App, request: Request) -> Result<Self, Response> {
        let context = PageContext::begin(app, request, Action::Page)?;
        let signed_in = context.require_sign_in(&context.target).await?;
        let asked = context.query.get("business").map(str::to_owned);
        Self::choose(context, signed_in, asked.as_deref()).await
    }

    /// Begins a request that sends a form. It is about the business that the form names.
    pub(super) async fn form(app: &App, request: Request) -> Result<(Self, Form), Response> {
        let context = PageContext::begin(app, request, Action::Page)?;
        let form = context.form().await?;
        let signed_in = context.require_sign_in(TEAM).await?;
        let business = form.get("business").ok_or_else(page::not_found)?;
        Ok((Self::choose(context, signed_in, Some(business)).await?, form))
    }

    async fn choose(
        context: PageContext,
        signed_in: SignedIn,
        asked: Option<&str>,
    ) -> Result<Self, Response> {
        let who = signed_in.clone();
        let memberships = context.read(move |tx, _| who.memberships(tx)).await?;
        let asked = asked.map(|id| Id::<kinds::Tenant>::parse(id).ok_or_else(page::not_found));
        let found = match asked.transpose()? {
            Some(id) => memberships.iter().find(|membership| membership.account.id == id),
            None => memberships.iter().find(|membership| membership.role == Role::Owner),
        };
        let membership = found.cloned().ok_or_else(not_an_owner)?;
        let lane = lanes::in_tenant(membership.account.number, signed_in.session.uuid());
        let db = context.shared.db.lane(lane);
        Ok(Self { context, signed_in, membership, memberships, db })
    }

    /// Runs a tool that lists rows, and returns one page.
    pub(super) async fn list<T: List<Row: Send>>(
        &self,
        arguments: Arguments<T>,
    ) -> Result<Page<T::Row>, Response> {
        let answer = self.runner().list(self.proof(), arguments).await;
        answer.map_err(|refusal| match refusal {
            Refusal::Denied(_) => sign_in_again(),
            Refusal::Failed(error) => page::failed(&error),
        })
    }

    /// Runs a tool that writes. The inner error is the tool's, for the page to show.
    pub(super) async fn command<T: Command<Output: Send>>(
        &self,
        arguments: Arguments<T>,
    ) -> Result<Result<T::Output, Error>, Response> {
        match self.runner().command(self.proof(), arguments).await {
            Ok(output) => Ok(Ok(output)),
            Err(Refusal::Failed(error)) => Ok(Err(error)),
            Err(Refusal::Denied(_)) => Err(sign_in_again()),
        }
    }

    fn runner(&self) -> Runner<'_> {
        let (db, environment) = (&self.db, &self.context.shared.environment);
        Runner { db, environment, deadline: self.context.deadline }
    }

    fn proof(&self) -> InTenant {
        let source = Source { client: None, address: self.context.address };
        self.signed_in.in_tenant(self.membership.account.id, source)
    }
}

/// The answer if the session ended during the request.
fn sign_in_again() -> Response {
    page::go_to(&next::sign_in(next::next_page(Some(TEAM))))
}

fn not_an_owner() -> Response {
    page::stop(
        StatusCode::FORBIDDEN,
        "You cannot do this",
        "Only owners can manage the team. Ask an owner of your business.",
    )
}
