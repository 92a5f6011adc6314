//! Session cookies.
//!
//! Source: RFC 6265bis, 4.1.3 (`__Host-`): no other host of the same site can set such a cookie, and browsers send it
//! only over TLS or to this machine.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::identity::sign_in::{SignedIn, sessions};
use zoop_crm::values::secret::{Secret, SecretKind};
use zoop_db::Lane;

use crate::app::Shared;
use crate::background;

/// The name of the session cookie.
pub(crate) const SESSION: &str = "__Host-zoop-session";
/// The name of the cookie of a browser that a user has signed in with before. It does not sign anyone in.
pub(crate) const DEVICE: &str = "__Host-zoop-device";

/// The value of a cookie.
pub(crate) fn cookie_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
    let mut pairs =
        lists.flat_map(|list| list.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, text)| text)
}

/// The secret in a cookie, if it is of this kind.
pub(crate) fn cookie(headers: &HeaderMap, name: &str, kind: SecretKind) -> Option<Secret> {
    Secret::parse_as(kind, cookie_value(headers, name)?)
}

/// Sets a cookie for `seconds`, or deletes it with 0. Browsers do not send the cookie with forms of other sites.
pub(crate) fn set_cookie(response: &mut Response, name: &str, text: &str, seconds: i64) {
    let mut cookie = String::new();
    // Writing to a string cannot fail.
    let _ =
        write!(cookie, "{name}={text}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The user who is signed in with this browser, if any.
pub(crate) async fn signed_in(
    shared: &Arc<Shared>,
    headers: &HeaderMap,
    address: Option<IpAddr>,
    deadline: Instant,
) -> Result<Option<SignedIn>, Error> {
    let Some(secret) = cookie(headers, SESSION, SecretKind::Session) else { return Ok(None) };
    let now = shared.environment.clock.now();
    let token = secret.expose().to_owned();
    let lane = shared.lanes.lane_of(Some(&token), address);
    let looking = shared.db.lane(lane).read::<_, Error>(deadline, move |tx| {
        let Some(signed_in) = sessions::find(tx, &secret, now)? else { return Ok(None) };
        // The lane may be that of any of the user's businesses, so the first one will do.
        let is_known = matches!(lane, Lane::Tenant { .. });
        let membership =
            if is_known { None } else { signed_in.memberships(tx)?.into_iter().next() };
        Ok(Some((signed_in, membership)))
    });
    let Some((signed_in, membership)) = looking.await? else {
        shared.lanes.forget(&token);
        return Ok(None);
    };
    if let Some(membership) = membership {
        shared.lanes.learn(&token, membership.account.number, signed_in.session.uuid());
    }
    if let Some(used) = signed_in.use_to_record(now) {
        background::record_use(shared, used);
    }
    Ok(Some(signed_in))
}
