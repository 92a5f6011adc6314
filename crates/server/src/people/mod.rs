//! The pages where users sign in and manage their own account, and where owners manage their team.
//!
//! The rules are in [`zoop_crm::identity::sign_in`], [`zoop_crm::identity::invitations`] and the catalog's tools.
//! This module contains only forms and pages.

mod account;
mod agent;
mod change;
mod invitation;
mod own_email;
mod password;
mod picture;
mod second_factor;
mod sign_in;
mod team;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The routes of these pages.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::enter))
        .route("/sign-in/second-factor", get(second_factor::show).post(second_factor::enter))
        .route("/sign-in/forgot", get(password::forgot).post(password::ask))
        .route("/password/{token}", get(password::show).post(password::choose))
        .route("/sign-out", post(sign_in::leave))
        .route("/invitations/{token}", get(invitation::show).post(invitation::accept))
        .route("/account", get(account::show))
        .route("/account/name", post(change::name))
        .route("/account/email", post(own_email::ask))
        .route("/account/email/{token}", get(own_email::show).post(own_email::confirm))
        .route("/account/password", post(change::password))
        .route("/account/second-factor", post(change::begin_second_factor))
        .route("/account/second-factor/confirm", post(change::confirm_second_factor))
        .route("/account/second-factor/off", post(change::turn_off_second_factor))
        .route("/account/second-factor/codes", post(change::renew_recovery_codes))
        .route("/account/sessions/end", post(change::end_session))
        .route("/account/sessions/end-others", post(change::end_other_sessions))
        .route("/account/programs/disconnect", get(account::ask_first).post(change::disconnect))
        .route("/team", get(team::show))
        .route("/team/role", post(team::set_role))
        .route("/team/remove", get(team::ask_to_remove).post(team::remove))
        .route("/team/invite", post(team::invite))
        .route("/team/password-link", post(team::password_link))
        .route("/team/revoke", post(team::revoke))
}
