//! What one does on the page of all notes, with scripts and without.

use super::driver::{Browser, DESKTOP, NO_SCRIPTS};
use super::layout::assert_fits;
use super::{Demo, run};

#[test]
fn a_note_is_written_about_a_customer_and_pinned_on_the_page_of_notes() {
    let demo = Demo::open();
    run(async {
        for look in [DESKTOP, NO_SCRIPTS] {
            let browser = Browser::open(look).await;
            demo.sign_in(&browser).await;
            browser.goto(&demo.at("/notes")).await;
            browser.click(".headed .primary").await;
            browser.fill("#body", "The gate sticks.").await;
            browser.fill("#q", "frye").await;
            browser.click("[name=find]").await;
            browser.find("fieldset input[value='nobody']").await;
            assert_eq!(browser.text("#body").await, "The gate sticks.");
            if look.has_scripts {
                assert_eq!(browser.violations().await, Vec::<String>::new());
                assert_fits(&browser, "the customers to choose from").await;
            }
            browser.click("fieldset label:first-of-type input").await;
            browser.click(".save .primary").await;
            browser.find_text("The note was added.").await;
            let first = "#notes li:first-child";
            assert!(browser.text(first).await.contains("Frye"));

            browser.click(&format!("{first} button[id^=pin-]")).await;
            browser.find(&format!("{first}.pinned")).await;
            browser.find_text("The note is pinned.").await;
            if look.has_scripts {
                let focus = browser.run_script("return document.activeElement.id").await;
                let focus = focus.as_str().unwrap_or_default();
                assert!(focus.starts_with("pin-"), "the button keeps the focus: {focus}");
            }
            // The row goes away, and the focus is on what was done.
            browser.goto(&demo.at("/notes?pinned=true")).await;
            browser.click(&format!("{first} button[id^=pin-]")).await;
            browser.find_text("The note is no longer pinned.").await;
            assert!(!browser.text("#notes").await.contains("The gate sticks."));
            if look.has_scripts {
                browser.find(".success:focus").await;
                assert_eq!(browser.violations().await, Vec::<String>::new());
            }
        }
    });
}
