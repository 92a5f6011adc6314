//! Imports, through the functions that the command and the pages call.

pub(crate) mod account;
mod files;
mod samples;
mod undone;

use std::path::Path;

use super::{Importer, Plan, Reading, Source};
use crate::call::access::{Credential, Source as CallSource};
use crate::identity::sign_in::ActingMember;
use crate::testing::{Business, TestEnv};
use crate::values::country::Country;

/// A sample file.
fn sample(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/imports");
    std::fs::read(folder.join(name)).expect("a sample")
}

fn source(name: &str, bytes: &[u8]) -> Source {
    Source::read(name, bytes, Reading::default(), Country::US).expect("a readable file")
}

/// The owner of a business, who imports.
fn importer(env: &TestEnv, business: &Business) -> Importer {
    let member = ActingMember {
        tenant: business.account.id,
        user: Business::user(&business.owner),
        credential: Credential::CommandLine,
        source: CallSource::default(),
    };
    Importer { db: env.db.clone(), environment: env.environment.clone(), member }
}

fn plan(importer: &Importer, source: &Source) -> Plan {
    Plan::make(importer, source, &|_, _| Ok(())).expect("a plan")
}
