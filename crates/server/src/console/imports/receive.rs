//! The form that sends a file to import. The file is stored as it arrives.

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use zoop_crm::business::import::jobs::{self, SENT_BYTES};
use zoop_crm::business::import::sheet::MAX_BYTES;
use zoop_crm::identity::sign_in::SignedIn;
use zoop_crm::values::id::{Id, kinds};

use super::super::arriving::{self, Answering, Refused};
use super::{handed_over, render};
use crate::app::App;
use crate::files::{Arrival, Gone, Parts, Unreceived};
use crate::web::form::{self, Form};
use crate::web::page;
use crate::web::page_context::{PageContext, either};
use crate::web::section::Section;
use crate::web::tenant_context::TenantContext;

/// `POST /import`
pub(in crate::console) async fn receive(State(app): State<App>, request: Request) -> Response {
    let received: Answering =
        |context, signed_in, parts, gone| received(context, signed_in, parts, gone).boxed();
    either(arriving::answer(&app, request, Section::Customers, received).await)
}

async fn received(
    context: PageContext,
    signed_in: SignedIn,
    parts: &mut Parts,
    gone: Gone,
) -> Result<Response, Response> {
    let mut arrival = Arrival::begin(&context.shared, gone);
    let fields = arrival.next(parts.fields()).await;
    let fields = fields.map_err(|problem| {
        page::stop(problem.status(), "Something was wrong with the form", &problem.text())
    })?;
    let form = Form::of(fields).map_err(|_| form::unreadable())?;
    let mut tenant_context =
        arriving::in_business(context, signed_in, Section::Customers, &form).await?;
    match stored(&mut tenant_context, parts, &mut arrival).await {
        Ok(job) => Ok(handed_over(&tenant_context, job)),
        Err(Refused::Page(page)) => Err(page),
        Err(Refused::Because(status, text)) => Err(render(&tenant_context, status, &text).await?),
    }
}

/// Stores the file of the form. If it does not arrive whole, nothing of it is kept.
async fn stored(
    context: &mut TenantContext,
    parts: &mut Parts,
    arrival: &mut Arrival,
) -> Result<Id<kinds::ImportJob>, Refused> {
    let Some((name, mut file)) = arrival.next(parts.next()).await? else {
        return Err(Unreceived::Nothing.into());
    };
    let name = name.as_str().to_owned();
    let job = context.write_imports(move |ctx| jobs::begin(ctx, &name)).await??;
    let mut stored = Storing { context, job, buffer: Vec::new(), sent: 0, bytes: 0 };
    let ended = loop {
        match arrival.next(file.next()).await {
            Ok(Some(piece)) => {
                arrival.received(piece.len());
                if let Err(refused) = stored.add(&piece).await {
                    break Err(refused);
                }
            }
            Ok(None) => break stored.end().await,
            Err(problem) => break Err(problem.into()),
        }
    };
    if ended.is_err() {
        context.context.renew_deadline();
        context.write_imports(move |ctx| jobs::remove(ctx, job)).await??;
        context.context.shared.importing.wake();
    }
    ended.map(|()| job)
}

/// A file that arrives.
struct Storing<'c> {
    context: &'c mut TenantContext,
    job: Id<kinds::ImportJob>,
    /// What is not stored yet.
    buffer: Vec<u8>,
    /// How often something was stored.
    sent: usize,
    bytes: usize,
}

impl Storing<'_> {
    async fn add(&mut self, piece: &Bytes) -> Result<(), Refused> {
        self.bytes += piece.len();
        if self.bytes > MAX_BYTES {
            let text = format!(
                "The file is larger than {} MiB: split it into several.",
                MAX_BYTES / 1024 / 1024
            );
            return Err(Refused::Because(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        self.buffer.extend_from_slice(piece);
        while self.buffer.len() >= SENT_BYTES {
            let rest = self.buffer.split_off(SENT_BYTES);
            self.store().await?;
            self.buffer = rest;
        }
        Ok(())
    }

    async fn store(&mut self) -> Result<(), Refused> {
        let (job, sent) = (self.job, self.sent);
        let bytes = std::mem::take(&mut self.buffer);
        self.context.context.renew_deadline();
        let write = self.context.write_imports(move |ctx| jobs::add_bytes(ctx, job, sent, &bytes));
        write.await??;
        self.sent += 1;
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Refused> {
        if self.bytes == 0 {
            let text = "This file is empty.".to_owned();
            return Err(Refused::Because(StatusCode::BAD_REQUEST, text));
        }
        if !self.buffer.is_empty() {
            self.store().await?;
        }
        let job = self.job;
        Ok(self.context.write_imports(move |ctx| jobs::arrived(ctx, job)).await??)
    }
}
