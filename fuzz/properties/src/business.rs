//! A business on a real database, created once, in which calls leave nothing behind.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use zoop_crm::call::definition::{ToolDef, ToolKind};
use zoop_crm::call::error::{Error, Result};
use zoop_crm::call::run;
use zoop_crm::testing::{Business, Caller, TestEnv};

/// Longer than any call takes.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct Place {
    world: TestEnv,
    pub(crate) business: Business,
}

/// The outcome of a write, as a failure: a write that fails leaves nothing behind.
struct Undone(Result<String>);

impl From<zoop_db::Error> for Undone {
    fn from(error: zoop_db::Error) -> Self {
        Self(Err(error.into()))
    }
}

pub(crate) fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let world = TestEnv::new();
        let business = world.business("Acme");
        // A process that has the files open keeps them, and they are needed nowhere else: a fuzz target ends
        // without cleaning up.
        let folder = world.path();
        std::fs::remove_dir_all(folder.parent().expect("a folder")).expect("it can be removed");
        Place { world, business }
    })
}

impl Place {
    /// Calls a tool as a caller who may, and undoes what it did.
    pub(crate) fn call(&self, tool: &'static ToolDef, arguments: &str) -> Result<String> {
        let caller = if tool.is_public() {
            self.business.owner.clone()
        } else {
            Caller::operator(Some(self.business.account))
        };
        let (environment, arguments) = (self.world.environment.clone(), arguments.to_owned());
        if let ToolKind::Query { .. } = tool.kind {
            return self
                .world
                .read(move |tx| run::read(tx, &environment, &caller, tool, &arguments));
        }
        let undone = self.world.db.write(Instant::now() + TIMEOUT, move |tx| {
            Err::<(), _>(Undone(run::write(tx, &environment, &caller, tool, &arguments, None)))
        });
        match undone.wait() {
            Err(Undone(outcome)) => outcome,
            Ok(()) => Err(Error::internal("the write was not undone")),
        }
    }
}
