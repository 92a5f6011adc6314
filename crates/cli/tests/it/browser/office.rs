//! What the office does with scripts: looks a caller up while typing, reads and changes the record beside the list,
//! and loses nothing.

use serde_json::{Value, json};

use super::driver::{Browser, DESKTOP, Look};
use super::{Demo, desk, photo, run};

const NARROW: Look = Look { width: 390, ..DESKTOP };
/// Keys, as the browser is sent them.
const DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";

async fn press(browser: &Browser, css: &str, keys: &str) {
    browser.find(css).await.send_keys(keys).await.expect("keys");
}

/// The id of the element that has the focus.
async fn focus(browser: &Browser) -> Value {
    browser.run_script("return document.activeElement.id").await
}

async fn focused_class(browser: &Browser) -> Value {
    browser.run_script("return document.activeElement.className").await
}

async fn path(browser: &Browser) -> String {
    browser.client.current_url().await.expect("an address").path().to_owned()
}

#[test]
fn the_office_finds_a_caller_while_typing_and_works_beside_the_list() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        // A search on the first page leads to what it found.
        press(&browser, "#q", "e").await;
        press(&browser, "#q", ENTER).await;
        browser.find("#rows a").await;
        let is_in_row = "return new Promise((done) => {
            const look = () => document.activeElement.closest('#rows') ? done(true)
                : requestAnimationFrame(look);
            look();
        });";
        assert_eq!(browser.run_script(is_in_row).await, json!(true));
        browser.goto(&demo.at("/customers")).await;

        // The list follows the typing, and so does the address.
        press(&browser, "body", "/").await;
        assert_eq!(focus(&browser).await, "q");
        press(&browser, "#q", "frye").await;
        browser.find("#found[data-said='1 customer']").await;
        assert_eq!(
            browser.run_script("return document.getElementById('said').textContent").await,
            "1 customer"
        );
        let query = browser.client.current_url().await.expect("an address");
        assert!(query.query_pairs().any(|pair| pair == ("q".into(), "frye".into())), "{query}");
        assert_eq!(focus(&browser).await, "q");

        // Keys lead to the record, which opens beside the list.
        press(&browser, "#q", DOWN).await;
        press(&browser, "#rows a", ENTER).await;
        browser.find("#rows a[aria-current]").await;
        browser.find("#record .record h1").await;
        assert!(path(&browser).await.starts_with("/customers/"));

        let heading = "return document.activeElement.tagName";
        browser.find("#record h1[tabindex]").await;
        assert_eq!(browser.run_script(heading).await, "H1", "one reads on in the record");

        // A note and its pin are changed in place, and the focus stays.
        browser.fill("#body", "The gate sticks.").await;
        let kept = "return Object.values(localStorage).join()";
        assert_eq!(browser.run_script(kept).await, "The gate sticks.");
        browser.click("#add-note").await;
        browser.find_text("The note was added.").await;
        assert_eq!(focused_class(&browser).await, "success", "the form is one line again");
        let height = "return document.querySelector('.composer').offsetHeight";
        assert!(browser.run_script(height).await.as_u64().is_some_and(|it| it < 60));
        assert_eq!(browser.run_script(kept).await, "");
        browser.fill("#body", "And the next").await;
        browser.click("button[id^=pin-]").await;
        browser.find_text("The note is pinned.").await;
        let pin = focus(&browser).await;
        assert!(pin.as_str().is_some_and(|it| it.starts_with("pin-")), "{pin}");
        let body = "return document.getElementById('body').value";
        assert_eq!(browser.run_script(body).await, "And the next", "a note that was being typed");
        assert!(browser.text("#rows").await.contains("Frye"), "the list is still there");
        assert_eq!(browser.violations().await, Vec::<String>::new());

        // Back leads to the list alone; the record's own address shows both again.
        let record = browser.client.current_url().await.expect("an address");
        browser.client.back().await.expect("the page before");
        browser.find("#record > .none").await;
        browser.goto(record.as_str()).await;
        browser.find("#rows a").await;
        desk::assert_reached_by_tab(&browser).await;
        desk::assert_beside(&browser).await;
        // Who may be a duplicate is shown while a new customer is being typed.
        browser.goto(&demo.at("/customers/new")).await;
        browser.fill("#first_name", "Wilbur").await;
        browser.fill("#last_name", "Frye").await;
        assert!(browser.text("#similar").await.contains("Wilbur Frye"));
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}

/// The row of the customer that is shown, as soon as it says something or no longer does.
async fn wait_for_row(browser: &Browser, says: &str, is_said: bool) {
    let is = if is_said { "" } else { "not" };
    let path = format!("//*[@id='rows']//a[@aria-current][{is}(contains(., '{says}'))]");
    browser.find_path(&path).await;
}

/// Somebody who speaks to the browser types characters without knowing it (WCAG 2.2, 2.1.4).
#[test]
fn keys_that_are_single_characters_can_be_turned_off_and_stay_off() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers")).await;
        press(&browser, "body", "?").await;
        browser.find("dialog dl").await;
        assert_eq!(browser.violations().await, [""; 0]);
        browser.click("dialog .choice").await;
        browser.click("dialog .btn").await;
        for keys in ["/", "?"] {
            press(&browser, "body", keys).await;
            assert_eq!(focus(&browser).await, "", "{keys}");
        }
        assert_eq!(
            browser.run_script("return document.querySelectorAll('dialog').length").await,
            0
        );
        press(&browser, "#q", DOWN).await;
        assert!(
            browser.run_script("return document.activeElement.closest('#rows') !== null").await
                == true
        );

        // Signing out forgets what was typed, but not this.
        browser.click("header > form[action='/sign-out'] button").await;
        browser.find("#email").await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/account")).await;
        press(&browser, "body", "?").await;
        browser.click("[data-keys]").await;
        let is_on = "return document.querySelector('dialog input').checked";
        assert_eq!(browser.run_script(is_on).await, false);
        browser.click("dialog .choice").await;
        browser.click("dialog .btn").await;
        press(&browser, "body", "?").await;
        browser.find("dialog dl").await;
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}

#[test]
fn the_list_beside_the_record_keeps_its_search_and_is_right_after_a_change() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers")).await;
        press(&browser, "#q", "grommet").await;
        browser.find("#found[data-said='1 customer']").await;
        browser.click("#rows a").await;
        browser.find("#record .record h1").await;
        // Keys for the record.
        press(&browser, "body", "e").await;
        browser.find(".record-form").await;
        browser.fill("#company_name", "Grommet Supply").await;
        browser.click(".save .primary").await;
        wait_for_row(&browser, "Grommet Supply", true).await;
        assert_eq!(
            browser.run_script("return document.getElementById('q').value").await,
            "grommet"
        );
        assert_eq!(
            browser.run_script("return document.querySelectorAll('#rows a').length").await,
            1
        );
        press(&browser, "body", "c").await;
        assert_eq!(focus(&browser).await, "body");

        // Among the archived ones, a restored one is no longer found.
        browser.click(".archive button").await;
        browser.click("main form button.danger").await;
        browser.find_text("The customer was archived.").await;
        let record = browser.client.current_url().await.expect("an address");
        browser.goto(&demo.at("/customers?q=grommet&status=archived")).await;
        browser.goto(record.as_str()).await;
        wait_for_row(&browser, "Archived", true).await;
        browser.click(".notice form button").await;
        browser.find("#found[data-said='No customers']").await;
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}

#[test]
fn a_note_that_was_being_typed_is_there_again_until_it_is_saved_or_the_user_signs_out() {
    let demo = Demo::open();
    let password = "a phrase for the van";
    let set = ["user", "set-password", "luis@copper-creek.example"];
    assert_eq!(demo.folder.zoop_reading(&set, password).code, 0);
    run(async {
        let browser = Browser::open(NARROW).await;
        demo.sign_in(&browser).await;
        desk::assert_place_is_kept(&browser, &demo.at("/customers")).await;
        desk::assert_prints_a_call_sheet(&browser).await;
        browser.goto(&demo.at("/customers?q=frye")).await;
        browser.click("#rows a").await;
        browser.find(".record").await;
        desk::assert_alone(&browser).await;
        let record = browser.client.current_url().await.expect("an address");
        let typed = "return document.getElementById('body').value";
        browser.fill("#body", "Call back on Monday.").await;
        browser.goto(record.as_str()).await;
        assert_eq!(browser.run_script(typed).await, "Call back on Monday.");

        // Without a session, the answer keeps the note and offers to send it again.
        browser.client.delete_all_cookies().await.expect("no cookies");
        browser.click("#add-note").await;
        browser.find_text("You are signed out").await;
        let kept =
            "return [...document.querySelectorAll('form [name=body]')].map((it) => it.value)";
        assert_eq!(browser.run_script(kept).await, json!(["Call back on Monday."]));

        // Signing out in another tab forgets what the tabs have in common. In this tab the same person finds it again,
        // and nobody else does.
        browser.run_script("localStorage.clear()").await;
        browser.goto(&demo.at("/sign-in")).await;
        browser.fill("#email", "luis@copper-creek.example").await;
        browser.fill("#password", password).await;
        browser.click("main button.primary").await;
        browser.arrive("/").await;
        browser.goto(record.as_str()).await;
        assert_eq!(browser.run_script(typed).await, "");
        browser.client.delete_all_cookies().await.expect("no cookies");
        demo.sign_in(&browser).await;
        browser.goto(record.as_str()).await;
        assert_eq!(browser.run_script(typed).await, "Call back on Monday.");
        browser.click("summary").await;
        browser.click(".menu form button").await;
        browser.find("#email").await;
        let kept = "return localStorage.length + sessionStorage.length";
        assert_eq!(browser.run_script(kept).await, 0);
    });
}

/// The names of the files on the first note.
async fn files(browser: &Browser) -> Value {
    let names =
        "return [...document.querySelector('.note').querySelectorAll('.about > bdi, .about > a > bdi')]
                 .map((it) => it.textContent)";
    browser.run_script(names).await
}

#[test]
fn files_are_added_when_they_are_chosen_or_dropped_and_nothing_is_lost() {
    let demo = Demo::open();
    let (meter, panel) = (photo(&demo, "meter.png"), photo(&demo, "panel.png"));
    let page = demo.folder.path("page.txt");
    std::fs::write(&page, "<html><script>alert(1)</script></html>").expect("a file");
    let notes = demo.folder.path("notes.txt");
    std::fs::write(&notes, vec![b'a'; 100_000]).expect("a file");
    let long = demo.folder.path("long.txt");
    std::fs::write(&long, vec![b'a'; 25 * 1024 * 1024 + 1]).expect("a file");
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers?q=frye")).await;
        browser.click("#rows a").await;
        browser.find("#record .record h1").await;

        // A tag that is attached meanwhile loses neither the text nor the file.
        browser.fill("#body", "The meter.").await;
        browser.choose_file(".composer", &meter).await;
        browser.click(".new-tag summary").await;
        browser.click("#attach").await;
        browser.find_text("The tag was attached.").await;
        assert_eq!(focus(&browser).await, json!("attach"), "ready for another tag");
        desk::assert_survives_lost_connection(&browser).await;
        assert_eq!(files(&browser).await, json!(["meter.png"]));
        assert_eq!(focused_class(&browser).await, "success");
        assert_eq!(browser.run_script("return localStorage.length").await, 0);
        // A print has all pictures.
        browser.find(".note img[loading=eager]").await;
        let chosen = "return document.getElementById('files').files.length";
        assert_eq!(browser.run_script(chosen).await, 0);

        // On a note, choosing is enough.
        browser.fill("#body", "A draft").await;
        browser.run_script("document.querySelector('.adding button').focus()").await;
        browser.choose_file(".note", &panel).await;
        browser.find_text("The files were added.").await;
        assert_eq!(files(&browser).await, json!(["meter.png", "panel.png"]));
        let focused = focus(&browser).await;
        assert!(focused.as_str().is_some_and(|it| it.starts_with("attach-")), "{focused}");
        let body = "return document.getElementById('body').value";
        assert_eq!(browser.run_script(body).await, "A draft");
        assert!(browser.text("#rows").await.contains("Frye"), "the list is still there");

        // What is refused is said beside the note, and what is known is said before it is sent.
        for (file, why) in [
            (&page, "page.txt: The content of this file is not"),
            (&long, "long.txt is longer than 25 MiB, the maximum."),
        ] {
            browser.choose_file(".note", file).await;
            let path = format!("//li//*[@role='alert'][contains(text(), '{why}')]");
            browser.find_path(&path).await;
        }
        assert_eq!(files(&browser).await, json!(["meter.png", "panel.png"]));
        browser.choose_file(".composer", &long).await;
        browser.find(".composer .refused").await;
        let valid = "return document.getElementById('files').validity.valid";
        assert_eq!(browser.run_script(valid).await, false);

        // Dropping is the same, and what misses the notes is for the new one.
        let drop = "return ['.note .text', 'h1'].map((css) => {
                const data = new DataTransfer();
                data.items.add(new File(['The code is 4711.'], 'code.txt'));
                return ['dragover', 'drop'].map((type) =>
                    !document.querySelector(css).dispatchEvent(new DragEvent(type,
                        { bubbles: true, cancelable: true, dataTransfer: data })));
            });";
        assert_eq!(browser.run_script(drop).await, json!([[true, true], [true, true]]));
        browser.find(".files li:nth-child(3)").await;
        assert_eq!(files(&browser).await, json!(["meter.png", "panel.png", "code.txt"]));
        assert_eq!(browser.run_script(chosen).await, 1);
        // The good ones of several are added.
        let drop = "const data = new DataTransfer();
            data.items.add(new File([''], 'empty.txt'));
            data.items.add(new File(['Ring twice.'], 'ring.txt'));
            document.querySelector('.note .text').dispatchEvent(new DragEvent('drop',
                { bubbles: true, cancelable: true, dataTransfer: data }));";
        browser.run_script(drop).await;
        browser.find_path("//li//*[@role='alert'][text()='empty.txt is empty.']").await;
        browser.find(".files li:nth-child(4)").await;
        assert_eq!(files(&browser).await[3], "ring.txt");
        desk::assert_progress_is_shown(&browser, &notes).await;
        desk::assert_prints_well(&browser).await;
        let errors = browser.console_errors();
        let policy =
            |line: &Value| line["message"].as_str().is_some_and(|it| it.contains("Policy"));
        assert!(!errors.iter().any(policy), "{errors:?}");
        browser.click(".files a.danger").await;
        browser.find("form[action*='/remove']").await;
        browser.click("main form button.danger").await;
        browser.find("#notes .success").await;
        assert_eq!(browser.text("#notes .success p").await, "The file meter.png was removed.");
    });
}
