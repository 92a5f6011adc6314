//! Users and their own accounts: the second factor, and an invitation.

use serde_json::json;
use zoop_crm::identity::sign_in::second_factor;
use zoop_crm::values::clock::{Clock, SystemClock};
use zoop_db::Timestamp;

use super::driver::{Browser, DESKTOP, Look};
use super::layout::assert_fits;
use super::{Demo, run};
use crate::env::text;
use crate::mail::MailServer;

/// The time step of codes, in microseconds (RFC 6238, 5.2).
const STEP: i64 = 30_000_000;

/// A script that returns whether the style sheet lets the codes and the buttons be printed.
const PRINTED: &str = "
  const [sheet] = document.styleSheets;
  const rules = [...sheet.cssRules].filter((rule) => rule.media?.mediaText === 'print');
  const isHidden = (css) => [...document.querySelectorAll(css)].every((element) =>
    rules.some(({ cssRules }) => [...cssRules].some((rule) =>
      rule.style.display === 'none' && element.matches(rule.selectorText))));
  return [!isHidden('#codes'), !isHidden('main .btn')];";

async fn assert_accessible(browser: &Browser, page: &str) {
    assert_eq!(browser.violations().await, Vec::<String>::new(), "{page}");
}

/// Enters the password, then the code.
async fn sign_in_with(demo: &Demo, browser: &Browser, code: &str) {
    browser.goto(&demo.at("/sign-in")).await;
    demo.type_password(browser, &demo.password).await;
    browser.fill("#code", code).await;
    browser.click("main button.primary").await;
}

#[test]
fn the_second_factor_is_set_up_and_required_and_a_recovery_code_replaces_it() {
    let demo = Demo::open();
    run(async {
        let browser = Browser::open(DESKTOP).await;
        demo.sign_in(&browser).await;
        browser.goto(&demo.at("/account")).await;
        browser.fill("#on", &demo.password).await;
        browser.click("form[action='/account/second-factor'] button").await;
        let letters = browser.text("#secret").await;
        assert_accessible(&browser, "the set-up").await;
        browser.find("main a[href='/account']").await;
        let code = |at| second_factor::code_from_base32(&letters, at).expect("a code");
        let began = SystemClock.now();
        browser.fill("#code", &code(began)).await;
        browser.click("main button.primary").await;
        let recovery = browser.text("#codes code").await;
        assert_accessible(&browser, "the recovery codes").await;
        let file = browser.attribute("a[download]", "href").await;
        assert!(file.starts_with("data:text/plain") && file.contains(&recovery), "{file}");
        assert_eq!(
            browser.run_script(PRINTED).await,
            json!([true, false]),
            "the codes are printed, the buttons are not"
        );

        browser.click("form[action='/sign-out'] button").await;
        browser.arrive("/sign-in?done=signed-out").await;
        demo.type_password(&browser, &demo.password).await;
        browser.find("#code").await;
        assert_accessible(&browser, "the code").await;
        browser.goto(&demo.at("/account")).await;
        browser.arrive("/sign-in?next=%2Faccount").await;
        // A code is accepted only once. The next code is accepted even before its time step begins.
        let next = code(SystemClock.now().max(Timestamp(began.0 + STEP)));
        sign_in_with(&demo, &browser, &next).await;
        browser.arrive("/").await;

        browser.click("form[action='/sign-out'] button").await;
        browser.arrive("/sign-in?done=signed-out").await;
        sign_in_with(&demo, &browser, &recovery).await;
        browser.arrive("/").await;
        browser.goto(&demo.at("/account")).await;
        let left = browser.text("form[action='/account/second-factor/codes'] p").await;
        assert!(left.contains("Recovery codes left: 9"), "{left}");
    });
}

#[test]
fn a_new_user_accepts_an_invitation_and_can_sign_in_again() {
    let demo = Demo::open();
    let settings = format!("[server]\npublic_url = '{}'\n", demo.url);
    demo.folder.write("zoop.toml", &settings);
    let who = ["--name", "Nadia New", "--email", "nadia@example.com", "--role", "office"];
    let link = text(&demo.folder.json(&[&["user", "invite"][..], &who].concat()), "link");
    let password = "a phrase of her own";
    run(async {
        let browser = Browser::open(DESKTOP).await;
        browser.goto(&link).await;
        assert_accessible(&browser, "the invitation").await;
        assert_eq!(browser.attribute("#email", "value").await, "nadia@example.com");
        browser.fill("#password", password).await;
        browser.fill("#repeated", "another phrase").await;
        browser.click("main button.primary").await;
        assert!(browser.text("[role=alert]").await.contains("do not match"));
        browser.fill("#password", password).await;
        browser.fill("#repeated", password).await;
        browser.click("main button.primary").await;
        browser.find_text("Hello, ").await;
        assert!(browser.text(".success").await.starts_with("You have joined Copper Creek"));
        assert_accessible(&browser, "the start").await;

        browser.click("form[action='/sign-out'] button").await;
        browser.arrive("/sign-in?done=signed-out").await;
        browser.goto(&link).await;
        assert_eq!(browser.text("h1").await, "This invitation has already been accepted");
        browser.goto(&demo.at("/sign-in")).await;
        browser.fill("#email", "nadia@example.com").await;
        browser.fill("#password", password).await;
        browser.click("main button.primary").await;
        browser.arrive("/").await;
    });
}

/// Follows the link in light and dark, wide and narrow. The last one changes the address.
#[test]
fn the_link_in_a_mail_changes_ones_own_address() {
    let mails = MailServer::start();
    let settings =
        [("ZOOP_MAIL_URL", mails.url()), ("ZOOP_MAIL_FROM", "zoop@example.com".to_owned())];
    let demo = Demo::open_with(&settings.each_ref().map(|(name, value)| (*name, value.as_str())));
    let last = (1366, false);
    run(async {
        for (width, is_dark) in [(1366, true), (390, true), (390, false), last] {
            // Few mails go to one address.
            let scheme = if is_dark { "dark" } else { "light" };
            let new = &format!("dana.in.a.window.of.{width}.{scheme}@copper-creek.example");
            let browser = Browser::open(Look { is_dark, width, ..DESKTOP }).await;
            demo.sign_in(&browser).await;
            browser.goto(&demo.at("/account")).await;
            browser.fill("#email", new).await;
            browser.fill("#email-current", &demo.password).await;
            browser.click("form[action='/account/email'] button").await;
            assert!(browser.text(".success").await.contains("link"), "what happens next");
            let mail = mails.next();
            let link = mail.split_whitespace().find(|word| word.starts_with(&demo.url));
            browser.goto(link.expect("a link")).await;
            assert_eq!(browser.text("h1").await, "Use this e-mail address?");
            assert!(browser.text("main").await.contains(new));
            assert_accessible(&browser, "the new address").await;
            assert_fits(&browser, "the new address").await;
            if (width, is_dark) == last {
                browser.click("main button.primary").await;
                browser.arrive("/account?done=email").await;
                assert!(browser.text("main").await.contains(new));
                assert!(
                    mails.next().contains(&format!("To: {}", demo.email)),
                    "the former mailbox"
                );
                browser.click("form[action='/sign-out'] button").await;
                browser.arrive("/sign-in?done=signed-out").await;
                browser.fill("#email", new).await;
                browser.fill("#password", &demo.password).await;
                browser.click("main button.primary").await;
                browser.arrive("/").await;
            }
        }
    });
}
