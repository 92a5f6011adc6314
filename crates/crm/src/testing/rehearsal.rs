//! Calls that are rolled back, so that a test can call every tool in one environment, which never changes.

use std::convert::Infallible;
use std::time::Instant;

use super::{Caller, TIMEOUT, TestEnv};
use crate::call::error::Result;
use crate::call::run;
use crate::catalog;

/// The end of a rehearsal: always an error, so that the transaction is rolled back.
enum End<const CALLS: usize> {
    Answered([Result<String>; CALLS]),
    Failed(zoop_db::Error),
}

impl<const CALLS: usize> From<zoop_db::Error> for End<CALLS> {
    fn from(error: zoop_db::Error) -> Self {
        Self::Failed(error)
    }
}

impl TestEnv {
    /// Makes calls one after another in one transaction, which is then rolled back, and returns their answers. A
    /// call is a caller, a tool and its arguments as text. Each call passes through the whole pipeline.
    ///
    /// # Panics
    /// If there is no such tool, or if the database fails.
    pub fn rehearse<const CALLS: usize>(
        &self,
        calls: [(&Caller, &str, &str); CALLS],
    ) -> [Result<String>; CALLS] {
        let environment = self.environment.clone();
        let calls = calls.map(|(caller, tool, arguments)| {
            let tool = catalog::find(tool).expect("a tool of the catalog");
            (caller.clone(), tool, arguments.to_owned())
        });
        let ended = self.db.write(Instant::now() + TIMEOUT, move |tx| {
            let answers = calls.each_ref().map(|(caller, tool, arguments)| {
                if tool.is_read_only() {
                    run::read(tx, &environment, caller, tool, arguments)
                } else {
                    run::write(tx, &environment, caller, tool, arguments, None)
                }
            });
            Err::<Infallible, _>(End::Answered(answers))
        });
        match ended.wait() {
            Err(End::Answered(answers)) => answers,
            Err(End::Failed(error)) => panic!("the database failed: {error:?}"),
        }
    }

    /// Makes one call that is rolled back; see [`TestEnv::rehearse`].
    ///
    /// # Errors
    /// The tool's error.
    pub fn try_out(&self, caller: &Caller, tool: &str, arguments: &str) -> Result<String> {
        let [answer] = self.rehearse([(caller, tool, arguments)]);
        answer
    }
}
