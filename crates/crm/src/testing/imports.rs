//! Imports that a page has prepared, for tests of pages.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Business, Caller, TestEnv};
use crate::business::import::jobs::{self, Worker};
use crate::call::access::Source;
use crate::call::context::WriteCtx;
use crate::call::error::Result;
use crate::values::id::{Id, kinds};

impl TestEnv {
    /// A file that a member has sent and a server has looked up. Returns the job's id.
    ///
    /// # Panics
    /// If the member may not import.
    pub fn prepare_import(&self, member: &Caller, file: &str) -> Id<kinds::ImportJob> {
        let account = member.account.expect("a member of a business");
        let (_, signed_in) = self.sign_in(Business::user(member));
        let proof = signed_in.in_tenant(account.id, Source::default());
        let environment = self.environment.clone();
        let bytes = file.as_bytes().to_vec();
        let prepare = move |ctx: &mut WriteCtx<'_, '_>| -> Result<Id<kinds::ImportJob>> {
            let job = jobs::begin(ctx, "customers.csv")?;
            jobs::add_bytes(ctx, job, 0, &bytes)?;
            jobs::arrived(ctx, job)?;
            Ok(job)
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        let write =
            self.db.write(deadline, move |tx| jobs::write(tx, &environment, &proof, &prepare));
        let job = write.wait().expect("a job");
        let (db, environment) = (self.db.clone(), self.environment.clone());
        let server = Worker { db, environment, is_stopping: Arc::default() };
        while let Some(due) = server.claim_next(None).expect("the queue") {
            server.work(due).expect("work");
        }
        job
    }
}
