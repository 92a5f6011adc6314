//! Tests of users and memberships: when a membership is pending, and which credentials stop working when a
//! membership or a password changes.

use serde_json::{Value, json};
use zoop_both::both;

use crate::call::access::{Account, Source};
use crate::call::scope::{Scope, Scopes};
use crate::identity::sign_in::links::{self, Factor, Maker};
use crate::identity::sign_in::sessions::{self, Origin};
use crate::identity::sign_in::user::Initiator;
use crate::identity::sign_in::{SignedIn, attempts, passwords};
use crate::testing::{Business, Caller, TestEnv, error_json, text};
use crate::values::id::{Id, kinds};

const CEO: &str = "ceo@victim.example";

fn origin() -> Origin {
    Origin { address: None, browser: "a test".to_owned() }
}

/// Adds a user with the CEO's address to a stranger's tenant, with a password that the stranger chose. Returns the
/// tenant and the user.
fn claim_address(env: &TestEnv) -> (Account, Id<kinds::User>) {
    let stranger = env.empty_business("Stranger").account;
    let who = json!({ "name": "Not the CEO", "email": CEO, "role": "office" });
    let created = env.call_as_operator(Some(stranger), "users.create", who);
    let user = Id::parse(text(&created, "user_id")).expect("an id");
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
    let created = env.call_as_operator(None, "tenants.create", new);
    let id = Id::parse(text(&created, "tenant_id")).expect("an id");
    let account =
        env.read(move |tx| crate::identity::tenants::account(tx, id)).expect("the account");
    (created, account)
}

fn is_member(env: &TestEnv, signed_in: &SignedIn, account: Account) -> bool {
    let signed_in = signed_in.clone();
    let memberships = env.read(move |tx| signed_in.memberships(tx)).expect("memberships");
    memberships.iter().any(|membership| membership.account.id == account.id)
}

fn is_valid(env: &TestEnv, secret: &crate::values::secret::Secret) -> bool {
    let (secret, now) = (secret.clone(), env.environment.clock.now());
    env.read(move |tx| sessions::find(tx, &secret, now)).expect("it is read").is_some()
}

fn users(env: &TestEnv, account: Account) -> Vec<Value> {
    let list = env.call_as_operator(Some(account), "users.list", json!({}));
    list["rows"].as_array().expect("rows").clone()
}

#[both]
fn whoever_claimed_an_address_first_gets_no_rights_in_another_tenant() {
    let env = TestEnv::new();
    let (stranger, user) = claim_address(&env);
    let (session, signed_in) = env.sign_in(user);
    let (_, tokens) = env.connect(stranger, user, Scopes::of(Scope::GRANTABLE));

    let (created, victim) = new_tenant(&env);
    assert_eq!(text(&created, "owner_id"), user.to_string());
    assert!(text(&created, "waiting").contains("zoop user set-password"), "{created}");
    assert!(!is_member(&env, &signed_in, victim), "no access to the new tenant");
    let rows = users(&env, victim);
    assert_eq!((&rows[0]["is_waiting"], &rows[0]["name"]), (&json!(true), &json!("Vera")));
    let key = json!({ "user": user, "scopes": "read:customers" });
    let refused = env.call(&Caller::operator(Some(victim)), "keys.create", key).unwrap_err();
    assert_eq!(error_json(&refused)["kind"], "conflict");

    let environment = env.environment.clone();
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        passwords::set(tx, &environment, user, "the CEO's hash", Initiator::Operator)
    };
    env.write(set).expect("a password");
    assert!(!is_valid(&env, &session), "the stranger's session has ended");
    assert!(env.authenticate(tokens.access.expose()).is_err(), "the client is disconnected");
    let (_, signed_in) = env.sign_in(user);
    assert!(is_member(&env, &signed_in, victim), "the pending membership has taken effect");
    let rows = users(&env, victim);
    assert_eq!((&rows[0]["is_waiting"], &rows[0]["name"]), (&json!(false), &json!("Vera")));
    let elsewhere = users(&env, stranger);
    assert!(elsewhere.iter().any(|row| row["name"] == "Not the CEO"), "{elsewhere:?}");
    let history = env.call_as_operator(Some(victim), "changes.list", json!({}));
    let entries = history["rows"].as_array().expect("rows");
    assert!(entries.iter().any(|entry| entry["tool"] == "membership_confirmed"), "{entries:?}");
}

#[both]
fn a_pending_membership_can_change_its_role_and_be_removed() {
    let env = TestEnv::new();
    let (_, user) = claim_address(&env);
    let victim = env.empty_business("Victim").account;
    let add = json!({ "name": "Vera", "email": CEO, "role": "owner" });
    let created = env.call_as_operator(Some(victim), "users.create", add.clone());
    assert!(created["waiting"].is_string(), "{created}");
    let again = env.call(&Caller::operator(Some(victim)), "users.create", add).unwrap_err();
    assert_eq!(error_json(&again)["kind"], "conflict");
    env.call_as_operator(Some(victim), "users.set_role", json!({ "id": user, "role": "tech" }));
    let is_pending = |row: &&Value| row["is_waiting"] == true;
    assert_eq!(users(&env, victim).iter().find(is_pending).expect("a row")["role"], "tech");
    env.call_as_operator(Some(victim), "users.remove", json!({ "id": user }));
    assert!(!users(&env, victim).iter().any(|row| row["is_waiting"] == true));
}

#[both]
fn no_membership_is_pending_for_a_user_who_is_new_proved_or_known_only_to_this_tenant() {
    let env = TestEnv::new();
    let first = env.empty_business("First").account;
    let second = env.empty_business("Second").account;
    let add = |account: Account| {
        let who = json!({ "name": "Nadia", "email": "nadia@example.com", "role": "office" });
        env.call_as_operator(Some(account), "users.create", who)
    };
    let created = add(first);
    assert_eq!(created.get("waiting"), None, "a new user");
    let user: Id<kinds::User> = Id::parse(text(&created, "user_id")).expect("an id");
    let set = |by: Initiator| {
        let environment = env.environment.clone();
        let set = move |tx: &mut zoop_db::WriteTx<'_>| {
            passwords::set(tx, &environment, user, "a hash", by)
        };
        env.write(set).expect("a password");
    };
    set(Initiator::Unproved(None));
    env.call_as_operator(Some(first), "users.remove", json!({ "id": user }));
    assert_eq!(add(first).get("waiting"), None, "a user known only to this tenant");
    set(Initiator::Operator);
    assert_eq!(add(second).get("waiting"), None, "a user with a proved mailbox");
}

#[both]
fn addresses_that_are_equal_only_in_a_search_belong_to_different_users() {
    let env = TestEnv::new();
    let account = env.empty_business("Acme").account;
    let add = |email: &str| {
        let who = json!({ "name": "N", "email": email, "role": "tech" });
        text(&env.call_as_operator(Some(account), "users.create", who), "user_id").to_owned()
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
    assert_eq!(error_json(&refused)["kind"], "conflict", "the address of a member");
}

#[both]
fn a_user_stored_by_the_previous_version_is_found_only_by_their_own_address() {
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
    assert_eq!(found.map(|user| user.id), Some(user));
    let other = env.read(|tx| super::store::by_email(tx, "someone@github.example"));
    assert!(other.expect("it is read").is_none());
    let new = add("someone@github.example").expect("the address is free");
    assert_ne!(new["user_id"], id["user_id"]);
    let found = env.read(move |tx| super::store::by_email(tx, dotless)).expect("it is read");
    assert_eq!(found.map(|user| user.id), Some(user));

    let books = add("owner@b\u{fc}cher.example").expect("it is added");
    let user: Id<kinds::User> = Id::parse(text(&books, "user_id")).expect("an id");
    env.write(move |tx| super::store::set_key(tx, user, "owner@b\u{fc}cher.example"))
        .expect("an old row");
    let ascii = "owner@xn--bcher-kva.example";
    let found = env.read(move |tx| super::store::by_email(tx, ascii)).expect("it is read");
    assert_eq!(found.map(|user| user.id), Some(user), "the ASCII form of the domain");
}

#[both]
fn the_keys_of_a_removed_member_never_work_again() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let office = Business::user(&acme.office).to_string();
    let key = env.key(acme.account, Some(&office), Scope::GRANTABLE);
    env.call_as_operator(Some(acme.account), "users.remove", json!({ "id": office }));
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let back = json!({ "name": "Oscar", "email": "office@acme.example", "role": "owner" });
    env.call_as_operator(Some(acme.account), "users.create", back);
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let keys = env.call_as_operator(Some(acme.account), "keys.list", json!({}));
    let of_office = |row: &&Value| row["user_id"] == office.as_str();
    let mut keys = keys["rows"].as_array().expect("rows").iter().filter(of_office);
    assert!(keys.all(|row| row["revoked_at"].is_string()));
    assert!(env.authenticate(&acme.owner_key).is_ok(), "other members' keys still work");
}

#[both]
fn the_keys_of_a_member_removed_by_an_earlier_version_stay_invalid() {
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
    let created = env.call_as_operator(Some(acme.account), "users.create", back);
    assert_eq!(text(&created, "user_id"), office.to_string());
    assert_eq!(env.authenticate(&key).unwrap_err(), "key_revoked");
    let new = env.key(acme.account, Some(&office.to_string()), Scope::GRANTABLE);
    assert!(env.authenticate(&new).is_ok(), "a new key works");
    assert!(env.authenticate(&acme.owner_key).is_ok(), "other members' keys still work");
}

#[both]
fn an_owners_link_works_while_they_own_every_tenant_of_the_user() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let other = env.empty_business("Borealis");
    let (owner, office) = (Business::user(&acme.owner), Business::user(&acme.office));
    let (_, signed_in) = env.sign_in(owner);
    let access = env.in_tenant(signed_in.in_tenant(acme.account.id, Source::default()));
    let create_link =
        |user: Id<kinds::User>| env.call(&access, "users.password_link", json!({ "id": user }));
    let own = error_json(&create_link(owner).unwrap_err());
    assert!(text(&own, "message").contains("your account page"), "{own}");
    let created = create_link(office).expect("a link");
    let secret = text(&created, "path").strip_prefix("/password/").expect("a path").to_owned();
    let secret = crate::values::secret::Secret::parse(&secret).expect("a secret");
    let works = || {
        let (secret, now) = (secret.clone(), env.environment.clock.now());
        env.read(move |tx| links::find(tx, &secret, now)).expect("it is read").is_some()
    };
    assert!(works());
    let elsewhere = json!({ "name": "O", "email": "office@acme.example", "role": "tech" });
    env.call_as_operator(Some(other.account), "users.create", elsewhere);
    assert!(!works(), "the person now belongs to another business too");
    let refused = error_json(&create_link(office).unwrap_err());
    assert!(text(&refused, "message").contains("ask the operator"), "{refused}");
    env.call_as_operator(Some(other.account), "users.remove", json!({ "id": office }));
    assert!(works());
    env.call_as_operator(Some(acme.account), "users.remove", json!({ "id": office }));
    assert!(!works(), "the person is no longer a member");
}

#[both]
fn the_links_that_a_user_made_end_when_their_own_password_changes() {
    let env = TestEnv::new();
    let acme = env.business("Acme");
    let (owner, office) = (Business::user(&acme.owner), Business::user(&acme.office));
    let environment = env.environment.clone();
    let created = env
        .write(move |tx| links::create(tx, &environment, office, Maker::Owner(owner), Factor::Ends))
        .expect("a link");
    let secret = created.path()["/password/".len()..].to_owned();
    let secret = crate::values::secret::Secret::parse(&secret).expect("a secret");
    let works = || {
        let (secret, now) = (secret.clone(), env.environment.clock.now());
        env.read(move |tx| links::find(tx, &secret, now)).expect("it is read").is_some()
    };
    assert!(works());
    let environment = env.environment.clone();
    let operator = crate::identity::sign_in::user::Initiator::Operator;
    let set = move |tx: &mut zoop_db::WriteTx<'_>| {
        crate::identity::sign_in::passwords::set(tx, &environment, owner, "a hash", operator)
            .map(drop)
    };
    env.write(set).expect("a new password");
    assert!(!works(), "a stolen session may have created the link");
}

#[both]
fn only_a_mailed_link_proves_the_mailbox() {
    let env = TestEnv::new();
    let acme = env.empty_business("Acme");
    let office = Business::user(&acme.office);
    let is_proved = || {
        env.read(move |tx| crate::identity::sign_in::user::is_proved(tx, office))
            .expect("it is read")
    };
    let environment = env.environment.clone();
    let follow_mailed = move |tx: &mut zoop_db::WriteTx<'_>| {
        let created = links::create_for_mail(tx, &environment, "Office@acme.example", None)?;
        let (_, created) = created.expect("a known address");
        let path = created.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "a hash", &origin(), None)
    };
    env.write(follow_mailed).expect("a new password");
    assert!(is_proved());
    let environment = env.environment.clone();
    let follow_twice = move |tx: &mut zoop_db::WriteTx<'_>| {
        let created = links::create(tx, &environment, office, Maker::Operator, Factor::Stays)?;
        let path = created.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "another hash", &origin(), None)?;
        links::follow(tx, &environment, &secret, "a third hash", &origin(), None)
    };
    let twice = env.write(follow_twice).unwrap_err();
    assert_eq!(error_json(&twice)["kind"], "conflict", "a link works only once");
    assert!(is_proved(), "the rejected write changed nothing");
    let environment = env.environment.clone();
    let follow_handed = move |tx: &mut zoop_db::WriteTx<'_>| {
        let created = links::create(tx, &environment, office, Maker::Operator, Factor::Stays)?;
        let path = created.path();
        let secret =
            crate::values::secret::Secret::parse(&path["/password/".len()..]).expect("a secret");
        links::follow(tx, &environment, &secret, "another hash", &origin(), None)
    };
    env.write(follow_handed).expect("a new password");
    assert!(!is_proved());
}

#[both]
fn attempts_counted_by_a_clock_running_ahead_lock_no_one_out() {
    const LIMIT: attempts::Limit = attempts::Limit { action: "test", times: 2, seconds: 900 };
    let env = TestEnv::new();
    let count = || {
        let now = env.environment.clock.now();
        env.write(move |tx| attempts::record(tx, LIMIT, "somebody", now).map(drop))
    };
    let years = 2 * 365 * 24 * 3_600 * 1_000;
    env.clock.advance(years);
    count().expect("the first attempt");
    count().expect("the second attempt");
    assert!(count().is_err(), "a third attempt is too many");
    env.clock.advance(-years);
    count().expect("the first attempt with the right clock");
    count().expect("the second attempt with the right clock");
    assert!(count().is_err(), "a third attempt is too many");
}

#[both]
fn a_session_dated_by_a_clock_running_ahead_lasts_no_longer_than_others() {
    let env = TestEnv::new();
    let owner = Business::user(&env.empty_business("Acme").owner);
    let (day, years) = (24 * 3_600 * 1_000, 2 * 365 * 24 * 3_600 * 1_000);
    env.clock.advance(years);
    let (session, _) = env.sign_in(owner);
    env.clock.advance(-years);
    assert!(is_valid(&env, &session));
    env.sweep();
    env.clock.advance(30 * day - 1);
    assert!(is_valid(&env, &session), "valid for thirty days after the sweep");
    env.clock.advance(1);
    assert!(!is_valid(&env, &session));
}
