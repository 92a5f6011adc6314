//! The classes of calls, with arguments taken from a generated database.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::generate::landmarks::BusinessLandmarks;
use crate::load::{self, Expected, Requests, Target};

/// Rows per page in the cases that read page 100: few enough for 100 pages in the smallest database.
const SHORT_PAGE: u32 = 10;
/// The number of the page that those cases read.
const DEEP_PAGE: u32 = 100;

/// One class of calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) tool: &'static str,
    pub(crate) name: &'static str,
    arguments: Arguments,
}

#[derive(Debug, Clone, Copy)]
enum Arguments {
    /// One call for each of these arguments, taken from the database.
    Each(fn(&BusinessLandmarks) -> Vec<Value>),
    /// The hundredth page for each of these arguments.
    Deep(fn(&BusinessLandmarks) -> Vec<Value>),
}

/// Getting one customer.
pub(crate) const GET: Case = Case {
    tool: "customers.get",
    name: "by id",
    arguments: Arguments::Each(|business| {
        business.customer_ids.iter().map(|id| json!({ "id": id })).collect()
    }),
};

/// Every class of search and list.
pub(crate) const PAGES: &[Case] = &[
    search("everybody", |_| vec![json!({})]),
    search("one letter", |business| words(&business.terms.customer_one_letter)),
    search("rare name", |business| words(&business.terms.customer_rare_name)),
    search("middling name", |business| words(&business.terms.customer_middling_name)),
    search("common name", |business| words(&business.terms.customer_common_name)),
    search("part of a name", |business| words(&business.terms.customer_name_part)),
    search("part of a phone", |business| words(&business.terms.customer_phone_part)),
    search("area code", |business| words(&business.terms.customer_area_code)),
    search("tag", |business| business.tag_ids.iter().map(|id| json!({ "tag": id })).collect()),
    search("rare status", |_| vec![json!({ "status": "archived" })]),
    search("one letter, page 1 of 10 rows", short_letters),
    Case {
        tool: "customers.search",
        name: "one letter, page 100 of 10 rows",
        arguments: Arguments::Deep(short_letters),
    },
    notes("all", |_| vec![json!({})]),
    notes("of a customer", |business| {
        let on = |id| json!({ "subject_type": "customer", "subject_id": id });
        business.noted_customer_ids.iter().map(on).collect()
    }),
    notes("rare word", |business| words(&business.terms.note_rare_word)),
    notes("middling word", |business| words(&business.terms.note_middling_word)),
    notes("common word", |business| words(&business.terms.note_common_word)),
    notes("one letter", |business| words(&business.terms.note_one_letter)),
];

const fn search(name: &'static str, each: fn(&BusinessLandmarks) -> Vec<Value>) -> Case {
    Case { tool: "customers.search", name, arguments: Arguments::Each(each) }
}

const fn notes(name: &'static str, each: fn(&BusinessLandmarks) -> Vec<Value>) -> Case {
    Case { tool: "notes.list", name, arguments: Arguments::Each(each) }
}

fn words(words: &[String]) -> Vec<Value> {
    words.iter().map(|word| json!({ "q": word })).collect()
}

fn short_letters(business: &BusinessLandmarks) -> Vec<Value> {
    // Only the most common letters: each fills a hundred pages even in a small business.
    let letters = business.terms.customer_one_letter.iter().take(4);
    letters.map(|letter| json!({ "q": letter, "limit": SHORT_PAGE })).collect()
}

impl Case {
    /// The class's calls to a server with this database; `None` if the business is too small.
    pub(crate) fn requests(
        &self,
        target: &Target,
        business: &BusinessLandmarks,
    ) -> Result<Option<Requests>> {
        let calls: Vec<Value> = match self.arguments {
            Arguments::Each(arguments) => arguments(business),
            Arguments::Deep(arguments) => {
                let deep = arguments(business).into_iter().map(|first| self.deep(target, first));
                deep.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect()
            }
        };
        let requests: Vec<_> = calls.iter().map(|call| target.call(self.tool, call)).collect();
        Ok((!requests.is_empty()).then_some(Requests::Repeated(requests, Expected::Success)))
    }

    /// The arguments of the hundredth page; `None` if there are fewer pages.
    fn deep(&self, target: &Target, mut arguments: Value) -> Result<Option<Value>> {
        for _ in 1..DEEP_PAGE {
            let answer = load::once(target.address, &target.call(self.tool, &arguments))?;
            let answer: Value = serde_json::from_str(&answer)?;
            let page = &answer["result"]["structuredContent"];
            page["rows"].as_array().context("a page without rows")?;
            let Some(cursor) = page["nextCursor"].as_str() else { return Ok(None) };
            arguments["cursor"] = json!(cursor);
        }
        Ok(Some(arguments))
    }
}

/// Calls that each create a customer, a different one in every call and every `series`.
pub(crate) fn new_customers(target: &Target, series: usize) -> Requests {
    let target = target.clone();
    Requests::New(Box::new(move |index| {
        let mut customer = person(series, index);
        customer["customer_type"] = json!("individual");
        target.call("customers.create", &customer)
    }))
}

/// Like [`new_customers`], for the peers, whose customers have no type.
pub(crate) fn new_peer_customers(target: &Target, series: usize) -> Requests {
    let target = target.clone();
    Requests::New(Box::new(move |index| target.call("customers.create", &person(series, index))))
}

fn person(series: usize, index: usize) -> Value {
    json!({
        "first_name": "Ann",
        "last_name": format!("Lee{index}"),
        "phone": format!("+1{:03}{:07}", 201 + series % 790, 2_000_000 + index),
        "email": format!("ann{series}.{index}@example.com"),
    })
}

/// Calls that each create a note.
pub(crate) fn new_notes(target: &Target, business: &BusinessLandmarks, series: usize) -> Requests {
    let (target, customers) = (target.clone(), business.customer_ids.clone());
    Requests::New(Box::new(move |index| {
        let note = json!({
            "body": format!("Replaced valve {series}-{index} and tested the whole zone, all good."),
            "subject_type": "customer",
            "subject_id": customers[index % customers.len()],
        });
        target.call("notes.create", &note)
    }))
}
