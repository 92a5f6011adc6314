//! `POST /settings/export`: sends an owner all that the business has stored, as one ZIP. Its rows are first written to
//! a temporary folder from one snapshot, so that a slow reader holds no snapshot.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::error::Error;

use super::attachment::{Saved, attachment};
use super::folder::ExportFolder;
use super::zipped::{self, Spooled};
use crate::app::App;
use crate::files::sending_body;
use crate::unread::Cut;
use crate::web::page;
use crate::web::page_context::either;
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// How long writing the rows may take. A business that needs longer is exported with the command.
const TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The length of a ZIP is known only at its end.
const UNKNOWN_LENGTH: u64 = u64::MAX;

/// Answers a request for everything.
pub(crate) async fn everything(State(app): State<App>, request: Request) -> Response {
    let cut = request.extensions().get::<Cut>().cloned().unwrap_or_default();
    let answer = async {
        let (mut context, _) = TenantContext::form(&app, request, Section::Settings).await?;
        let spooled = spool(&app, &context).await?;
        context.renew_deadline();
        context.record_export().await?;
        let name = format!("{}.zip", context.membership.name);
        let tenant = context.membership.account.number;
        let bytes = zipped::stream(spooled);
        let body = sending_body(app.shared.clone(), tenant, cut, bytes, UNKNOWN_LENGTH);
        Ok(attachment(&name, Saved::Zip, body))
    };
    either(answer.await)
}

/// Writes the rows to a temporary folder.
async fn spool(app: &App, context: &TenantContext) -> Result<Spooled, Response> {
    let turns = &app.shared.exports;
    let under_way = turns.begin(context.membership.account.number).ok_or_else(|| {
        page::stop(
            StatusCode::CONFLICT,
            "A download is under way",
            "Someone in your business is downloading everything already. Try again when it has arrived.",
        )
    })?;
    let permit = turns.prepare().map_err(|_| {
        page::stop(
            StatusCode::SERVICE_UNAVAILABLE,
            "Others are downloading",
            "This server prepares only a few downloads at once. Try again in a few minutes.",
        )
    })?;
    let folder = tempfile::Builder::new().prefix("zoop-export-").tempdir();
    let folder = folder.map_err(|error| page::failed(&Error::internal(error)))?;
    let target = ExportFolder::create(folder.path());
    let target = target.map_err(|error| page::failed(&Error::internal(error)))?;
    let (to, now) = (target.clone(), app.shared.environment.clock.now());
    let written = context.administer(Instant::now() + TIMEOUT, move |tx, account| {
        to.write_rows(tx, account, now, &mut |_, _| {})
    });
    let written = written.await?.map_err(|error| page::failed(&error))?;
    drop(permit);
    let store = app.shared.settings.files.clone();
    Ok(Spooled { folder: target, written, store, _folder: folder, _under_way: under_way })
}
