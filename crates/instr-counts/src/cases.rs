//! The calls that are counted. All repetitions of a call have the same size.

use anyhow::{Result, anyhow};

use crate::fixture::Facts;

/// A call to count.
pub(crate) struct Case {
    /// The name in the record.
    pub(crate) name: &'static str,
    /// The HTTP status of the answer.
    pub(crate) status: u16,
    /// The request body of the `n`th repetition.
    pub(crate) body: fn(&Facts, u32) -> String,
}

/// Every case, in the record's order.
pub(crate) const ALL: &[Case] = &[
    Case { name: "a refused token", status: 401, body: |_, _| message("ping", "{}") },
    Case {
        name: "initialize",
        status: 200,
        body: |_, _| message("initialize", r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#),
    },
    Case { name: "tools/list", status: 200, body: |_, _| message("tools/list", "{}") },
    Case {
        name: "customers.get",
        status: 200,
        body: |facts, n| call("customers.get", &format!(r#"{{"id":"{}"}}"#, facts.customer(n))),
    },
    Case {
        name: "customers.search name",
        status: 200,
        body: |_, _| call("customers.search", r#"{"q":"guy"}"#),
    },
    Case {
        name: "customers.search phone",
        status: 200,
        body: |_, _| call("customers.search", r#"{"q":"2000 12"}"#),
    },
    Case { name: "customers.search all", status: 200, body: |_, _| call("customers.search", "{}") },
    Case {
        name: "notes.list of a subject",
        status: 200,
        body: |facts, _| {
            let customer = facts.customer(0);
            call(
                "notes.list",
                &format!(r#"{{"subject_type":"customer","subject_id":"{customer}"}}"#),
            )
        },
    },
    Case {
        name: "customers.create",
        status: 200,
        body: |_, n| {
            call(
                "customers.create",
                &format!(
                    r#"{{"customer_type":"individual","first_name":"Priya","last_name":"Raman{n:06}",
                    "phone":"(415) 777-{n:04}","email":"priya{n:06}@example.com","location":{{
                    "address_line1":"9 Elm Street","city":"Oakland","state":"CA",
                    "postal_code":"94607"}}}}"#
                ),
            )
        },
    },
    Case {
        name: "customers.update",
        status: 200,
        body: |facts, n| {
            let customer = facts.customer(n);
            call(
                "customers.update",
                &format!(r#"{{"id":"{customer}","phone":"(415) 778-{n:04}"}}"#),
            )
        },
    },
    Case {
        name: "notes.create",
        status: 200,
        body: |facts, n| {
            let customer = facts.customer(n);
            call(
                "notes.create",
                &format!(
                    r#"{{"body":"Replaced the shut-off valve below the sink, visit {n:06}.",
                    "subject_type":"customer","subject_id":"{customer}"}}"#
                ),
            )
        },
    },
];

impl Case {
    /// The case with this name.
    pub(crate) fn find(name: &str) -> Result<&'static Self> {
        ALL.iter().find(|case| case.name == name).ok_or_else(|| anyhow!("there is no case {name}"))
    }
}

fn call(tool: &str, arguments: &str) -> String {
    message("tools/call", &format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#))
}

fn message(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}
