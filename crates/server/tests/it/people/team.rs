//! The page where an owner manages a team.

use serde_json::json;
use zoop_both::both;
use zoop_crm::testing::Business;

use super::{Browser, OFFICE, OWNER, PASSWORD, between, location, set_password, start};

#[both]
fn an_owner_changes_roles_removes_people_and_stays() {
    let server = start();
    let mut owner = Browser::owner(&server);
    let business = server.business.account.id.to_string();
    let page = owner.get("/team").body;
    for email in [OWNER, OFFICE, "tech@acme.example"] {
        assert!(page.contains(email), "{email}: {page}");
    }
    let office = Business::user(&server.business.office).to_string();
    let this = Business::user(&server.business.owner).to_string();
    let role = |owner: &mut Browser<'_>, user: &str, role: &str| {
        owner.post("/team/role", &[("business", &business), ("user", user), ("role", role)])
    };
    let back = format!("/team?business={business}&done=");
    assert_eq!(location(&role(&mut owner, &office, "tech")), format!("{back}role"));
    assert!(owner.get(&format!("{back}role")).body.contains("The role was changed."));
    for refused in [
        role(&mut owner, &this, "office"),
        owner.post("/team/remove", &[("business", &business), ("user", &this)]),
    ] {
        assert_eq!(refused.status, 400);
        assert!(refused.body.contains("last owner"), "{}", refused.body);
    }
    assert_eq!(role(&mut owner, &office, "king").status, 400);
    let question_path = format!("/team/remove?business={business}&user={office}");
    assert!(owner.get("/team").body.contains(&question_path.replace('&', "&amp;")));
    let question = owner.get(&question_path).body;
    assert!(question.contains("API keys") && question.contains("Cancel"), "{question}");
    assert!(owner.get("/team").body.contains(OFFICE), "asking removes no one");
    let gone = owner.post("/team/remove", &[("business", &business), ("user", &office)]);
    assert_eq!(location(&gone), format!("{back}removed"));
    assert!(owner.get(&format!("{back}removed")).body.contains("The person was removed"));
    assert!(!owner.get("/team").body.contains(OFFICE));
    assert_eq!(owner.get(&question_path).status, 404);
}

#[both]
fn an_invitation_is_shown_once_listed_and_revoked() {
    let server = start();
    let mut owner = Browser::owner(&server);
    let business = server.business.account.id.to_string();
    let invite = |owner: &mut Browser<'_>, email: &str| {
        let fields = [
            ("business", business.as_str()),
            ("name", "Nadia"),
            ("email", email),
            ("role", "tech"),
        ];
        owner.post("/team/invite", &fields)
    };
    for wrong in ["nobody", OFFICE] {
        assert_eq!(invite(&mut owner, wrong).status, 400, "{wrong}");
    }
    let page = invite(&mut owner, "new@acme.example").body;
    let link = between(&page, "id=\"link\">", "<").to_owned();
    assert!(page.contains("yourself"), "no mail server is set: {page}");
    let path = link.strip_prefix(&owner.origin()).expect("our own address").to_owned();
    assert_eq!(Browser::new(&server).get(&path).status, 200);
    let listed = owner.get("/team").body;
    assert!(listed.contains("new@acme.example") && !listed.contains("zoop_in_"), "{listed}");
    // Sending the same fields again, as the button in the list does, replaces the link.
    assert!(listed.contains("name=\"email\" value=\"new@acme.example\""), "{listed}");
    let page = invite(&mut owner, "new@acme.example").body;
    assert_eq!(Browser::new(&server).get(&path).status, 410);
    let link = between(&page, "id=\"link\">", "<").to_owned();
    let path = link.strip_prefix(&owner.origin()).expect("our own address").to_owned();
    assert_eq!(Browser::new(&server).get(&path).status, 200);
    let listed = owner.get("/team").body;
    assert_eq!(listed.matches("name=\"invitation\"").count(), 1, "{listed}");
    let id = between(&listed, "name=\"invitation\" value=\"", "\"").to_owned();
    owner.post("/team/revoke", &[("business", &business), ("invitation", &id)]);
    assert!(!owner.get("/team").body.contains("new@acme.example"));
    assert_eq!(Browser::new(&server).get(&path).status, 410);

    // A reload makes no second link, which would end the first one.
    let once = between(&listed, "name=\"once\" value=\"", "\"").to_owned();
    let fields = [("business", &*business), ("name", "Nell"), ("email", "nell@acme.example")];
    let fields = [&fields[..], &[("role", "tech"), ("once", &once)]].concat();
    let shown = owner.post("/team/invite", &fields).body;
    let nells = between(&shown, "id=\"link\">", "<").strip_prefix(&owner.origin()).expect("ours");
    let again = owner.post("/team/invite", &fields);
    assert!(again.status == 200 && again.body.contains("This form was sent before."), "{again:?}");
    assert!(!again.body.contains("zoop_in_"), "{again:?}");
    assert_eq!(Browser::new(&server).get(nells).status, 200);
}

#[both]
fn only_its_own_owners_manage_a_team() {
    let server = start();
    let other = server.env.empty_business("Borealis");
    set_password(&server, OFFICE, PASSWORD);
    let user = Business::user(&other.office).to_string();
    let theirs = other.account.id.to_string();
    let own = server.business.account.id.to_string();
    let invited = json!({ "name": "N", "email": "n@b.example", "role": "tech" });
    let made = server.env.call_as_operator(Some(other.account), "invitations.create", invited);
    let invitation = made["invitation_id"].as_str().expect("an id").to_owned();

    let mut owner = Browser::owner(&server);
    assert_eq!(owner.get(&format!("/team?business={theirs}")).status, 404);
    assert_eq!(owner.get("/team?business=x").status, 404);
    let mut office = Browser::new(&server);
    office.sign_in(OFFICE, PASSWORD);
    for path in ["/team".to_owned(), format!("/team?business={own}")] {
        assert_eq!(office.get(&path).status, 403, "{path}");
    }
    assert!(!office.get("/account").body.contains("href=\"/team"));
    let sent: [(&str, &[(&str, &str)]); 4] = [
        ("/team/role", &[("user", &user), ("role", "owner")]),
        ("/team/remove", &[("user", &user)]),
        ("/team/invite", &[("name", "E"), ("email", "e@e.example"), ("role", "owner")]),
        ("/team/revoke", &[("invitation", &invitation)]),
    ];
    for (path, fields) in sent {
        for (is_owner, business, status) in
            [(true, &theirs, 404), (false, &own, 403), (false, &theirs, 404)]
        {
            let browser = if is_owner { &mut owner } else { &mut office };
            let mut all = vec![("business", business.as_str())];
            all.extend(fields);
            assert_eq!(browser.post(path, &all).status, status, "{path}");
        }
    }
    // The other business's records cannot be reached through the owner's own business either.
    for (path, fields) in [sent[0], sent[1], sent[3]] {
        let mut all = vec![("business", own.as_str())];
        all.extend(fields);
        assert_eq!(owner.post(path, &all).status, 404, "{path}");
    }
    for (business, status) in [(&theirs, 404), (&own, 403)] {
        let question_path = format!("/team/remove?business={business}&user={user}");
        assert_eq!(owner.get(&question_path).status, 404);
        assert_eq!(office.get(&question_path).status, status);
    }
    let people = server.env.call_as_operator(Some(other.account), "users.list", json!({}));
    assert_eq!(people["rows"].as_array().map(Vec::len), Some(3));
    let open = server.env.call_as_operator(Some(other.account), "invitations.list", json!({}));
    assert_eq!(open["rows"].as_array().map(Vec::len), Some(1));
}

#[both]
fn an_owner_of_several_businesses_chooses_one() {
    let server = start();
    let arguments = json!({ "name": "Second", "owner_name": "Olive", "owner_email": OWNER });
    let made = server.env.call_as_operator(None, "tenants.create", arguments);
    let second = made["tenant_id"].as_str().expect("an id").to_owned();
    let mut owner = Browser::owner(&server);
    let first = owner.get("/team").body;
    assert!(
        first.contains("<p class=\"lead\"><bdi>Acme</bdi></p>") && first.contains(&second),
        "{first}"
    );
    let page = owner.get(&format!("/team?business={second}")).body;
    assert!(page.contains("<p class=\"lead\"><bdi>Second</bdi></p>"), "{page}");
}
