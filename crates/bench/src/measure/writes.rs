//! Creating customers and notes: waiting writes that share a transaction, compared with one transaction per
//! write in the same binary, and with the SDKs' servers.
//!
//! All of it runs on copies: a generated database is never changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Run;
use super::others::CALLERS;
use crate::cases;
use crate::opponents::peers;
use crate::opponents::server::Commits;
use crate::results::Key;
use crate::say;

/// The server with one transaction per write.
pub(crate) const SINGLE: &str = "zoop, one write a transaction";

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let (generated, landmarks) = (run.largest().path.clone(), run.largest().largest().clone());
    let customers = run.largest().customers;
    say("copying the databases that are written to");
    let ours = Copy::of(&generated)?;
    let theirs = Copy::of(&peers::database(&generated)?)?;
    let key = |server: &str, tool: &str, callers| Key {
        server: server.to_owned(),
        tool: tool.to_owned(),
        case: "new".to_owned(),
        callers,
        customers,
        business: landmarks.place.clone(),
    };
    // The peers' servers stay open, because they are slow at first. zoop's servers take turns on their database.
    let peers = [
        ("typescript", run.plan.peers.typescript(&theirs.0, &landmarks.tenant_id)?),
        ("fastmcp", run.plan.peers.fastmcp(&theirs.0, &landmarks.tenant_id)?),
    ];
    for (_, server) in &peers {
        let new = cases::new_peer_customers(&server.target, run.next_series());
        run.warm_up(server, new)?;
    }
    run.begin("writes", run.plan.rounds * CALLERS.len() * (4 + peers.len()));
    for round in 0..run.plan.rounds {
        for callers in CALLERS.iter().copied() {
            for (name, commits) in [("zoop", Commits::Grouped), (SINGLE, Commits::Single)] {
                let server = run.plan.zoop.start(&ours.0, &landmarks.owner_key, commits)?;
                let new = cases::new_customers(&server.target, run.next_series());
                run.load(&server, new, key(name, "customers.create", callers), round)?;
                let new = cases::new_notes(&server.target, &landmarks, run.next_series());
                run.load(&server, new, key(name, "notes.create", callers), round)?;
            }
            for (name, server) in &peers {
                let new = cases::new_peer_customers(&server.target, run.next_series());
                run.load(server, new, key(name, "customers.create", callers), round)?;
            }
        }
    }
    Ok(())
}

/// A copy of a database that is not open. Dropping it removes the copy.
pub(super) struct Copy(pub(super) PathBuf);

impl Copy {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let copy = path.with_extension("copy.db");
        fs::copy(path, &copy).with_context(|| format!("{} cannot be copied", path.display()))?;
        Ok(Self(copy))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        for end in ["db", "db-wal", "db-shm", "db-lock"] {
            let _ = fs::remove_file(self.0.with_extension(end));
        }
    }
}
