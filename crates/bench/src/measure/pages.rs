//! Every search and list with one caller: how its time grows with the size of the database, and of the
//! business.

use anyhow::Result;

use super::Run;
use crate::cases::{self, Case};
use crate::generate::landmarks::BusinessLandmarks;
use crate::load::Target;
use crate::opponents::server::{Commits, Server};
use crate::results::Key;

/// One business of one database, with the server of that database.
struct ServedBusiness {
    server: usize,
    customers: u32,
    landmarks: BusinessLandmarks,
    target: Target,
}

pub(super) fn measure(run: &mut Run) -> Result<()> {
    let servers: Vec<Server> = run
        .databases
        .iter()
        .map(|it| run.plan.zoop.start(&it.path, &it.largest().owner_key, Commits::Grouped))
        .collect::<Result<_>>()?;
    let mut measured = Vec::new();
    for (server, database) in run.databases.iter().enumerate() {
        // The largest business of each database, and every observed business of the largest database.
        let is_last = server + 1 == run.databases.len();
        let businesses = if is_last { database.landmarks.businesses.len() } else { 1 };
        for business in database.landmarks.businesses.iter().take(businesses) {
            let token = business.owner_key.clone();
            let target = Target { token, ..servers[server].target.clone() };
            let (customers, landmarks) = (database.customers, business.clone());
            measured.push(ServedBusiness { server, customers, landmarks, target });
        }
    }
    let cases: Vec<&Case> = std::iter::once(&cases::GET).chain(cases::PAGES).collect();
    run.begin("searches and lists", run.plan.rounds * cases.len() * measured.len());
    for case in cases {
        for round in 0..run.plan.rounds {
            for business in &measured {
                let Some(requests) = case.requests(&business.target, &business.landmarks)? else {
                    run.bar.inc(1);
                    continue;
                };
                let key = Key {
                    server: "zoop".to_owned(),
                    tool: case.tool.to_owned(),
                    case: case.name.to_owned(),
                    callers: 1,
                    customers: business.customers,
                    business: business.landmarks.place.clone(),
                };
                run.load(&servers[business.server], requests, key, round)?;
            }
        }
    }
    Ok(())
}
