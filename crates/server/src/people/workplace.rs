//! A signed-in user in one of their businesses: which one a page is about, and the tools that they run
//! there. The tools decide who may do what.

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
use zoop_crm::identity::sign_in::sessions::{InTenant, Workplace};
use zoop_crm::values::id::{Id, kinds};

use crate::anonymous_limits::Action;
use crate::app::App;
use crate::web::form::Form;
use crate::web::page_context::PageContext;
use crate::web::{next, page};

/// The page to come back to after signing in again.
const TEAM: &str = "/team";

/// A user's request about one of their businesses.
pub(super) struct AtWork {
    pub(super) context: PageContext,
    pub(super) person: SignedIn,
    /// The business that the page is about.
    pub(super) here: Workplace,
    /// Every business that the user belongs to.
    pub(super) all: Vec<Workplace>,
}

impl AtWork {
    /// A page request, about the business in its URL or the first that the user owns.
    pub(super) async fn page(app: &App, request: Request) -> Result<Self, Response> {
        let context = PageContext::begin(app, request, Action::Page)?;
        let person = context.person(&context.target).await?;
        let asked = context.query.get("business").map(str::to_owned);
        Self::choose(context, person, asked.as_deref()).await
    }

    /// A form, about the business that it names.
    pub(super) async fn form(app: &App, request: Request) -> Result<(Self, Form), Response> {
        let context = PageContext::begin(app, request, Action::Page)?;
        let form = context.form().await?;
        let person = context.person(TEAM).await?;
        let business = form.get("business").ok_or_else(page::not_found)?;
        Ok((Self::choose(context, person, Some(business)).await?, form))
    }

    async fn choose(
        context: PageContext,
        person: SignedIn,
        asked: Option<&str>,
    ) -> Result<Self, Response> {
        let who = person.clone();
        let all = context.read(move |tx, _| who.workplaces(tx)).await?;
        let asked = asked.map(|id| Id::<kinds::Tenant>::parse(id).ok_or_else(page::not_found));
        let found = match asked.transpose()? {
            Some(id) => all.iter().find(|workplace| workplace.account.id == id),
            None => all.iter().find(|workplace| workplace.role == Role::Owner),
        };
        let here = found.cloned().ok_or_else(not_an_owner)?;
        Ok(Self { context, person, here, all })
    }

    /// Reads a page of a list.
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

    /// Runs a tool that writes; the page shows the tool's error.
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
        let (db, environment) = (&self.context.shared.db, &self.context.shared.environment);
        Runner { db, environment, deadline: self.context.deadline }
    }

    fn proof(&self) -> InTenant {
        let source = Source { client: None, address: self.context.address };
        self.person.in_tenant(self.here.account.id, source)
    }
}

/// The session ended during its request.
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
