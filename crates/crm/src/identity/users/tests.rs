//! Users and memberships: which memberships wait for a proved mailbox, and what ends with a membership.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::access::{Account, Source};
use crate::call::scope::{Scope, Scopes};
use crate::identity::sign_in::links::{self, Factor, Maker};
use crate::identity::sign_in::person::Initiator;
use crate::identity::sign_in::sessions::{self, Origin};
use crate::identity::sign_in::{SignedIn, attempts, passwords};
use crate::testing::{Business, Caller, TestEnv, text, told};
use crate::values::id::{Id, kinds};

const CEO: &str = "ceo@victim.example";

fn origin() -> Origin {
    Origin { address: None, browser: "a test".to_owned() }
}

/// A stranger's tenant that was first to claim an address, with a password that the stranger chose.
fn claimed(env: &TestEnv) -> (Account, Id<kinds::User>) {
    let stranger = env.empty_business("Stranger").account;
    let who = json!({ "name": "Not the CEO", "email": CEO, "role": "office" });
    let made = env.operate(Some(stranger), "users.create", who);
    let user = Id::parse(text(&made, "user_id")).expect("an id");
    let environment = env.environment.clone();
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "the stranger's hash", Initiator::Unproved(None))
    };
    env.write(set).expect("a password");
    (stranger, user)
}

fn new_tenant(env: &TestEnv) -> (Value, Account) {
    let new =
        json!({ "name": "Victim", "owner_name": "Vera", "owner_email": "CEO@Victim.example" });
    let made = env.operate(None, "tenants.create", new);
    let id = Id::parse(text(&made, "tenant_id")).expect("an id");
    let account =
        env.read(move |tx| crate::identity::tenants::account(tx, id)).expect("the account");
    (made, account)
}

fn works_in(env: &TestEnv, person: &SignedIn, account: Account) -> bool {
    let person = person.clone();
    let places = env.read(move |tx| person.workplaces(tx)).expect("places");
    places.iter().any(|place| place.account.id == account.id)
}

fn is_good(env: &TestEnv, secret: &crate::values::secret::Secret) -> bool {
    let (secret, now) = (secret.clone(), env.environment.clock.now());
    env.read(move |tx| sessions::find(tx, &secret, now)).expect("it is read").is_some()
}

fn users(env: &TestEnv, account: Account) -> Vec<Value> {
    let list = env.operate(Some(account), "users.list", json!({}));
    list["rows"].as_array().expect("rows").clone()
}

#[both]
fn who_claimed_an_address_first_gets_nothing_in_another_business() {
    let env = TestEnv::new();
    let (stranger, user) = claimed(&env);
    let (session, person) = env.sign_in(user);
    let (_, tokens) = env.connect(stranger, user, Scopes::of(Scope::GRANTABLE));

    let (made, victim) = new_tenant(&env);
    assert_eq!(text(&made, "owner_id"), user.to_string());
    assert!(text(&made, "waiting").contains("zoop user set-password"), "{made}");
    assert!(!works_in(&env, &person, victim), "the stranger's session has nothing there");
    let rows = users(&env, victim);
    assert_eq!((&rows[0]["is_waiting"], &rows[0]["name"]), (&json!(true), &json!("Vera")));
    let key = json!({ "user": user, "scopes": "read:customers" });
    let refused = env.call(&Caller::operator(Some(victim)), "keys.create", key).unwrap_err();
    assert_eq!(told(&refused)["kind"], "conflict");

    let environment = env.environment.clone();
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "the CEO's hash", Initiator::Operator)
    };
    env.write(set).expect("a password");
    assert!(!is_good(&env, &session), "the stranger's session has ended");
    assert!(env.authenticate(tokens.access.expose()).is_err(), "and the connected program");
    let (_, person) = env.sign_in(user);
    assert!(works_in(&env, &person, victim), "what waited counts now");
    let rows = users(&env, victim);
    assert_eq!((&rows[0]["is_waiting"], &rows[0]["name"]), (&json!(false), &json!("Vera")));
    let elsewhere = users(&env, stranger);
    assert!(elsewhere.iter().any(|row| row["name"] == "Not the CEO"), "{elsewhere:?}");
    let history = env.operate(Some(victim), "history.list", json!({}));
    let entries = history["rows"].as_array().expect("rows");
    assert!(entries.iter().any(|entry| entry["tool"] == "membership_confirmed"), "{entries:?}");
}

#[both]
fn a_waiting_membership_changes_its_role_and_ends_without_a_trace_of_rights() {
    let env = TestEnv::new();
    let (_, user) = claimed(&env);
    let victim = env.empty_business("Victim").account;
    let add = json!({ "name": "Vera", "email": CEO, "role": "owner" });
    let made = env.operate(Some(victim), "users.create", add.clone());
    assert!(made["waiting"].is_string(), "{made}");
    let again = env.call(&Caller::operator(Some(victim)), "users.create", add).unwrap_err();
    assert_eq!(told(&again)["kind"], "conflict");
    env.operate(Some(victim), "users.set_role", json!({ "id": user, "role": "tech" }));
    let waits = |row: &&Value| row["is_waiting"] == true;
    assert_eq!(users(&env, victim).iter().find(waits).expect("it")["role"], "tech");
    env.operate(Some(victim), "users.remove", json!({ "id": user }));
    assert!(!users(&env, victim).iter().any(|row| row["is_waiting"] == true));
}

#[both]
fn nothing_waits_for_who_is_new_proved_or_known_to_this_business_only() {
    let env = TestEnv::new();
    let first = env.empty_business("First").account;
    let second = env.empty_business("Second").account;
    let add = |account: Account| {
        let who = json!({ "name": "Nadia", "email": "nadia@example.com", "role": "office" });
        env.operate(Some(account), "users.create", who)
    };
    let made = add(first);
    assert_eq!(made.get("waiting"), None, "new");
    let user: Id<kinds::User> = Id::parse(text(&made, "user_id")).expect("an id");
    let set = |by: Initiator| {
        let environment = env.environment.clone();
        let set = move |tx: &mut zoop_db::WriteTx<'_>| {
            passwords::set(tx, &environment, user, "a hash", by)
        };
        env.write(set).expect("a password");
    };
    set(Initiator::Unproved(None));
    env.operate(Some(first), "users.remove", json!({ "id": user }));
    assert_eq!(add(first).get("waiting"), None, "known to this business only");
    set(Initiator::Operator);
    assert_eq!(add(second).get("waiting"), None, "proved");
}

#[both]
fn addresses_that_only_a_search_takes_for_the_same_are_two_people() {
    let env = TestEnv::new();
    let account = env.empty_business("Acme").account;
    let add = |email: &str| {
        let who = json!({ "name": "N", "email": email, "role": "tech" });
        text(&env.operate(Some(account), "users.create", who), "user_id").to_owned()
    };
    let mut ids: Vec<_> = [
        "someone@github.example",
        "someone@g\u{131}thub.example",
        "\u{17f}omeone@github.example",
        "stra\u{df}e@github.example",
        "strasse@github.example",
    ]
    .map(add)
    .into();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let invite = json!({ "name": "N", "email": "Someone@GitHub.example", "role": "tech" });
    let operator = Caller::operator(Some(account));
    let refused = env.call(&operator, "invitations.create", invite).unwrap_err();
    assert_eq!(told(&refused)["kind"], "conflict", "a member already");
}

#[both]
fn a_row_from_before_is_found_by_its_own_address_and_by_no_other() {
    let env = TestEnv::new();
    let account = env.empty_business("Acme").account;
    let add = |email: &str| {
        let who = json!({ "name": "N", "email": email, "role": "tech" });
        env.call(&Caller::operator(Some(account)), "users.create", who)
    };
    let dotless = "someone@g\u{131}thub.example";
    let id = add(dotless).expect("it is added");
    // Store the key as the previous version did.
    let user: Id<kinds::User> = Id::parse(text(&id, "user_id")).expect("an id");
    env.write(move |tx| super::store::set_key(tx, user, "someone@github.example"))
        .expect("an old row");
    let found = env.read(move |tx| super::store::by_email(tx, dotless)).expect("it is read");
    assert_eq!(found.map(|person| person.id), Some(user));
    let other = env.read(|tx| super::store::by_email(tx, "someone@github.example"));
    assert!(other.expect("it is read").is_none());
    let new = add("someone@github.example").expect("the address is free");
    assert_ne!(new["user_id"], id["user_id"]);
    let found = env.read(move |tx| super::store::by_email(tx, dotless)).expect("it is read");
    assert_eq!(found.map(|person| person.id), Some(user));

    let books = add("owner@b\u{fc}cher.example").expect("it is added");
    let user: Id<kinds::User> = Id::parse(text(&books, "user_id")).expect("an id");
    env.write(move |tx| super::store::set_key(tx, user, "owner@b\u{fc}cher.example"))
        .expect("an old row");
    let ascii = "owner@xn--bcher-kva.example";
    let found = env.read(move |tx| super::store::by_email(tx, ascii)).expect("it is read");
    assert_eq!(found.map(|person| person.id), Some(user), "the same domain in its other form");
}

#[both]
fn the_keys_of_a_removed_member_never_work_again() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office = Business::user(&acme.office).to_string();
    let key = env.key(acme.account, Some(&office), Scope::GRANTABLE);
    env.operate(Some(acme.account), "users.remove", json!({ "id": office }));
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let back = json!({ "name": "Oscar", "email": "office@acme.example", "role": "owner" });
    env.operate(Some(acme.account), "users.create", back);
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let keys = env.operate(Some(acme.account), "keys.list", json!({}));
    let of_office = |row: &&Value| row["user_id"] == office.as_str();
    let mut keys = keys["rows"].as_array().expect("rows").iter().filter(of_office);
    assert!(keys.all(|row| row["revoked_at"].is_string()));
    assert!(env.authenticate(&acme.owner_key).is_ok(), "others' keys go on");
}

#[both]
fn the_keys_of_a_member_whom_an_earlier_version_removed_do_not_wake() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office = Business::user(&acme.office);
    let key = env.key(acme.account, Some(&office.to_string()), Scope::GRANTABLE);
    // The previous version did not revoke keys when it removed a member.
    let (number, now) = (acme.account.number, env.environment.clock.now());
    let remove = move |tx: &mut zoop_db::WriteTx<'_>| {
        tx.bind(number);
        super::store::remove(tx, office, now)
    };
    env.write(remove).expect("an old removal");
    assert!(env.authenticate(&key).is_err());
    let back = json!({ "name": "Oscar", "email": "office@acme.example", "role": "office" });
    let made = env.operate(Some(acme.account), "users.create", back);
    assert_eq!(text(&made, "user_id"), office.to_string());
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let new = env.key(acme.account, Some(&office.to_string()), Scope::GRANTABLE);
    assert!(env.authenticate(&new).is_ok(), "a new key works");
    assert!(env.authenticate(&acme.owner_key).is_ok(), "others' keys go on");
}

#[both]
fn an_owners_link_works_while_they_own_every_business_of_the_person() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.empty_business("Borealis");
    let (owner, office) = (Business::user(&acme.owner), Business::user(&acme.office));
    let (_, signed_in) = env.sign_in(owner);
    let access = env.in_tenant(signed_in.in_tenant(acme.account.id, Source::default()));
    let ask =
        |user: Id<kinds::User>| env.call(&access, "users.password_link", json!({ "id": user }));
    let own = told(&ask(owner).unwrap_err());
    assert!(text(&own, "message").contains("page of your account"), "{own}");
    let made = ask(office).expect("a link");
    let secret = text(&made, "path").strip_prefix("/password/").expect("a path").to_owned();
    let secret = crate::values::secret::Secret::parse(&secret).expect("a secret");
    let works = || {
        let (secret, now) = (secret.clone(), env.environment.clock.now());
        env.read(move |tx| links::find(tx, &secret, now)).expect("it is read").is_some()
    };
    assert!(works());
    let elsewhere = json!({ "name": "O", "email": "office@acme.example", "role": "tech" });
    env.operate(Some(other.account), "users.create", elsewhere);
    assert!(!works(), "the person works elsewhere too now");
    let refused = told(&ask(office).unwrap_err());
    assert!(text(&refused, "message").contains("ask the operator"), "{refused}");
    env.operate(Some(other.account), "users.remove", json!({ "id": office }));
    assert!(works());
    env.operate(Some(acme.account), "users.remove", json!({ "id": office }));
    assert!(!works(), "no longer the owner's colleague");
}

#[both]
fn the_links_that_a_person_made_end_when_their_own_password_changes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (owner, office) = (Business::user(&acme.owner), Business::user(&acme.office));
    let environment = env.environment.clone();
    let made = env
        .write(move |tx| links::make(tx, &environment, office, Maker::Owner(owner), Factor::Ends))
        .expect("a link");
    let secret = made.path()["/password/".len()..].to_owned();
    let secret = crate::values::secret::Secret::parse(&secret).expect("a secret");
    let works = || {
        let (secret, now) = (secret.clone(), env.environment.clock.now());
        env.read(move |tx| links::find(tx, &secret, now)).expect("it is read").is_some()
    };
    assert!(works());
    let environment = env.environment.clone();
    let operator = crate::identity::sign_in::person::Initiator::Operator;
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        crate::identity::sign_in::passwords::set(tx, &environment, owner, "a hash", operator)
            .map(drop)
    };
    env.write(set).expect("a new password");
    assert!(!works(), "a stolen session may have made it");
}

#[both]
fn a_link_that_somebody_else_saw_proves_nothing_and_one_by_mail_does() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let office = Business::user(&acme.office);
    let proved = || {
        env.read(move |tx| crate::identity::sign_in::person::is_proved(tx, office))
            .expect("it is read")
    };
    let environment = env.environment.clone();
    let by_mail = move |tx: &mut zoop_db::WriteTx<'_>| {
        let made = links::make_for_mail(tx, &environment, "Office@acme.example", None)?;
        let (_, made) = made.expect("a known address");
        let path = made.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "a hash", &origin(), None)
    };
    env.write(by_mail).expect("a new password");
    assert!(proved());
    let environment = env.environment.clone();
    let handed = move |tx: &mut zoop_db::WriteTx<'_>| {
        let made = links::make(tx, &environment, office, Maker::Operator, Factor::Stays)?;
        let path = made.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "another hash", &origin(), None)?;
        links::follow(tx, &environment, &secret, "a third hash", &origin(), None)
    };
    let twice = env.write(handed).unwrap_err();
    assert_eq!(told(&twice)["kind"], "conflict", "it works once");
    assert!(proved(), "the refused write left nothing behind");
    let environment = env.environment.clone();
    let handed = move |tx: &mut zoop_db::WriteTx<'_>| {
        let made = links::make(tx, &environment, office, Maker::Operator, Factor::Stays)?;
        let path = made.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "another hash", &origin(), None)
    };
    env.write(handed).expect("a new password");
    assert!(!proved());
}

#[both]
fn what_a_clock_that_was_ahead_has_counted_keeps_nobody_out() {
    const LIMIT: attempts::Limit = attempts::Limit { action: "test", times: 2, seconds: 900 };
    let env = TestEnv::new();
    let count = || {
        let now = env.environment.clock.now();
        env.write(move |tx| attempts::count(tx, LIMIT, "somebody", now).map(drop))
    };
    let years = 2 * 365 * 24 * 3_600 * 1_000;
    env.clock.advance(years);
    count().expect("one");
    count().expect("two");
    assert!(count().is_err(), "three are too many");
    env.clock.advance(-years);
    count().expect("one, now that the clock is right");
    count().expect("two");
    assert!(count().is_err(), "three are too many");
}

#[both]
fn a_session_that_a_clock_that_was_ahead_has_dated_lasts_no_longer_than_others() {
    let env = TestEnv::new();
    let owner = Business::user(&env.empty_business("Acme").owner);
    let (day, years) = (24 * 3_600 * 1_000, 2 * 365 * 24 * 3_600 * 1_000);
    env.clock.advance(years);
    let (session, _) = env.sign_in(owner);
    env.clock.advance(-years);
    assert!(is_good(&env, &session));
    env.sweep();
    env.clock.advance(30 * day - 1);
    assert!(is_good(&env, &session), "thirty days from the moment that the clock was right");
    env.clock.advance(1);
    assert!(!is_good(&env, &session));
}
