//! Undoing what an entry of the history did: the button beside entries and in messages, and its form.

use axum::extract::{Request, State};
use axum::response::Response;
use zoop_crm::arguments;
use zoop_crm::business::history::revert::RevertChanges;
use zoop_crm::business::history::undoable::Undoable;
use zoop_crm::identity::sign_in::sessions::Membership;
use zoop_crm::values::id::{Id, kinds};

use super::{Fault, id_in_path, links, messages};
use crate::app::App;
use crate::web::next::next_page;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// The position of the entry's id in the path.
const ENTRY: usize = 2;

/// The form of the button.
pub(super) struct Undo {
    pub(super) entry: Id<kinds::Entry>,
    pub(super) business: Id<kinds::Tenant>,
    /// The page that is shown afterwards.
    pub(super) next: String,
}

impl Undo {
    pub(super) fn of(entry: Id<kinds::Entry>, business: &Membership, next: &str) -> Self {
        Self { entry, business: business.account.id, next: next.to_owned() }
    }

    /// The button for what the page says was done, if the user may still undo it.
    pub(super) async fn offered(
        tenant_context: &TenantContext,
        next: &str,
    ) -> Result<Option<Self>, Response> {
        let TenantContext { context, membership: business, .. } = tenant_context;
        let entry = Id::parse(context.query.text("change"));
        let Some(entry) = entry.filter(|_| Section::Activity.is_for(business.role)) else {
            return Ok(None);
        };
        let asked = arguments!(Undoable { id: entry });
        let read = tenant_context.read(move |snapshot| snapshot.query(asked)).await?;
        let is_possible = read.is_ok_and(|answer| answer.can_revert);
        Ok(is_possible.then(|| Self::of(entry, business, next)))
    }
}

/// `POST /changes/{entry}/undo`
pub(super) async fn undo(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (tenant_context, form) = TenantContext::form(&app, request, Section::Activity).await?;
        let entry = id_in_path::<kinds::Entry>(&tenant_context, ENTRY)?;
        let next = next_page(form.get("next"));
        match tenant_context.command(arguments!(RevertChanges { id: entry })).await? {
            Ok(_) => {
                Ok(page::go_to(&links::back_after(next, &tenant_context, messages::UNDONE, "")))
            }
            Err(error) => {
                let Fault { status, text } = Fault::of(error)?;
                Err(page::stop(status, "This cannot be undone", &text))
            }
        }
    };
    either(answer.await)
}
