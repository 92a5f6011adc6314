//! The way of a form: shown empty or with a record, sent, and shown again if the record could not be saved. Everything
//! that was typed stays.

use std::collections::BTreeSet;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use zoop_crm::call::argument::Arguments;
use zoop_crm::call::error::{Error, FieldProblem};
use zoop_crm::call::tool::{Command, Query};
use zoop_crm::identity::sign_in::sessions::Membership;

use super::declaration::{Declaration, Usage};
use super::merge::{self, Merge};
use super::values::Values;
use super::view::{self, Control, GroupView, Remarks};
use crate::console::rows::Link;
use crate::console::similar::{self, SimilarRow};
use crate::console::{Fault, fresh_key, key_of, require, unread};
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::tenant_context::TenantContext;

/// What is around a form.
pub(in crate::console) struct FormPage {
    pub(in crate::console) title: &'static str,
    /// The word for the kind of record.
    pub(in crate::console) word: &'static str,
    pub(in crate::console) declaration: &'static Declaration,
    pub(in crate::console) usage: Usage,
    /// The page to go back to.
    pub(in crate::console) back: Link,
    pub(in crate::console) action: String,
    /// The page with possible duplicates of what is being typed.
    pub(in crate::console) similar: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "record_form.html")]
struct FormTemplate<'a> {
    frame: Frame,
    business: &'a Membership,
    page: &'a FormPage,
    groups: Vec<GroupView>,
    /// What is wrong, if it is not about one field.
    fault: &'a str,
    /// How many fields are wrong.
    problems: usize,
    /// Whether somebody else changed the record meanwhile.
    is_stale: bool,
    token: Token,
    similar: Vec<SimilarRow>,
}

/// What a form carries to be saved once, or to notice the changes of others.
enum Token {
    /// What the idempotency key of a new record begins with.
    Key(String),
    /// The digests of the values that the form began with.
    Seen(String),
}

impl Token {
    const fn name(&self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Seen(_) => "seen",
        }
    }

    fn value(&self) -> &str {
        let (Self::Key(value) | Self::Seen(value)) = self;
        value
    }
}

/// What a form says.
#[derive(Default)]
struct State<'a> {
    remarks: Remarks<'a>,
    fault: &'a str,
    similar: Vec<SimilarRow>,
}

impl FormPage {
    /// The fields that the page with possible duplicates needs.
    fn compared(&self) -> BTreeSet<&'static str> {
        self.similar.map(|_| similar::compared()).unwrap_or_default()
    }

    fn show(
        &self,
        tenant_context: &TenantContext,
        status: StatusCode,
        values: &Values,
        token: Token,
        state: State<'_>,
    ) -> Response {
        let State { remarks, fault, similar } = state;
        let template = FormTemplate {
            frame: Frame::within(tenant_context),
            business: &tenant_context.membership,
            page: self,
            groups: view::groups(self.declaration, self.usage, values, &remarks),
            fault,
            problems: remarks.problems.len(),
            is_stale: remarks.news.is_some(),
            token,
            similar,
        };
        page::page(status, &template)
    }

    fn typed(&self, form: &Form) -> Values {
        Values::typed(self.declaration, self.usage, form)
    }

    /// The tool's error, beside the fields that it is about.
    fn show_error(
        &self,
        tenant_context: &TenantContext,
        error: Error,
        values: &Values,
        token: Token,
    ) -> Result<Response, Response> {
        let (problems, status, fault) = match error {
            Error::InvalidInput { fields, .. } if !fields.is_empty() => {
                let placed = self.declaration.placed(self.usage);
                let is_shown =
                    |it: &FieldProblem| placed.iter().any(|field| field.path == it.field);
                let (shown, others) = fields.into_iter().partition::<Vec<_>, _>(is_shown);
                let others = others.iter().map(|it| format!("{} {}", it.field, it.problem));
                let others: Vec<_> = others.collect();
                (shown, StatusCode::BAD_REQUEST, others.join("; "))
            }
            // Nothing that a page could say about a record that is not there.
            missing @ Error::NotFound { .. } => return Err(page::failed(&missing)),
            other => {
                let Fault { status, text } = Fault::of(other)?;
                (Vec::new(), status, text)
            }
        };
        let remarks = Remarks { problems: &problems, news: None };
        let state = State { remarks, fault: &fault, ..State::default() };
        Ok(self.show(tenant_context, status, values, token, state))
    }

    /// If the server could not answer, shows the form again instead of only saying so. Needs no database.
    fn keep(
        &self,
        tenant_context: &TenantContext,
        failed: Response,
        values: &Values,
        token: Token,
    ) -> Response {
        if !failed.status().is_server_error() {
            return failed;
        }
        let fault = "The server cannot answer right now, and this may not be saved. Everything that you typed is \
                     below. Save it again in a few seconds.";
        let state = State { fault, ..State::default() };
        let mut response = self.show(tenant_context, failed.status(), values, token, state);
        if let Some(seconds) = failed.headers().get(RETRY_AFTER) {
            response.headers_mut().insert(RETRY_AFTER, seconds.clone());
        }
        response
    }
}

/// The form for a new record.
pub(in crate::console) fn new(tenant_context: &TenantContext, page: &FormPage) -> Response {
    let values = Values::initial(page.declaration);
    let token = Token::Key(fresh_key(tenant_context));
    page.show(tenant_context, StatusCode::OK, &values, token, State::default())
}

/// The form for the changes to a record with these values.
pub(in crate::console) fn edit(
    tenant_context: &TenantContext,
    page: &FormPage,
    values: &Values,
) -> Response {
    let token = Token::Seen(merge::digests(page.declaration, values));
    page.show(tenant_context, StatusCode::OK, values, token, State::default())
}

/// The form again, with these possible duplicates.
pub(in crate::console) fn possible_duplicates(
    tenant_context: &TenantContext,
    page: &FormPage,
    form: &Form,
    similar: Vec<SimilarRow>,
) -> Response {
    let token = Token::Key(form.text("key").to_owned());
    let state = State { similar, ..State::default() };
    page.show(tenant_context, StatusCode::OK, &page.typed(form), token, state)
}

/// Creates the record that the form describes. The error is the page to show. A form that is sent twice creates one
/// record.
pub(in crate::console) async fn create<T: Command<Output: Send>>(
    tenant_context: &TenantContext,
    page: &FormPage,
    form: &Form,
    complete: impl FnOnce(Arguments<T>) -> Arguments<T>,
) -> Result<T::Output, Response> {
    let typed = page.typed(form);
    let arguments = complete(typed.of_new_record(page.declaration));
    let token = || Token::Key(form.text("key").to_owned());
    let kept = |failed| page.keep(tenant_context, failed, &typed, token());
    let key = key_of(tenant_context, form, &typed.whole());
    let answer = tenant_context.command_once(key, arguments).await.map_err(kept)?;
    answer.map_err(|error| {
        page.show_error(tenant_context, error, &typed, token()).unwrap_or_else(kept)
    })
}

/// Saves the changes that the form describes to the record that a query returns. The error is the page to show. What
/// somebody else changed meanwhile is shown before anything is saved.
pub(in crate::console) async fn save<T, Q>(
    tenant_context: &TenantContext,
    page: &FormPage,
    form: &Form,
    query: Arguments<Q>,
    values_of: fn(&Q::Output) -> Values,
    complete: impl Fn(Arguments<T>) -> Arguments<T>,
) -> Result<(), Response>
where
    T: Command<Output: Send>,
    Q: Query<Output: Send> + 'static,
{
    require(tenant_context, T::SCOPE)?;
    let (declaration, typed) = (page.declaration, page.typed(form));
    let seen = || Token::Seen(form.text("seen").to_owned());
    let kept = |failed| page.keep(tenant_context, failed, &typed, seen());
    loop {
        let asked = query.clone();
        let read = tenant_context.read(move |snapshot| snapshot.query(asked)).await;
        let stored = read.map_err(kept)?.map_err(|error| kept(unread(&error)))?;
        let stored = values_of(&stored);
        let merge = Merge::of(declaration, form.text("seen"), &typed, &stored);
        if !merge.news.is_empty() {
            let token = Token::Seen(merge::digests(declaration, &stored));
            let remarks = Remarks { problems: &[], news: Some((&stored, &merge.news)) };
            let state = State { remarks, ..State::default() };
            let status = StatusCode::CONFLICT;
            return Err(page.show(tenant_context, status, &merge.values, token, state));
        }
        if merge.changed.is_empty() {
            return Ok(());
        }
        let arguments = complete(merge.values.of_change(&merge.changed));
        let is_expected = move |now: &Q::Output| values_of(now) == stored;
        let answer = tenant_context.command_if(arguments, query.clone(), is_expected).await;
        match answer.map_err(kept)? {
            Ok(Some(_)) => return Ok(()),
            // Somebody else saved just now: the next round shows what.
            Ok(None) => {}
            Err(error) => {
                let shown = page.show_error(tenant_context, error, &merge.values, seen());
                return Err(shown.unwrap_or_else(kept));
            }
        }
    }
}
