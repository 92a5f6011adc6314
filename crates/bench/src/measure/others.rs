//! `customers.get` of zoop compared with the other implementations and with the bare SQLite driver, and zoop's
//! answers that run no tool.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Run;
use crate::cases;
use crate::load::{self, Expected, Requests, Target};
use crate::opponents::driver::Reads;
use crate::opponents::server::{Commits, Server};
use crate::opponents::{floor, peers, rmcp};
use crate::results::Key;

/// The numbers of callers with which each load is repeated.
pub(crate) const CALLERS: &[usize] = &[1, 16, 64];

/// A server in this comparison.
struct Opponent {
    name: &'static str,
    server: Server,
}

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let (database, landmarks) = (run.largest().path.clone(), run.largest().largest().clone());
    let customers = run.largest().customers;
    let peers_database = peers::database(&database)?;
    let tenant = landmarks.tenant_id.clone();

    let revoked = run.plan.zoop.revoked_key(&database, &tenant)?;
    let zoop = run.plan.zoop.start(&database, &landmarks.owner_key, Commits::Grouped)?;
    let example = json!({ "id": landmarks.customer_ids[0] });
    let answer = load::once(zoop.target.address, &zoop.target.call("customers.get", &example))?;
    let opponents = [
        Opponent { name: "floor", server: floor::start(answer.len())? },
        Opponent { name: "zoop", server: zoop },
        Opponent { name: "rmcp", server: rmcp::start(&peers_database, &tenant)? },
        Opponent {
            name: "typescript",
            server: run.plan.peers.typescript(&peers_database, &tenant)?,
        },
        Opponent { name: "fastmcp", server: run.plan.peers.fastmcp(&peers_database, &tenant)? },
    ];
    let key = |server: &str, tool: &str, callers| Key {
        server: server.to_owned(),
        tool: tool.to_owned(),
        case: cases::GET.name.to_owned(),
        callers,
        customers,
        business: landmarks.place.clone(),
    };
    let bare_driver = Reads::new(&database, &landmarks.owner_key, &landmarks.customer_ids)?;
    run.begin("zoop and others", run.plan.rounds * CALLERS.len() * (opponents.len() + 2));
    for Opponent { server, .. } in &opponents {
        run.warm_up(
            server,
            cases::GET.requests(&server.target, &landmarks)?.context("customers")?,
        )?;
    }
    for round in 0..run.plan.rounds {
        for threads in [1, 2] {
            let calls = bare_driver.per_second(&database, threads, run.plan.span.counted)?;
            run.results.note(&format!("driver, {threads} threads"), customers, calls);
        }
        for callers in CALLERS.iter().copied() {
            for Opponent { name, server } in &opponents {
                let get = cases::GET.requests(&server.target, &landmarks)?.context("customers")?;
                run.load(server, get, key(name, "customers.get", callers), round)?;
            }
            let server = &opponents[1].server;
            let list = server.target.request("tools/list", &json!({}));
            let list = Requests::Repeated(vec![list], Expected::Success);
            run.load(server, list, key("zoop", "tools/list", callers), round)?;
            let refused = refused_calls(&server.target, &revoked, &example);
            run.load(server, refused, key("zoop", "refused token", callers), round)?;
        }
    }
    Ok(())
}

/// Calls with a revoked token.
fn refused_calls(target: &Target, token: &str, example: &Value) -> Requests {
    let target = Target { token: token.to_owned(), ..target.clone() };
    Requests::Repeated(vec![target.call("customers.get", example)], Expected::Status(401))
}
