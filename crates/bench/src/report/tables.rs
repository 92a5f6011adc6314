//! A table for each theme.

use super::format::{callers_of, megabytes, ratio, table, time, whole};
use super::goals::{self, CALLERS};
use crate::cases;
use crate::load::Measured;
use crate::measure::{
    self, ALONE, BARE, BARE_CALLS, BESIDE, BOUND, BOUND_CALLS, MOVED, POSTGRES, SINGLE,
};
use crate::results::{Key, Results};

/// The servers for `customers.get`, and their descriptions.
const SERVERS: &[(&str, &str)] = &[
    ("floor", "the floor: axum, a fixed body of the same size"),
    ("zoop", "**zoop**"),
    ("rmcp", "Rust SDK (rmcp), one table"),
    ("typescript", "TypeScript SDK, one table"),
    ("fastmcp", "Python fastmcp, one table"),
];

/// The minimum share of the file for a table to be listed.
const MIN_LISTED_SHARE: f64 = 0.01;

/// Every table under its heading.
pub(super) fn all(results: &Results) -> String {
    let machine = results.machine.join("\n- ");
    [
        format!("## Machine and run\n\n- {machine}\n"),
        gets(results),
        pages(results),
        businesses(results),
        console(results),
        writes(results),
        holds(results),
        duplicates(results),
        fairness(results),
        moving(results),
        others(results),
        sizes(results),
        postgres(results),
    ]
    .join("\n")
}

fn calls(measured: &Measured) -> f64 {
    measured.calls_per_second
}

fn gets(results: &Results) -> String {
    let filter = |server: &'static str, callers: usize| {
        move |key: &Key| {
            key.server == server
                && key.tool == "customers.get"
                && key.callers == callers
                && key.customers == results.largest()
        }
    };
    let rows: Vec<Vec<String>> = SERVERS
        .iter()
        .map(|(server, name)| {
            let number = |callers| whole(results.median(filter(server, callers), calls));
            let at = |value: fn(&Measured) -> f64| results.median(filter(server, CALLERS), value);
            let times = goals::against(results, server).filter(|_| *server != "zoop");
            vec![
                (*name).to_owned(),
                number(1),
                number(CALLERS),
                number(64),
                time(at(|it| it.p50)),
                time(at(|it| it.p99)),
                time(at(|it| it.server_cores * 1e6 / it.calls_per_second)),
                ratio(times),
            ]
        })
        .collect();
    let driver = |threads: usize| {
        whole(results.fact(&format!("driver, {threads} threads"), results.largest()))
    };
    let share = results.median(filter("zoop", CALLERS), |it| it.driver_cores);
    let headings = [
        "server",
        "1 caller",
        "16",
        "64",
        "p50 at 16",
        "p99 at 16",
        "processor a call",
        "zoop is times",
    ];
    format!(
        "## customers.get beside others (calls a second)\n\n{}\n\
         The bare driver, zoop's five statements and nothing else: {} a second on one thread, {} on \
         two. The load driver itself takes {} of a core while zoop answers 16 callers.\n\n\
         ![customers.get a second](benchmarks/others.svg)\n",
        table(&headings, &rows),
        driver(1),
        driver(2),
        ratio(share)
    )
}

fn page<'k>(
    tool: &'k str,
    case: &'k str,
    customers: u32,
    business: &'k str,
) -> impl Fn(&Key) -> bool + 'k {
    move |key| {
        key.tool == tool
            && key.case == case
            && key.customers == customers
            && key.business == business
            && key.callers == 1
            && key.server == "zoop"
    }
}

fn pages(results: &Results) -> String {
    let mut headings = vec!["page".to_owned()];
    headings.extend(results.sizes.iter().map(|size| whole(Some(f64::from(*size)))));
    headings.extend(["times".to_owned(), "p99 of the largest".to_owned(), String::new()]);
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = std::iter::once(&cases::GET)
        .chain(cases::PAGES)
        .map(|case| {
            let mut row = vec![format!("`{}` {}", case.tool, case.name)];
            let at = |size| page(case.tool, case.name, size, "largest");
            row.extend(
                results.sizes.iter().map(|size| time(results.median(at(*size), |it| it.p50))),
            );
            let growth = goals::growth_of(results, case.tool, case.name);
            let p99 = results.median(at(results.largest()), |it| it.p99);
            row.extend([ratio(growth), time(p99)]);
            let is_good = growth.zip(p99).map(|(growth, p99)| growth <= 3.0 && p99 < 5_000.0);
            row.push(is_good.map_or("–", |good| if good { "✓" } else { "✗" }).to_owned());
            row
        })
        .collect();
    format!(
        "## Searches and lists by the size of the database\n\nMedian time of a call with one \
         caller, in the largest business of each database (a fifth of its customers and notes); 25 \
         rows a page if not said otherwise.\n\n{}\n![time of a page](benchmarks/pages.svg)\n",
        table(&headings, &rows)
    )
}

/// How long the pages of the console take.
pub(crate) fn console(results: &Results) -> String {
    let mut headings = vec!["page".to_owned()];
    headings.extend(results.sizes.iter().map(|size| whole(Some(f64::from(*size)))));
    headings.push("p99 of the largest".to_owned());
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = measure::PAGES
        .iter()
        .map(|it| {
            let at = |size| page(measure::CONSOLE, it.name, size, "largest");
            let medians =
                results.sizes.iter().map(|size| time(results.median(at(*size), |it| it.p50)));
            let p99 = time(results.median(at(results.largest()), |it| it.p99));
            std::iter::once(it.name.to_owned()).chain(medians).chain([p99]).collect()
        })
        .collect();
    format!(
        "## Pages of the console by the size of the database\n\nMedian time until the last byte of a page has \
         arrived, with one signed-in caller in the largest business of each database (a fifth of its customers and \
         notes). Texts are typed key by key, and each key opens the list.\n\n{}",
        table(&headings, &rows)
    )
}

fn businesses(results: &Results) -> String {
    let ranks = ["largest", "second", "median", "smallest"];
    let customers =
        |rank: &str| whole(results.fact(&format!("customers of {rank}"), results.largest()));
    let mut headings = vec!["page".to_owned()];
    headings.extend(ranks.iter().map(|rank| format!("{rank}: {}", customers(rank))));
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = cases::PAGES
        .iter()
        .map(|case| {
            let mut row = vec![format!("`{}` {}", case.tool, case.name)];
            row.extend(ranks.iter().map(|rank| {
                let at = page(case.tool, case.name, results.largest(), rank);
                time(results.median(at, |it| it.p50))
            }));
            row
        })
        .collect();
    format!(
        "## Searches and lists by the size of the business\n\nThe same in the largest database; \
         under each business's place the number of its customers.\n\n{}",
        table(&headings, &rows)
    )
}

fn writes(results: &Results) -> String {
    let mut rows = Vec::new();
    for tool in ["customers.create", "notes.create"] {
        for callers in measure::CALLERS.iter().copied() {
            let filter = |server: &'static str| {
                move |key: &Key| key.server == server && key.tool == tool && key.callers == callers
            };
            rows.push(vec![
                callers_of(&format!("`{tool}`"), callers),
                whole(results.median(filter("zoop"), calls)),
                whole(results.median(filter(SINGLE), calls)),
                ratio(goals::grouped(results, tool, callers)),
                time(results.median(filter("zoop"), |it| it.p50)),
                time(results.median(filter("zoop"), |it| it.p99)),
                whole(results.median(filter("typescript"), calls)),
                whole(results.median(filter("fastmcp"), calls)),
            ]);
        }
    }
    let headings = [
        "writes a second",
        "zoop",
        "one write a transaction",
        "times",
        "p50",
        "p99",
        "TypeScript SDK",
        "fastmcp",
    ];
    format!(
        "## Writes\n\nEvery one is on disk before it is answered, of every server. zoop writes a \
         search index, a history and a contact beside each customer; the others one row.\n\n{}\n\
         ![writes a second](benchmarks/writes.svg)\n",
        table(&headings, &rows)
    )
}

/// How long one call holds the writer.
pub(crate) fn holds(results: &Results) -> String {
    let kinds = measure::kinds(results);
    let rows: Vec<Vec<String>> = kinds
        .into_iter()
        .map(|kind| {
            let held = results.fact(&format!("{}{kind}", measure::HOLD), 0);
            let held = held.map(|held| {
                if held == 0.0 { "never reaches it".to_owned() } else { time(Some(held)) }
            });
            vec![kind.to_owned(), held.unwrap_or_default()]
        })
        .collect();
    format!(
        "## How long a call holds the writer\n\nSQLite has one writer for all businesses. Each of these calls \
         is as large as the limits allow, unless it says otherwise; letters of names and texts have four bytes. The \
         time is from the beginning of the write to its answer, with a commit of its own. A tag is removed from \
         200 customers at a time; the longest part counts.\n\n{}",
        table(&["call", "held"], &rows)
    )
}

/// Finding and merging duplicates in one large business.
pub(crate) fn duplicates(results: &Results) -> String {
    let time_of = |prefix: &str, kind: &str| {
        time(results.fact(&format!("{prefix}{kind}"), results.largest()))
    };
    let kinds = measure::duplicates(results).into_iter();
    let row = |kind: &str| {
        vec![kind.to_owned(), time_of(measure::HALF, kind), time_of(measure::MOST, kind)]
    };
    let rows: Vec<_> = kinds.map(row).collect();
    format!(
        "## Duplicates in one business\n\nOne business has as many customers as the largest database, and 10,000 \
         more with one family name in one street. The calls are made in one process, one after another; the time \
         is from a call to its answer, with a commit of its own if it writes.\n\n{}",
        table(&["call", "p50", "p99"], &rows)
    )
}

/// An import and an export of a business, and what another one notices of them.
pub(crate) fn moving(results: &Results) -> String {
    let seconds = format!("{}{}", measure::SECONDS, measure::COMMANDS[0]);
    let mut facts = results.facts.iter();
    let rows = facts.find(|fact| fact.name == seconds).map(|fact| fact.customers);
    let rows = rows.unwrap_or_default();
    let fact = |prefix: &str, command: &str| results.fact(&format!("{prefix}{command}"), rows);
    let commands = measure::COMMANDS.map(|command| {
        let seconds = fact(measure::SECONDS, command);
        vec![
            format!("`zoop {command}`"),
            seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.1} s")),
            whole(seconds.map(|seconds| f64::from(rows) / seconds)),
            megabytes(fact(measure::PEAK, command)),
        ]
    });
    let calls = measure::MOVES.map(|case| {
        let times = measure::TIMES.map(|prefix| time(fact(prefix, case)));
        std::iter::once(case.to_owned()).chain(times).collect()
    });
    format!(
        "## An import and an export\n\nA file of {} rows (name, phone, e-mail, address, tag, id, and a note in half of \
         them) is imported into one business, which is then exported. Meanwhile another business of the same SQLite \
         database adds forty customers a second.\n\n{}\n{}",
        whole(Some(f64::from(rows))),
        table(&["command", "took", "rows a second", "most memory"], &commands),
        table(&["`customers.create` of the other business", "p50", "p99", "longest"], &calls),
    )
}

/// One business while another does its worst.
pub(crate) fn fairness(results: &Results) -> String {
    let mut rows = Vec::new();
    for (server, engine) in [("zoop", "SQLite"), (POSTGRES, "PostgreSQL")] {
        for tool in measure::CALLS {
            let at = |case, value: fn(&Measured) -> f64| {
                time(results.median(goals::neighbor(server, tool, case), value))
            };
            rows.push(vec![
                format!("`{tool}` on {engine}"),
                at(ALONE, |it| it.p50),
                at(ALONE, |it| it.p99),
                at(BESIDE, |it| it.p50),
                at(BESIDE, |it| it.p99),
                ratio(goals::slowdown(results, server, tool)),
            ]);
        }
    }
    let headings =
        ["call", "p50 alone", "p99 alone", "p50 beside it", "p99 beside it", "times p99"];
    format!(
        "## One business while another does its worst\n\nThe first business makes forty calls a \
         second. The other one has 64 connections and never pauses: three in four of its calls search through \
         800,000 characters of notes, and each fourth writes a note of 100,000 characters. Both sides, the load \
         and the database share two cores.\n\n{}",
        table(&headings, &rows)
    )
}

fn others(results: &Results) -> String {
    let rows: Vec<Vec<String>> = ["tools/list", "refused token"]
        .into_iter()
        .map(|tool| {
            let filter = |callers| move |key: &Key| key.tool == tool && key.callers == callers;
            vec![
                tool.to_owned(),
                whole(results.median(filter(1), calls)),
                whole(results.median(filter(CALLERS), calls)),
                whole(results.median(filter(64), calls)),
                time(results.median(filter(CALLERS), |it| it.p50)),
                time(results.median(filter(CALLERS), |it| it.p99)),
            ]
        })
        .collect();
    let headings = ["calls a second", "1 caller", "16", "64", "p50 at 16", "p99 at 16"];
    format!("## Without a tool\n\n{}", table(&headings, &rows))
}

fn sizes(results: &Results) -> String {
    let mut headings = vec!["customers, and as many notes".to_owned()];
    headings.extend(results.sizes.iter().map(|size| whole(Some(f64::from(*size)))));
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let row = |name: &str, fact: &str, shown: fn(Option<f64>) -> String| {
        let cells = results.sizes.iter().map(|size| shown(results.fact(fact, *size)));
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let mut rows = vec![
        row("file", "file bytes", megabytes),
        row("bytes a customer or note", "bytes a row", whole),
    ];
    let least =
        results.fact("file bytes", results.largest()).unwrap_or_default() * MIN_LISTED_SHARE;
    let parts = results.facts.iter().filter(|fact| fact.customers == results.largest());
    for fact in parts.filter(|fact| fact.name.starts_with("bytes of ") && fact.value >= least) {
        rows.push(row(&fact.name.replace("bytes of", "of that"), &fact.name, megabytes));
    }
    let largest = results.largest();
    let memory = |value: fn(&Measured) -> u64| {
        let loads = results.samples.iter().filter(|sample| sample.key.server == "zoop");
        loads.map(|sample| value(&sample.measured)).max().map(megabytes_of)
    };
    let starts = results.fact("first answer ms", largest).map(|ms| ms * 1e3);
    format!(
        "## Sizes, memory, start\n\n{}\nThe binary has {}. With the largest database open it has {} \
         of memory for itself when idle and {} at most under load; with the pages of the file that \
         it has mapped, which the system takes back when it needs them, {} and {}. From its start \
         to its first answer it takes {}.\n",
        table(&headings, &rows),
        megabytes(results.fact("binary bytes", 0)),
        megabytes(results.fact("idle own memory", largest)),
        memory(|it| it.server_own_memory).unwrap_or_default(),
        megabytes(results.fact("idle memory", largest)),
        memory(|it| it.server_memory).unwrap_or_default(),
        time(starts)
    )
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn megabytes_of(bytes: u64) -> String {
    megabytes(Some(bytes as f64))
}

fn postgres(results: &Results) -> String {
    let filter = |tool: &'static str, case: &'static str, callers: usize| {
        move |key: &Key| {
            key.server == POSTGRES && key.tool == tool && key.case == case && key.callers == callers
        }
    };
    let rows: Vec<Vec<String>> = cases::PAGES
        .iter()
        .map(|page| {
            let at = |value: fn(&Measured) -> f64| {
                time(results.median(filter(page.tool, page.name, 1), value))
            };
            vec![format!("`{}` {}", page.tool, page.name), at(|it| it.p50), at(|it| it.p99)]
        })
        .collect();
    let rates: Vec<Vec<String>> =
        [("customers.get", cases::GET.name), ("customers.create", "new"), ("notes.create", "new")]
            .into_iter()
            .map(|(tool, case)| {
                let rate = |callers| whole(results.median(filter(tool, case, callers), calls));
                vec![format!("`{tool}`"), rate(1), rate(CALLERS), rate(64)]
            })
            .collect();
    let reads = |name| whole(results.fact(name, results.largest()));
    format!(
        "## On PostgreSQL\n\nThe largest database, moved to a PostgreSQL server on the same machine, which \
         has the same two cores; every commit is durable. `zoop copy` moved {} rows a second there, and \
         compared them. Searches and lists with one caller in the largest business:\n\n{}\nCalls a \
         second; what writes has a copy of the database to itself:\n\n{}\nWith eight connections the bare \
         driver reads {} customers a second, and the product's storage {}, each in a snapshot bound to \
         its tenant, with row-level security; of all five statements of `customers.get` {} and {}.\n",
        reads(MOVED),
        table(&["page", "p50", "p99"], &rows),
        table(&["tool", "1 caller", "16", "64"], &rates),
        reads(BARE),
        reads(BOUND),
        reads(BARE_CALLS),
        reads(BOUND_CALLS)
    )
}
