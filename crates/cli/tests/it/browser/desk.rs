//! What holds for a customer's page and the list beside it: tests of a whole day call these checks on the way.

use serde_json::json;

use super::driver::Browser;

/// What the page offers, in its order. What is folded or hidden cannot be reached, and is not meant to be.
const OFFERED: &str = "
  window.offered = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter((it) => it.type !== 'hidden' && !it.disabled && it.checkVisibility({ visibilityProperty: true }));
  return window.offered.length;";

/// The place of the focus among what the page offered, and whether one sees that it is there. The link that skips the
/// navigation appears with the focus.
const FOCUSED: &str = "
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return [window.offered.indexOf(document.activeElement), outlineStyle !== 'none' && outlineWidth !== '0px',
    document.activeElement.outerHTML.slice(0, 200)];";

/// Fails unless the tab key alone reaches everything on the page, in its order, and shows where it is.
pub(super) async fn assert_reached_by_tab(browser: &Browser) {
    browser.run_script("document.activeElement.blur(); getSelection().removeAllRanges();").await;
    browser.run_script("document.body.tabIndex = -1; document.body.focus();").await;
    let count = browser.run_script(OFFERED).await.as_u64().expect("a number");
    assert!(count > 30, "a whole page: {count}");
    for place in 0..count {
        for event in ["keyDown", "keyUp"] {
            let key =
                json!({ "type": event, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            browser.emulate("Input.dispatchKeyEvent", &key);
        }
        let focused = browser.run_script(FOCUSED).await;
        assert_eq!((&focused[0], &focused[1]), (&json!(place), &json!(true)), "{focused}");
    }
}

/// Fails unless the list is beside the record in a wide window.
pub(super) async fn assert_beside(browser: &Browser) {
    let boxes = "return ['#list', '#record'].map((css) => {
        const { left, right, top, bottom } = document.querySelector(css).getBoundingClientRect();
        return [left, right, top, bottom].map(Math.round);
    });";
    browser.resize(1366, 650);
    browser.find("#desk.split #rows a").await;
    browser.run_script("scrollTo(0, 0)").await;
    let found = browser.run_script(boxes).await;
    let at = |which: usize, side: usize| found[which][side].as_i64().expect("a number");
    assert!(at(0, 1) <= at(1, 0), "the list is left of the record: {found}");
    assert!((at(0, 2) - at(1, 2)).abs() < 20, "they begin at the same height: {found}");
    assert!(at(0, 1) - at(0, 0) > 300 && at(1, 1) - at(1, 0) > 600, "{found}");
    assert!(at(0, 3) <= 650, "the list scrolls by itself: {found}");
}

/// Fails unless a narrow window has the record alone, with the way back to the list.
pub(super) async fn assert_alone(browser: &Browser) {
    browser.find("#desk:not(.split) .record h1").await;
    let is_alone = "return [document.querySelector('#list').checkVisibility(),
                            document.querySelector('.back a').checkVisibility()]";
    assert_eq!(browser.run_script(is_alone).await, json!([false, true]));
}

/// Fails unless going back to a list of which more was loaded shows the same row at the same place.
pub(super) async fn assert_place_is_kept(browser: &Browser, list: &str) {
    browser.goto(list).await;
    let end = "document.querySelector('#more').scrollIntoView();";
    for row in [26, 51, 76] {
        browser.run_script(end).await;
        browser.find(&format!("#rows li:nth-child({row})")).await;
    }
    let place = "return Math.round(document.querySelector('#rows li:nth-child(70)').getBoundingClientRect().top)";
    let scroll = format!(
        "document.querySelector('#rows li:nth-child(70)').scrollIntoView({{ block: 'center' }}); {place}"
    );
    let before = browser.run_script(&scroll).await;
    let name = browser.text("#rows li:nth-child(70) strong").await;
    browser.click("#rows li:nth-child(70) a").await;
    browser.find(".record h1").await;
    assert_eq!(browser.text(".record h1").await, name);
    browser.client.back().await.expect("the list");
    browser.find("#rows li:nth-child(70)").await;
    assert_eq!(browser.text("#rows li:nth-child(70) strong").await, name);
    let settled = format!(
        "const place = () => {{ {place} }};
         return new Promise((done) => {{
            const look = () => place() === {before} ? done(true) : requestAnimationFrame(look);
            look();
         }});"
    );
    assert_eq!(browser.run_script(&settled).await, json!(true));
}

/// Cuts the connection to the server, or restores it; `upload` is its speed, in bytes a second.
fn connect(browser: &Browser, is_offline: bool, upload: i64) {
    browser.emulate("Network.enable", &json!({}));
    let conditions = json!({ "offline": is_offline, "latency": 0, "downloadThroughput": -1,
                             "uploadThroughput": upload });
    browser.emulate("Network.emulateNetworkConditions", &conditions);
}

/// Fails unless a note with a file that is sent while the connection is lost stays as it was, with words about it. It is
/// sent when the connection is there again.
pub(super) async fn assert_survives_lost_connection(browser: &Browser) {
    let typed = "return [document.getElementById('body').value, document.getElementById('files').files.length,
                         Object.values(localStorage).join()]";
    let before = browser.run_script(typed).await;
    connect(browser, true, -1);
    browser.click("#add-note").await;
    let lost = browser.text(".composer .lost").await;
    assert_eq!(lost, "The server could not be reached. What you typed is still here: try again.");
    assert_eq!(browser.run_script(typed).await, before);
    let sending = "return document.querySelectorAll('.sending').length";
    assert_eq!(browser.run_script(sending).await, json!(0), "it says no longer that it sends");
    connect(browser, false, -1);
    browser.click("#add-note").await;
    browser.find_text("The note was added.").await;
    let lost = "return document.querySelectorAll('.lost').length";
    assert_eq!(browser.run_script(lost).await, json!(0));
}

/// Fails unless somebody sees how much of a file has arrived that is added to a note.
pub(super) async fn assert_progress_is_shown(browser: &Browser, file: &std::path::Path) {
    connect(browser, false, 100_000);
    browser.choose_file(".note", file).await;
    browser.find_text("Adding a file…").await;
    browser.find(".note .sending progress[value]").await;
    connect(browser, false, -1);
    browser.find_text("The files were added.").await;
    let sending = "return document.querySelectorAll('.sending').length";
    assert_eq!(browser.run_script(sending).await, json!(0));
}

/// Fails unless a print of the record has the notes with all their pictures, and nothing that one could press, nor the
/// list beside it.
pub(super) async fn assert_prints_well(browser: &Browser) {
    browser.emulate("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    let printed = "const isShown = (it) => it.checkVisibility();
        const pictures = [...document.querySelectorAll('.note .pic img')];
        return [[...document.querySelectorAll('.top, .menu, button, form, .btn, #list, .back')].filter(isShown).length,
            pictures.length > 0 && pictures.every((it) => isShown(it) && it.complete && it.naturalWidth > 0),
            ['h1', '.facts', '.parts', '.note .text', '.printed'].every((css) =>
                isShown(document.querySelector(`.record ${css}`)))]";
    assert_eq!(browser.run_script(printed).await, json!([0, true, true]));
    browser.emulate("Emulation.setEmulatedMedia", &json!({ "media": "" }));
}

/// Fails unless a print of the list says whom to call, at which number and where, and nothing that one could press.
pub(super) async fn assert_prints_a_call_sheet(browser: &Browser) {
    browser.emulate("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    let printed = "const shown = (css) => [...document.querySelectorAll(css)].filter((it) => it.checkVisibility());
        const [row] = shown('#rows li');
        return [shown('.top, .menu, button, form, .btn, .none, .r3, #rows small').length, shown('h1').length,
            shown('.printed').length, ['strong', '.r2 span', '.r2 .place'].every((css) =>
                row.querySelector(css).checkVisibility())]";
    assert_eq!(browser.run_script(printed).await, json!([0, 1, 1, true]));
    browser.emulate("Emulation.setEmulatedMedia", &json!({ "media": "" }));
}
