//! Every page fits every window: everything can be reached, nothing is wider than the window, and tap
//! targets on a phone are large enough.

use serde_json::{Value, json};

use super::driver::{Browser, DESKTOP, Program};
use super::{Demo, QUESTIONS, Step, parameter, photo, run, sections};
use crate::env::text;

/// Windows of laptops and phones; the last is the narrowest that WCAG 2.2 requires (1.4.10).
const WINDOWS: [(u32, u32); 4] = [(1366, 650), (1280, 800), (390, 664), (320, 568)];
/// The first of them, when it shows everything twice as large (WCAG 2.2, 1.4.4).
const ENLARGED: (u32, u32) = (683, 325);

/// A script that returns the layout problems of the current page.
const FAULTS: &str = "
  const faults = [];
  const width = document.documentElement.clientWidth;
  const height = document.documentElement.scrollHeight;
  if (document.documentElement.scrollWidth > width) faults.push('wider than the window');
  const isShown = (element) =>
    element.checkVisibility() && !element.closest('.vh, .skip, .top .brand span');
  const shown = [...document.querySelectorAll('body *')].filter(isShown);
  const tapped = 'button, select, summary, .choice, a.btn, nav a, .brand, ' +
    'input:not([type=hidden], [type=checkbox], [type=radio])';
  for (const element of shown) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    const [top, bottom] = [box.top + scrollY, box.bottom + scrollY];
    const named = `${element.tagName}.${element.getAttribute('class')} ${element.id}`;
    // Within a part that scrolls by itself, its end is what counts.
    let pane = element.parentElement;
    while (pane && getComputedStyle(pane).overflowY !== 'auto') pane = pane.parentElement;
    const start = pane ? pane.getBoundingClientRect().top - pane.scrollTop : 0;
    const isReached = pane ? box.top >= start && box.bottom <= start + pane.scrollHeight + 1
      : top >= 0 && bottom <= height + 1;
    if (!isReached) faults.push(`${named} cannot be reached: ${top} ${bottom}`);
    if (box.left < 0 || box.right > width + 0.5) faults.push(`${named} is cut off at the side`);
    if (width < 700 && element.matches(tapped) && box.height < 40) {
      faults.push(`${named} is only ${box.height} high`);
    }
  }
  return faults;";

/// What leads from a customer's page to its forms and questions, and what is there.
pub(super) const FORMS: [(&str, &str); 11] = [
    (".whole form[action$='/edit'] button", ".record-form"),
    (".parts form[action*='/contacts/'][action$='/edit'] button", ".record-form"),
    (".parts form[action*='/locations/'][action$='/edit'] button", ".record-form"),
    (
        ".parts [formaction*='/locations/'][formaction$='/archive']",
        "form[method=post][action$='/archive']",
    ),
    (
        ".parts [formaction*='/contacts/'][formaction$='/archive']",
        "form[method=post][action$='/archive']",
    ),
    ("a[href*='/contacts/new']", ".record-form"),
    ("a[href*='/locations/new']", ".record-form"),
    (".after a[href*='/archived']", "main .back"),
    (".whole a[href*='/history']", ".history"),
    (".notes [formaction$='/archive']", ".quoted"),
    (".notes form[action$='/edit'] button", ".record-form"),
];

/// A script that unfolds everything on the current page.
const OPEN: &str = "for (const folded of document.querySelectorAll('details')) folded.open = true;";

/// Fails unless the current page fits every window.
pub(super) async fn assert_fits(browser: &Browser, page: &str) {
    for (width, height) in WINDOWS.into_iter().chain([ENLARGED]) {
        browser.resize(width, height);
        assert_eq!(browser.run_script(FAULTS).await, json!([]), "{page} at {width}x{height}");
    }
    let (width, height) = WINDOWS[0];
    browser.resize(width, height);
}

/// Whether an element is within the window before scrolling.
async fn is_in_sight(browser: &Browser, css: &str) -> bool {
    let script = format!(
        "const box = document.querySelector(`{css}`).getBoundingClientRect();
         return scrollY === 0 && box.top >= 0 && box.bottom <= innerHeight;"
    );
    browser.run_script(&script).await == Value::Bool(true)
}

#[test]
fn every_page_fits_every_window() {
    let demo = Demo::open();
    let program = Program::start();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        for path in ["/sign-in", "/nothing", "/account/password", "/api/mcp", "/invitations/x"] {
            browser.goto(&demo.at(path)).await;
            assert_fits(&browser, path).await;
        }
        // A second business, so that the pages offer a choice.
        let settings = format!("[server]\npublic_url = '{}'\n", demo.url);
        demo.folder.write("zoop.toml", &settings);
        let long = "W".repeat(120);
        let who = ["--name", long.as_str(), "--owner-name", "Dana", "--owner-email", &demo.email];
        demo.folder.json(&[&["tenant", "create"][..], &who].concat());
        demo.sign_in(&browser).await;
        let others = [
            "/account?done=joined",
            "/customers/new",
            "/notes/new",
            "/customers?q=nothinglikethis",
            "/customers?tag=01890000-0000-7000-8000-000000000000",
            "/notes?q=nothinglikethis",
            "/notes?after=2026-02-30&pinned=true",
            "/",
            "/activity?event=customers.create&person=me",
        ];
        for path in sections(&browser).await.iter().map(String::as_str).chain(others) {
            browser.goto(&demo.at(path)).await;
            assert_fits(&browser, path).await;
        }
        open_menu_fits(&demo, &browser).await;
        browser.goto(&demo.at("/team")).await;
        browser.click("a.danger").await;
        browser.find("form[action='/team/remove']").await;
        assert_fits(&browser, "the question before a removal").await;

        let customer = long_customer(&demo, &long);
        browser.goto(&demo.at(&format!("/customers?q={}", &long[..20]))).await;
        assert_fits(&browser, "a customer with long texts in the list").await;
        browser.goto(&demo.at(&format!("/customers/{customer}"))).await;
        assert_fits(&browser, "a customer with long texts").await;
        browser.fill("#body", &long).await;
        browser.click(".composer button").await;
        browser.find("#notes .success").await;
        assert_fits(&browser, "a note with a long word").await;
        for name in [format!("{}.png", "W".repeat(251)), "תמונה.png".to_owned()] {
            browser.choose_file(".note", &photo(&demo, &name)).await;
            browser.find(&format!(".files img[alt='{name}']")).await;
        }
        assert_fits(&browser, "files with long names").await;
        browser.click(".files a.danger").await;
        browser.find("form[action*='/remove']").await;
        assert_fits(&browser, "the question before a file is removed").await;
        browser.goto(&demo.at("/notes?author=me&before=9999-12-31")).await;
        browser.find(".notes .text").await;
        assert_fits(&browser, "a note with a long word in the list of notes").await;
        for (path, form) in FORMS {
            browser.goto(&demo.at(&format!("/customers/{customer}"))).await;
            browser.click(path).await;
            browser.find(form).await;
            browser.run_script(OPEN).await;
            assert_fits(&browser, path).await;
        }
        browser.fill("#body", " ").await;
        browser.click(".save .primary").await;
        browser.find("[aria-invalid]").await;
        assert_fits(&browser, "what is wrong with a note").await;
        browser.goto(&demo.at("/customers/new")).await;
        browser.click("input[value=company]").await;
        browser.fill("#company_name", &long).await;
        browser.click(".save .primary").await;
        browser.find("#similar").await;
        browser.run_script(OPEN).await;
        assert_fits(&browser, "possible duplicates").await;
        browser.goto(&demo.at(&format!("/customers/{customer}"))).await;
        browser.click(".archive .danger").await;
        browser.find("form[method=post][action$='/archive']").await;
        assert_fits(&browser, "the question before a customer is archived").await;

        browser.goto(&demo.at("/tags")).await;
        assert_fits(&browser, "a tag with a long word").await;
        browser.goto(&demo.at("/keys")).await;
        browser.fill("#name", &long).await;
        browser.click("main form .primary").await;
        browser.find("#scopes-problem").await;
        assert_fits(&browser, "a key without scopes").await;
        browser.click("input[name='read:customers']").await;
        browser.click("main form .primary").await;
        browser.find("#key").await;
        assert_fits(&browser, "a new key with a long name").await;
        for Step { page, click, arrives } in QUESTIONS {
            browser.goto(&demo.at(page)).await;
            browser.click(click).await;
            browser.find(arrives).await;
            assert_fits(&browser, arrives).await;
        }

        browser.goto(&demo.at("/team")).await;
        browser.fill("#name", &"שם".repeat(100)).await;
        let email = format!("{}@{}.example.com", "x".repeat(60), "host".repeat(15));
        browser.fill("#email", &email).await;
        browser.click("form[action='/team/invite'] .primary").await;
        browser.find("#link").await;
        assert_fits(&browser, "an invitation's link").await;
        let link = browser.text("#link").await;
        browser.goto(&link).await;
        assert_fits(&browser, "an invitation").await;

        browser.goto(&demo.at("/account")).await;
        browser.fill("#on", "not the password").await;
        browser.click("form[action='/account/second-factor'] button").await;
        browser.find("[role=alert]").await;
        assert_fits(&browser, "an error message").await;
        browser.fill("#on", &demo.password).await;
        browser.click("form[action='/account/second-factor'] button").await;
        browser.find("#secret").await;
        assert_fits(&browser, "the second factor").await;

        for name in ["Front desk assistant", &long[..80]] {
            browser.goto(&demo.authorization_url_for(name, &program)).await;
            assert_fits(&browser, name).await;
            for (width, height) in WINDOWS {
                browser.resize(width, height);
                for css in ["h1", ".lead"] {
                    assert!(is_in_sight(&browser, css).await, "{name}: {css} at {width}x{height}");
                }
            }
        }

        let (width, height) = WINDOWS[0];
        browser.resize(width, height);
        let authorize = demo.authorization_url_for(&long[..80], &program);
        browser.goto(&authorize).await;
        browser.click("button[value=allow]").await;
        connect(&demo, &authorize, &program);
        browser.goto(&demo.at("/account")).await;
        assert_fits(&browser, "a connected program").await;
        browser.click("main .to .danger").await;
        browser.find("form[method=post][action='/account/programs/disconnect']").await;
        assert_fits(&browser, "the question before a program is disconnected").await;
        browser.goto(&demo.at("/apps")).await;
        browser.find("main .to .danger").await;
        assert_fits(&browser, "the programs of a business").await;
        browser.click("main .to .danger").await;
        browser.find("form[method=post][action='/apps/disconnect']").await;
        assert_fits(&browser, "the question before anybody's program is disconnected").await;
    });
}

/// On a phone, every link of the menu can be reached, and leads to its section.
async fn open_menu_fits(demo: &Demo, browser: &Browser) {
    for (width, height) in [(390, 664), (320, 568)] {
        browser.goto(&demo.at("/tags")).await;
        browser.resize(width, height);
        browser.click(".menu summary").await;
        assert_eq!(browser.run_script(FAULTS).await, json!([]), "the menu at {width}x{height}");
        browser.click(".menu a[href^='/settings']").await;
        browser.find("form[action='/settings']").await;
        // The next page has the size of the window again.
        browser.resize(width, height);
        assert_eq!(browser.text(".menu summary").await, "Menu", "it is closed again");
        assert!(!browser.find(".menu nav").await.is_displayed().await.expect("a page"));
    }
    let (width, height) = WINDOWS[0];
    browser.resize(width, height);
}

/// A customer whose every text is one long word, with a tag, and with another tag to attach.
fn long_customer(demo: &Demo, long: &str) -> String {
    let call = |tool: &str, arguments: Value| {
        let arguments = arguments.to_string();
        demo.folder.json(&["call", tool, &arguments, "--url", &demo.url, "--key", &demo.key])
    };
    call("tags.create", json!({ "name": &long[..60] }));
    call("tags.create", json!({ "name": &long[..61] }));
    let made = call(
        "customers.create",
        json!({
            "customer_type": "company", "company_name": long, "do_not_contact": true, "is_vip": true,
            "do_not_contact_reason": long, "notes_internal": long, "source": &long[..60],
            "email": format!("{}@{}.example.com", "x".repeat(60), "host".repeat(15)),
            "primary_contact": { "first_name": &long[..60], "last_name": &long[..60], "title": &long[..60] },
            "location": { "address_line1": long, "city": &long[..60], "state": "CA",
                          "postal_code": "94607", "label": &long[..60], "access_notes": long },
            "tags": [&long[..60]],
        }),
    );
    text(&made, "id")
}

/// Exchanges the program's code for tokens, so that the program is listed.
pub(super) fn connect(demo: &Demo, authorize: &str, program: &Program) {
    let query = program.answer();
    // The example of RFC 7636, appendix B.
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let form = format!(
        "grant_type=authorization_code&code={}&client_id={}&redirect_uri={}&code_verifier={verifier}",
        parameter(&query, "code").expect("a code"),
        parameter(authorize, "client_id").expect("a client"),
        program.callback,
    );
    ureq::post(demo.at("/oauth/token"))
        .content_type("application/x-www-form-urlencoded")
        .send(form)
        .expect("tokens");
}

#[test]
fn whom_to_call_where_to_go_and_how_to_get_in_are_on_the_first_screen() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/customers?q=grommet")).await;
        let record = browser.attribute("#rows a", "href").await;
        for (width, height) in [(390, 650), (1366, 650)] {
            browser.resize(width, height);
            browser.goto(&demo.at(&record)).await;
            assert!(browser.text(".record .advice").await.contains("Gate code 4471#"));
            let shown = ["h1", ".tag", "a[href^='tel:']", ".places .lines", "[rel=noreferrer]"];
            for css in shown.into_iter().chain([".advice"]) {
                let css = format!(".record {css}");
                assert!(is_in_sight(&browser, &css).await, "{css} at {width}x{height}");
            }
        }
        // What is used with a thumb.
        browser.resize(390, 650);
        let heights = "return [...document.querySelectorAll('.dial a')].map((a) => a.offsetHeight)";
        assert_eq!(browser.run_script(heights).await, json!([44, 44]));
    });
}

#[test]
fn with_scripts_texts_are_copied_and_distances_of_times_stay_right() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/account")).await;
        browser.click("button[data-copy]").await;
        browser.find_text("Copied").await;
        // The page has been open for three hours.
        let shown = "const time = document.querySelector('time');
                     const earlier = new Date(Date.parse(time.dateTime) - 3 * 3_600_000);
                     time.dateTime = earlier.toISOString();
                     document.dispatchEvent(new Event('visibilitychange'));
                     return time.querySelector('.ago').textContent;";
        assert_eq!(browser.run_script(shown).await, "(3 hours ago)");
        assert_eq!(browser.console_errors(), Vec::<Value>::new());
    });
}
