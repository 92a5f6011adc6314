//! The settings of a business.

use serde_json::{Value, json};
use zoop_both::both;

use super::{OFFICE, browser_of, business, call, start};
use crate::people::{Browser, between, event_count, location};
use crate::server::Server;

/// Name, country, time zone and currency.
fn stored(server: &Server) -> [Value; 4] {
    let account = call(server, "account.get", json!({}));
    ["name", "country", "time_zone", "currency"].map(|field| account[field].clone())
}

const FIRST: [(&str, &str); 4] =
    [("name", "Acme"), ("country", "US"), ("time_zone", "UTC"), ("currency", "USD")];

/// The form as the page sends it, if its fields began with [`FIRST`].
fn form(business: &str, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    form_from(business, FIRST, changes)
}

/// The form as the page sends it, if its fields began with these values.
fn form_from(
    business: &str,
    began: [(&str, &str); 4],
    changes: &[(&str, &str)],
) -> Vec<(String, String)> {
    let mut fields = vec![("business".to_owned(), business.to_owned())];
    for (name, was) in began {
        let typed = changes.iter().find(|(known, _)| *known == name).map_or(was, |(_, it)| it);
        fields.push((format!("was_{name}"), was.to_owned()));
        fields.push((name.to_owned(), typed.to_owned()));
    }
    fields
}

fn send(browser: &mut Browser<'_>, fields: &[(String, String)]) -> crate::http::Reply {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    browser.post("/settings", &fields)
}

#[both]
fn an_owner_changes_the_business_and_only_what_they_changed_is_written() {
    let server = start();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    assert_eq!(stored(&server), FIRST.map(|(_, value)| json!(value)));
    let page = owner.get("/settings").body;
    for shown in [
        "name=\"name\" value=\"Acme\"",
        "<option value=\"US\" selected>United States of America</option>",
        "<option value=\"UTC\" selected>UTC</option>",
        "<optgroup label=\"United States\"><option value=\"America/New_York\">Eastern Time – New York",
        "<option value=\"America/Indiana/Knox\">Knox, Indiana</option>",
        "<option value=\"Europe/Berlin\">Berlin</option>",
        "<option value=\"USD\" selected>USD – United States dollar</option>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(page.len() < 60 * 1024, "{}", page.len());

    let changes = [("country", "CA"), ("time_zone", "america/toronto")];
    let saved = send(&mut owner, &form(&account, &changes));
    assert_eq!(location(&saved), format!("/settings?business={account}&done=saved"));
    assert_eq!(stored(&server)[3], json!("USD"), "the currency that the form showed");
    let page = owner.get(location(&saved)).body;
    assert!(page.contains("The settings were saved."), "{page}");
    assert!(page.contains("value=\"America/Toronto\" selected>Toronto<"), "{page}");
    // Every page writes times as the business now does.
    let entry = "Jun 13, 2026, 2:00 PM <span class=\"ago\">(just now)</span></time>";
    assert!(owner.get("/activity").body.contains(entry));
    // Another owner still has the page from before.
    let saved = send(&mut owner, &form(&account, &[("name", "Acme & Sons"), ("currency", "CAD")]));
    assert_eq!(saved.status, 303, "{saved:?}");
    let canadian = [
        ("name", "Acme & Sons"),
        ("country", "CA"),
        ("time_zone", "America/Toronto"),
        ("currency", "CAD"),
    ];
    let british = [("country", "GB"), ("time_zone", "Europe/London")];
    send(&mut owner, &form_from(&account, canadian, &british));
    assert!(owner.get("/activity").body.contains("\">13 Jun 2026, 19:00 <span"));
    let began = [canadian[0], british[0], british[1], canadian[3]];
    send(&mut owner, &form_from(&account, began, &changes));
    let expected = ["Acme & Sons", "CA", "America/Toronto", "CAD"];
    assert_eq!(stored(&server), expected.map(|value| json!(value)));
    assert!(owner.get("/settings").body.contains("<bdi>Acme &#38; Sons</bdi>"));

    let same = send(&mut owner, &form(&account, &[]));
    assert_eq!(location(&same), format!("/settings?business={account}&done=same"));
    assert_eq!(stored(&server), expected.map(|value| json!(value)));
    assert_eq!(event_count(&server, "tenants.update"), 4);
}

#[both]
fn a_mistake_in_a_setting_is_said_beside_its_field_and_everything_typed_is_kept() {
    let server = start();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let typed = [("name", ""), ("country", "ZZ"), ("time_zone", "Mars/<b>"), ("currency", "XAU")];
    let reply = send(&mut owner, &form(&account, &typed));
    assert_eq!(reply.status, 400, "{reply:?}");
    for (field, said) in [
        ("name", "The name "),
        ("country", "The country must be a two-letter ISO 3166-1 country code"),
        ("time_zone", "The time zone must be an IANA time zone or its city, such as"),
        ("currency", "The currency must be a three-letter ISO 4217 currency code"),
    ] {
        let beside = between(&reply.body, &format!("id=\"{field}-problem\">"), "</p>");
        assert!(beside.starts_with(said), "{field}: {beside}");
    }
    for kept in [
        "name=\"name\" value=\"\"",
        "<option value=\"ZZ\" selected>ZZ</option>",
        "<option value=\"Mars/&#60;b&#62;\" selected>Mars/&#60;b&#62;</option>",
        "<option value=\"XAU\" selected>XAU</option>",
        "name=\"was_name\" value=\"Acme\"",
    ] {
        assert!(reply.body.contains(kept), "{kept}: {}", reply.body);
    }
    assert_eq!(stored(&server), FIRST.map(|(_, value)| json!(value)));
}

#[both]
fn a_setting_that_somebody_else_changed_meanwhile_is_said_before_it_is_overwritten() {
    let server = start();
    let account = business(&server);
    let mut owner = Browser::owner(&server);
    let others = [
        ("name", "Bay <b>"),
        ("country", "CA"),
        ("time_zone", "America/Toronto"),
        ("currency", "CAD"),
    ];
    assert_eq!(send(&mut owner, &form(&account, &others)).status, 303);

    let typed = [("name", "Acme & Sons"), ("country", "GB"), ("time_zone", "america/toronto")];
    let reply = send(&mut owner, &form(&account, &typed));
    assert_eq!(reply.status, 409, "{reply:?}");
    assert_eq!(stored(&server), others.map(|(_, value)| json!(value)), "nothing was saved");
    let news = |field: &str, text: &str| {
        format!(
            "id=\"{field}-news\">This was changed elsewhere meanwhile to: <bdi class=\"text\">{text}</bdi>"
        )
    };
    for shown in [
        "role=\"alert\">Nothing was saved: what is marked below was changed elsewhere",
        &news("name", "Bay &#60;b&#62;"),
        &news("country", "Canada"),
        "name=\"name\" value=\"Acme &#38; Sons\"",
        "<option value=\"GB\" selected>",
        // What the user did not change is as it is stored now.
        "<option value=\"CAD\" selected>",
        "name=\"was_name\" value=\"Bay &#60;b&#62;\"",
        "name=\"was_currency\" value=\"CAD\"",
    ] {
        assert!(reply.body.contains(shown), "{shown}: {}", reply.body);
    }
    for same in ["time_zone-news", "currency-news"] {
        assert!(!reply.body.contains(same), "{same}: {}", reply.body);
    }
    // The page as it is sent now saves what it shows.
    let fields = form_from(&account, others, &typed);
    assert_eq!(send(&mut owner, &fields).status, 303);
    let expected = ["Acme & Sons", "GB", "America/Toronto", "CAD"];
    assert_eq!(stored(&server), expected.map(|value| json!(value)));
}

#[both]
fn only_owners_reach_the_settings() {
    let server = start();
    let other = server.env.empty_business("Borealis").account.id.to_string();
    let account = business(&server);
    let mut office = browser_of(&server, OFFICE);
    let changes = form(&account, &[("name", "Mine")]);
    assert_eq!(send(&mut office, &changes).status, 403);
    for business in [&*other, "x"] {
        let changes = form(business, &[("name", "Mine")]);
        for browser in [&mut office, &mut Browser::owner(&server)] {
            assert_eq!(send(browser, &changes).status, 404, "{business}");
        }
    }
    assert_eq!(stored(&server), FIRST.map(|(_, value)| json!(value)));
    let theirs = server.env.call_as_operator(None, "tenants.list", json!({}));
    assert!(!theirs.to_string().contains("Mine"), "{theirs}");
}
