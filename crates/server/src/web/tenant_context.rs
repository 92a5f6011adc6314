//! A signed-in user's request about one of their businesses. Finds the business that the page is about, and runs the
//! catalog's tools there. The tools decide who may do what.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::business::import::jobs;
use zoop_crm::call::access::{Account, Source};
use zoop_crm::call::answer::Page;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::caller::Refusal;
use zoop_crm::call::context::WriteCtx;
use zoop_crm::call::error::Error;
use zoop_crm::call::proof::Proof;
use zoop_crm::call::run::{self, Ran, Runner};
use zoop_crm::call::scope::Scope;
use zoop_crm::call::tool::{Command, List, Query};
use zoop_crm::export;
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::identity::sign_in::sessions::{InTenant, Membership};
use zoop_crm::values::clock::Environment;
use zoop_crm::values::id::{Id, kinds};
use zoop_db::{Db, ReadTx};

use super::form::Form;
use super::page_context::PageContext;
use super::section::Section;
use super::{next, page};
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::{files, lanes};

/// The page that keeps a form whose session has ended.
#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOut<'a> {
    action: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    /// Whether the form can have files, which are not kept.
    has_files: bool,
}

/// A user's request about one of their businesses.
pub(crate) struct TenantContext {
    pub(crate) context: PageContext,
    pub(crate) signed_in: SignedIn,
    /// The business that the page is about.
    pub(crate) membership: Membership,
    /// Every business that the user belongs to.
    pub(crate) memberships: Vec<Membership>,
    pub(crate) section: Section,
    /// The storage, for jobs of this user in the business.
    db: Db,
    entry: Mutex<Option<Id<kinds::Entry>>>,
}

/// The tools that read, all in one snapshot of the business's records.
pub(crate) struct Snapshot<'a, 'tx> {
    tx: &'a mut ReadTx<'tx>,
    environment: &'a Environment,
    proof: &'a InTenant,
}

impl Snapshot<'_, '_> {
    /// Runs a query.
    pub(crate) fn query<T: Query>(
        &mut self,
        arguments: Arguments<T>,
    ) -> Result<T::Output, Refusal> {
        run::query(self.tx, self.environment, self.proof, arguments)
    }

    /// Reads a page of a list.
    pub(crate) fn list<T: List>(
        &mut self,
        arguments: Arguments<T>,
    ) -> Result<Page<T::Row>, Refusal> {
        run::list(self.tx, self.environment, self.proof, arguments)
    }

    /// Checks a command without running it. Returns whether it is a retry of a call that was answered.
    pub(crate) fn check_once<T: Command>(
        &mut self,
        key: &str,
        arguments: Arguments<T>,
    ) -> Result<bool, Refusal> {
        run::check_once(self.tx, self.environment, self.proof, key, arguments)
    }
}

impl TenantContext {
    /// Begins a page request. It is about the business that the URL names, or the first business in which the user
    /// uses this section.
    pub(crate) async fn page(
        app: &App,
        request: Request,
        section: Section,
    ) -> Result<Self, Response> {
        let context = PageContext::begin(app, request, Action::Console)?;
        let signed_in = context.require_sign_in(&context.target).await?;
        let asked = context.query.get("business").map(str::to_owned);
        Self::choose(context, signed_in, section, asked.as_deref()).await
    }

    /// Begins a request that sends a form. It is about the business that the form names.
    pub(crate) async fn form(
        app: &App,
        request: Request,
        section: Section,
    ) -> Result<(Self, Form), Response> {
        let context = PageContext::begin(app, request, Action::Console)?;
        let form = context.long_form().await?;
        let signed_in = context.require_sign_in(section.path()).await?;
        let business = form.get("business").ok_or_else(page::not_found)?;
        Ok((Self::choose(context, signed_in, section, Some(business)).await?, form))
    }

    /// Begins a request that sends a form with something that was typed. If the session has ended meanwhile, the answer
    /// keeps the form and can send it again.
    pub(crate) async fn typed_form(
        app: &App,
        request: Request,
        section: Section,
    ) -> Result<(Self, Form), Response> {
        let context = PageContext::begin(app, request, Action::Console)?;
        let form = context.long_form().await?;
        Ok((Self::of_typed(context, &form, section).await?, form))
    }

    /// [`Self::typed_form`], for a form that was read.
    pub(crate) async fn of_typed(
        context: PageContext,
        form: &Form,
        section: Section,
    ) -> Result<Self, Response> {
        let Some(signed_in) = context.signed_in().await? else {
            let has_files = files::is_form(&context.headers);
            let kept = SignedOut { action: &context.target, fields: form.fields(), has_files };
            return Err(page::page(StatusCode::UNAUTHORIZED, &kept));
        };
        let business = form.get("business").ok_or_else(page::not_found)?;
        Self::choose(context, signed_in, section, Some(business)).await
    }

    /// The request in the business that was asked for, or in the first one in which the user uses this section.
    pub(crate) async fn choose(
        context: PageContext,
        signed_in: SignedIn,
        section: Section,
        asked: Option<&str>,
    ) -> Result<Self, Response> {
        let who = signed_in.clone();
        let memberships = context.read(move |tx, _| who.memberships(tx)).await?;
        let membership = if let Some(asked) = asked {
            let id = Id::<kinds::Tenant>::parse(asked);
            let found = memberships.iter().find(|membership| Some(membership.account.id) == id);
            let found = found.ok_or_else(page::not_found)?;
            Some(found).filter(|it| section.is_for(it.role)).ok_or_else(|| section.not_used())?
        } else {
            let found = memberships.iter().find(|membership| section.is_for(membership.role));
            found.ok_or_else(|| section.not_used())?
        };
        let membership = membership.clone();
        let lane = lanes::in_tenant(membership.account.number, signed_in.session.uuid());
        let db = context.shared.db.lane(lane);
        let entry = Mutex::default();
        Ok(Self { context, signed_in, membership, memberships, section, db, entry })
    }

    /// The user's other businesses in which they use this section.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Membership> {
        let is_other = |it: &&Membership| {
            self.section.is_for(it.role) && it.account.id != self.membership.account.id
        };
        self.memberships.iter().filter(is_other)
    }

    /// Runs tools that read, all in one snapshot. The inner error is the tool's, for the page to show.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Snapshot<'_, '_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<Result<T, Error>, Response> {
        let (environment, proof) = (self.context.shared.environment.clone(), self.proof());
        let read = self.db.read(self.context.deadline, move |tx| {
            work(&mut Snapshot { tx, environment: &environment, proof: &proof })
        });
        self.tool_error(read.await)
    }

    /// Runs a read for which there is no tool, if the user may manage the business.
    pub(crate) async fn administer<T: Send + 'static>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&mut ReadTx<'_>, Account) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, Response> {
        let (environment, proof) = (self.context.shared.environment.clone(), self.proof());
        let read = self.db.read(deadline, move |tx| {
            let access = proof.access(tx, &environment)?;
            if let Some(account) = access.account
                && access.scopes.has(Scope::Administer)
            {
                return work(tx, account).map_err(Refusal::Failed);
            }
            let required = vec![Scope::Administer];
            let refused = Error::InsufficientScope { required, attainable: false };
            Err(Refusal::Failed(refused))
        });
        self.tool_error(read.await)
    }

    /// Reads something about imports. The inner error is for the page to show.
    pub(crate) async fn read_imports<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut ReadTx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, Response> {
        let (environment, proof) = (self.context.shared.environment.clone(), self.proof());
        let read = self
            .db
            .read(self.context.deadline, move |tx| jobs::read(tx, &environment, &proof, work));
        self.tool_error(read.await)
    }

    /// Writes something about imports. The inner error is for the page to show.
    pub(crate) async fn write_imports<T: Send + 'static>(
        &self,
        work: impl Fn(&mut WriteCtx<'_, '_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, Response> {
        let (environment, proof) = (self.context.shared.environment.clone(), self.proof());
        let write = self
            .db
            .write(self.context.deadline, move |tx| jobs::write(tx, &environment, &proof, &work));
        self.tool_error(write.await)
    }

    /// Records that the user has exported the business.
    pub(crate) async fn record_export(&self) -> Result<(), Response> {
        let (environment, proof) = (self.context.shared.environment.clone(), self.proof());
        let write = self.db.write(self.context.deadline, move |tx| {
            let access = proof.access(tx, &environment)?;
            export::record(tx, &access, &environment).map_err(Refusal::Failed)
        });
        self.tool_error(write.await)?.map_err(|error| page::failed(&error))
    }

    /// Begins the time for the answer again: for an answer that is sent in parts.
    pub(crate) fn renew_deadline(&mut self) {
        self.context.renew_deadline();
    }

    /// Runs a tool that lists rows, and returns one page.
    pub(crate) async fn list<T: List<Row: Send>>(
        &self,
        arguments: Arguments<T>,
    ) -> Result<Page<T::Row>, Response> {
        let answer = self.runner().list(self.proof(), arguments).await;
        self.tool_error(answer)?.map_err(|error| page::failed(&error))
    }

    /// Runs a tool that writes. The inner error is the tool's, for the page to show.
    pub(crate) async fn command<T: Command<Output: Send>>(
        &self,
        arguments: Arguments<T>,
    ) -> Result<Result<T::Output, Error>, Response> {
        let answer = self.runner().command(self.proof(), arguments).await;
        self.tool_error(answer.map(|ran| self.noted(ran)))
    }

    /// Runs a tool that writes, once for each key: a form that is sent again gets the record of the first time.
    pub(crate) async fn command_once<T: Command<Output: Send>>(
        &self,
        key: String,
        arguments: Arguments<T>,
    ) -> Result<Result<T::Output, Error>, Response> {
        let answer = self.runner().command_once(self.proof(), key, arguments).await;
        self.tool_error(answer.map(|ran| self.noted(ran)))
    }

    /// Runs a tool whose answer has a secret, once for each key: a form that is sent again has no answer.
    pub(crate) async fn command_first<T: Command<Output: Send>>(
        &self,
        key: String,
        arguments: Arguments<T>,
    ) -> Result<Result<Option<T::Output>, Error>, Response> {
        let answer = self.runner().command_first(self.proof(), key, arguments).await;
        self.tool_error(answer)
    }

    /// Runs a tool that writes, unless what a query answers in the same transaction is not as expected.
    pub(crate) async fn command_if<T: Command<Output: Send>, Q: Query + 'static>(
        &self,
        arguments: Arguments<T>,
        query: Arguments<Q>,
        is_expected: impl Fn(&Q::Output) -> bool + Send + 'static,
    ) -> Result<Result<Option<T::Output>, Error>, Response> {
        let answer = self.runner().command_if(self.proof(), arguments, query, is_expected).await;
        self.tool_error(answer.map(|ran| ran.map(|ran| self.noted(ran))))
    }

    /// The entry of the history that the request's first command added, so that the page can offer to undo it. Those
    /// of later commands, such as the files of a new note, go with it.
    pub(crate) fn entry(&self) -> Option<Id<kinds::Entry>> {
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The output of a command, whose entry is kept.
    fn noted<T>(&self, ran: Ran<T>) -> T {
        let mut entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner);
        *entry = entry.or(ran.entry);
        ran.output
    }

    /// Answers a request whose session ended meanwhile.
    fn tool_error<T>(&self, answer: Result<T, Refusal>) -> Result<Result<T, Error>, Response> {
        match answer {
            Ok(output) => Ok(Ok(output)),
            Err(Refusal::Failed(error)) => Ok(Err(error)),
            Err(Refusal::Denied(_)) => {
                Err(page::go_to(&next::sign_in(next::next_page(Some(self.section.path())))))
            }
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
