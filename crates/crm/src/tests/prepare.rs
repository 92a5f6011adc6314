//! A write is prepared in a read, so that no writer waits for that work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zoop_both::both;
use zoop_db::ReadTx;

use crate::call::access::Access;
use crate::call::argument::{CLIENT_ADDED_KEYS, MAX_MEMBERS};
use crate::call::definition::ToolKind;
use crate::call::error::{Error, Result};
use crate::call::proof::Proof;
use crate::call::run::Runner;
use crate::call::scope::Scope;
use crate::catalog;
use crate::testing::{Business, Caller, TestEnv, error_json, text};
use crate::values::clock::Environment;
use crate::values::country::Country;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs `work` while another write of the business is in progress. That write ends after `work`.
fn during_a_write(env: &TestEnv, business: &Business, work: impl FnOnce()) {
    let number = business.account.number;
    let (begin_sender, begin_receiver) = mpsc::channel();
    let (end_sender, end_receiver) = mpsc::channel::<()>();
    let writing = env.db.write(Instant::now() + 2 * TIMEOUT, move |tx| {
        tx.bind(number);
        tx.take_turn()?;
        begin_sender.send(()).expect("the test waits");
        end_receiver.recv().expect("the test ends the write");
        Ok::<_, Error>(())
    });
    begin_receiver.recv_timeout(TIMEOUT).expect("the write begins");
    work();
    end_sender.send(()).expect("the write waits");
    writing.wait().expect("the write ends");
}

#[both]
fn a_refused_call_waits_for_no_write() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let reader =
        env.authenticate(&env.key(acme.account, None, &[Scope::ReadNotes])).expect("a key");
    during_a_write(&env, &acme, || {
        for (_, tool) in catalog::mcp_tools() {
            let ToolKind::Command { .. } = tool.kind else { continue };
            let refused = env.call(&acme.owner, tool.name, json!({ "no_such_field": 1 }));
            assert_eq!(error_json(&refused.unwrap_err())["kind"], "invalid_input", "{}", tool.name);
            let refused = env.call(&reader, tool.name, json!({}));
            assert_eq!(
                error_json(&refused.unwrap_err())["kind"],
                "insufficient_scope",
                "{}",
                tool.name
            );
        }
    });
}

/// A caller whose business moves to the next of `countries` each time its rights are read.
#[derive(Clone)]
struct MovingCaller {
    caller: Caller,
    reads: Arc<AtomicUsize>,
    countries: &'static [&'static str],
}

impl Proof for MovingCaller {
    type Refusal = Error;

    fn access(&self, tx: &mut ReadTx<'_>, environment: &Environment) -> Result<Access> {
        let mut access = self.caller.access(tx, environment)?;
        let read = self.reads.fetch_add(1, Ordering::Relaxed).min(self.countries.len() - 1);
        let account = access.account.as_mut().expect("a business");
        account.country = Country::parse(self.countries[read]).expect("a country");
        Ok(access)
    }
}

#[both]
fn a_phone_is_read_for_the_country_at_the_time_of_the_write() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    for (countries, e164) in [
        (&["DE", "DE"][..], "+495105550199"),
        (&["US", "DE"][..], "+495105550199"),
        (&["DE", "GB"][..], "+445105550199"),
    ] {
        let proof = MovingCaller { caller: acme.owner.clone(), reads: Arc::default(), countries };
        let tool = catalog::find("customers.create").expect("the tool");
        let deadline = Instant::now() + TIMEOUT;
        let runner = Runner { db: &env.db, environment: &env.environment, deadline };
        let person = json!({
            "customer_type": "individual", "first_name": "Ann", "phone": "510 555 0199",
        });
        let made = runner.call(proof, tool, person.to_string(), None).wait();
        let made: Value = serde_json::from_str(&made.expect("a customer")).expect("JSON");
        assert_eq!(text(&made, "primary_phone"), e164, "{countries:?}");
    }
}

#[test]
fn every_tool_takes_fewer_fields_than_an_object_may_have() {
    for tool in catalog::tools() {
        assert!(tool.fields().len() + CLIENT_ADDED_KEYS.len() < MAX_MEMBERS, "{}", tool.name);
    }
}

#[both]
fn a_body_of_unknown_fields_is_read_no_further_than_it_has_to_be() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let members = (0..160_000).map(|number| format!("\"f{number}\":1")).collect::<Vec<_>>();
    // The text after the fields is not JSON, but it is never read.
    let body = format!("{{{},oops", members.join(","));
    let refused = env.call_text(&acme.owner, "customers.create", &body).unwrap_err();
    let message = text(&error_json(&refused), "message").to_owned();
    assert!(message.contains("no tool takes an object of more than 64 fields"), "{message}");

    let nested = format!("{{\"location\":{{{}}}}}", members.join(","));
    let refused = env.call_text(&acme.owner, "customers.create", &nested).unwrap_err();
    let message = text(&error_json(&refused), "message").to_owned();
    assert!(message.contains("no tool takes an object of more than 64 fields"), "{message}");

    let long = "n".repeat(1 << 20);
    for body in [format!("{{\"{long}\":1}}"), format!("{{\"{long}\":1,\"{long}\":2}}")] {
        let refused = env.call_text(&acme.owner, "customers.create", &body).unwrap_err();
        assert!(error_json(&refused).to_string().len() < 2_000);
    }
}
