//! The goals, and whether they are reached.

use super::format::{self, megabytes, ratio, time};
use crate::cases::{self, Case};
use crate::load::Measured;
use crate::measure::{self, ALONE, BARE, BESIDE, BOUND, POSTGRES, SINGLE, SMALLEST_SIZE};
use crate::results::{Key, Results};

/// The number of callers with which servers are compared.
pub(super) const CALLERS: usize = 16;
/// Customers of the database with which the console is measured.
const ORDINARY_SIZE: u32 = 100_000;
/// The number of callers with which shared transactions are compared with single ones.
const WRITERS: usize = 64;

/// One goal.
struct Goal {
    what: String,
    reached: String,
    target: String,
    is_reached: Option<bool>,
}

/// The table of goals.
pub(super) fn table(results: &Results) -> String {
    let rows: Vec<Vec<String>> = goals(results)
        .into_iter()
        .map(|goal| {
            let mark = match goal.is_reached {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "–",
            };
            vec![goal.what, goal.reached, goal.target, mark.to_owned()]
        })
        .collect();
    format!("## Goals\n\n{}", format::table(&["goal", "reached", "target", ""], &rows))
}

fn goals(results: &Results) -> Vec<Goal> {
    let largest = results.largest();
    let memory = |value: fn(&Measured) -> f64| {
        let loads = results.samples.iter().filter(|sample| sample.key.server == "zoop");
        loads.map(|sample| value(&sample.measured)).reduce(f64::max)
    };
    let mut goals = vec![
        at_least(
            "customers.get, calls a second as a part of the floor's",
            against(results, "floor"),
            0.60,
        ),
        at_least("customers.get, times fastmcp", against(results, "fastmcp"), 40.0),
        at_least("customers.get, times the TypeScript SDK", against(results, "typescript"), 25.0),
        at_least(
            "customers.create with 64 callers, times one write a transaction",
            grouped(results, "customers.create", WRITERS),
            2.5,
        ),
    ];
    goals.push(growth(results));
    goals.push(slowest(results, "zoop", "every page, 99 of 100 calls within", 5_000.0));
    goals.push(slowest_of_console(results));
    let holds = crate::measure::kinds(results).into_iter();
    let holds =
        holds.filter_map(|kind| results.fact(&format!("{}{kind}", crate::measure::HOLD), 0));
    goals.push(at_most(
        "the longest hold of the writer by one call",
        holds.reduce(f64::max),
        10_000.0,
        |us| time(Some(us)),
    ));
    goals.push(at_most(
        "adding a customer with the family name and the street of 10,000, 99 of 100 calls within",
        results.fact(&format!("{}{}", measure::MOST, measure::CROWDED), largest),
        20_000.0,
        |us| time(Some(us)),
    ));
    goals.push(neighbors(
        results,
        "zoop",
        "p99 beside a business that does its worst, times p99 alone",
    ));
    let own = |bytes| megabytes(Some(bytes));
    goals.extend([
        at_most("memory of its own, idle", results.fact("idle own memory", largest), 30e6, own),
        at_most("memory of its own, under load", memory(own_memory), 120e6, own),
        at_most(
            "start to first answer",
            results.fact("first answer ms", largest).map(|ms| ms * 1e3),
            50_000.0,
            |us| time(Some(us)),
        ),
    ]);
    goals.extend(on_postgres(results));
    goals
}

/// The goals on PostgreSQL.
fn on_postgres(results: &Results) -> Vec<Goal> {
    let rate = |name| results.fact(name, results.largest());
    let part = rate(BOUND).zip(rate(BARE)).map(|(bound, bare)| bound / bare);
    let letter = |case: &Case| {
        let is_letter = |key: &Key| {
            is_largest_with_one_caller(key, POSTGRES, results)
                && key.tool == case.tool
                && key.case == case.name
        };
        results.median(is_letter, |measured| measured.p99)
    };
    let letters = cases::PAGES.iter().filter(|case| case.name == "one letter");
    let longest = letters.filter_map(letter).reduce(f64::max);
    vec![
        at_least(
            "PostgreSQL: reads in a tenant's snapshot, as a part of the bare driver's",
            part,
            0.45,
        ),
        slowest(results, POSTGRES, "PostgreSQL: every page, 99 of 100 calls within", 20_000.0),
        at_most("PostgreSQL: one letter, 99 of 100 calls within", longest, 50_000.0, |us| {
            time(Some(us))
        }),
        neighbors(
            results,
            POSTGRES,
            "PostgreSQL: p99 beside a business that does its worst, times p99 alone",
        ),
    ]
}

/// How much slower the slowest of a business's calls get while another business does its worst.
fn neighbors(results: &Results, server: &str, what: &str) -> Goal {
    let slowdowns = measure::CALLS.iter().filter_map(|tool| slowdown(results, server, tool));
    at_most(what, slowdowns.reduce(f64::max), 5.0, |it| ratio(Some(it)))
}

/// The same for one tool.
pub(super) fn slowdown(results: &Results, server: &str, tool: &str) -> Option<f64> {
    let (beside, alone) = (neighbor(server, tool, BESIDE), neighbor(server, tool, ALONE));
    results.ratio(beside, alone, |measured| measured.p99)
}

/// Selects the calls of the business that is measured alone and beside another.
pub(super) fn neighbor<'k>(
    server: &'k str,
    tool: &'k str,
    case: &'k str,
) -> impl Fn(&Key) -> bool + 'k {
    move |key| key.server == server && key.tool == tool && key.case == case
}

/// Whether this was measured with one caller in the largest business of the largest database.
fn is_largest_with_one_caller(key: &Key, server: &str, results: &Results) -> bool {
    key.server == server
        && key.customers == results.largest()
        && key.business == "largest"
        && key.callers == 1
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn own_memory(measured: &Measured) -> f64 {
    measured.server_own_memory as f64
}

fn at_least(what: &str, reached: Option<f64>, goal: f64) -> Goal {
    Goal {
        what: what.to_owned(),
        reached: ratio(reached),
        target: format!("≥ {}", ratio(Some(goal))),
        is_reached: reached.map(|reached| reached >= goal),
    }
}

fn at_most(what: &str, reached: Option<f64>, goal: f64, shown: fn(f64) -> String) -> Goal {
    Goal {
        what: what.to_owned(),
        reached: reached.map_or_else(|| "–".to_owned(), shown),
        target: format!("≤ {}", shown(goal)),
        is_reached: reached.map(|reached| reached <= goal),
    }
}

/// The ratio of zoop's `customers.get` calls per second to another server's.
pub(super) fn against(results: &Results, other: &str) -> Option<f64> {
    let filter = |server: &str| {
        let server = server.to_owned();
        move |key: &Key| {
            key.server == server
                && key.tool == "customers.get"
                && key.callers == CALLERS
                && key.customers == results.largest()
        }
    };
    results.ratio(filter("zoop"), filter(other), |measured| measured.calls_per_second)
}

/// The ratio of writes per second with shared transactions to single ones.
pub(super) fn grouped(results: &Results, tool: &str, callers: usize) -> Option<f64> {
    let filter = |server: &str| {
        let (server, tool) = (server.to_owned(), tool.to_owned());
        move |key: &Key| key.server == server && key.tool == tool && key.callers == callers
    };
    results.ratio(filter("zoop"), filter(SINGLE), |measured| measured.calls_per_second)
}

/// The ratio of a page's time in the largest database to that in the smallest.
pub(super) fn growth_of(results: &Results, tool: &str, case: &str) -> Option<f64> {
    let filter = |customers: u32| {
        let (tool, case) = (tool.to_owned(), case.to_owned());
        move |key: &Key| {
            key.tool == tool
                && key.case == case
                && key.customers == customers
                && key.callers == 1
                && key.business == "largest"
                && key.server == "zoop"
        }
    };
    results.ratio(filter(results.largest()), filter(SMALLEST_SIZE), |measured| measured.p50)
}

/// The goal for the page whose time grows most.
fn growth(results: &Results) -> Goal {
    let pages = cases::PAGES.iter();
    let growths = pages.filter_map(|page| Some((page, growth_of(results, page.tool, page.name)?)));
    let worst = growths.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let name =
        worst.map_or_else(String::new, |(page, _)| format!(" ({} {})", page.tool, page.name));
    Goal {
        what: format!(
            "every page in the largest database, times its time with 10,000 customers{name}"
        ),
        ..at_most("", worst.map(|(_, growth)| growth), 3.0, |it| ratio(Some(it)))
    }
}

/// The slowest page of the console, at the median of a database of ordinary size.
fn slowest_of_console(results: &Results) -> Goal {
    let pages = measure::PAGES.iter().filter_map(|page| {
        let is_page = |key: &Key| {
            key.tool == measure::CONSOLE && key.case == page.name && key.customers == ORDINARY_SIZE
        };
        Some((page.name, results.median(is_page, |measured| measured.p50)?))
    });
    let worst = pages.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let name = worst.map_or_else(String::new, |(name, _)| format!(" ({name})"));
    Goal {
        what: format!("every page of the console with 100,000 customers, at the median{name}"),
        ..at_most("", worst.map(|(_, time)| time), 10_000.0, |us| time(Some(us)))
    }
}

/// The goal for the page with the slowest 99th percentile: at most `limit` microseconds.
fn slowest(results: &Results, server: &str, what: &str, limit: f64) -> Goal {
    let times = cases::PAGES.iter().filter_map(|page| {
        let is_case = |key: &Key| {
            is_largest_with_one_caller(key, server, results)
                && key.tool == page.tool
                && key.case == page.name
        };
        Some((page, results.median(is_case, |measured| measured.p99)?))
    });
    let worst = times.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let name =
        worst.map_or_else(String::new, |(page, _)| format!(" ({} {})", page.tool, page.name));
    Goal {
        what: format!("{what}{name}"),
        ..at_most("", worst.map(|(_, time)| time), limit, |us| time(Some(us)))
    }
}
