//! Forms in the browser: what was typed is there again when one comes back.

use serde_json::json;

use super::driver::{Browser, DESKTOP};
use super::{Demo, run};

/// The typed name and e-mail address of the customer.
async fn typed(browser: &Browser) -> String {
    let values = "return ['#first_name', '#last_name', '#email'].map((it) => document.querySelector(it).value).join(' ')";
    browser.run_script(values).await.as_str().expect("a text").to_owned()
}

#[test]
fn going_back_to_a_form_shows_what_was_typed() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers/new")).await;
        browser.fill("#first_name", "Wilbur").await;
        browser.fill("#last_name", "Frye").await;
        browser.fill("#email", "wilbur").await;
        browser.click_path("//summary[.='Address']").await;
        browser.click(".save .primary").await;
        browser.find("[aria-invalid]").await;
        let unfolded = "return [...document.querySelectorAll('details[open] > summary')].map((it) => it.textContent)";
        assert_eq!(browser.run_script(unfolded).await, json!(["Address"]));
        // The page that says what is wrong is the answer to a form, which Back must not send again.
        browser.click("p.back a").await;
        browser.find("#rows").await;
        browser.client.back().await.expect("the form");
        assert_eq!(typed(&browser).await, "Wilbur Frye wilbur");

        browser.fill("#email", "wilbur@example.com").await;
        browser.click(".save .primary").await;
        browser.find("button[name=anyway]").await;
        browser.click("#similar a").await;
        browser.find("#record .record").await;
        browser.client.back().await.expect("the form");
        assert_eq!(typed(&browser).await, "Wilbur Frye wilbur@example.com");
        browser.click(".save .primary").await;
        browser.click("button[name=anyway]").await;
        assert_eq!(browser.text(".success p").await, "The customer was added.");
        // A form that one opens again is empty.
        browser.goto(&demo.at("/customers/new")).await;
        assert_eq!(typed(&browser).await, "  ");
    });
}
