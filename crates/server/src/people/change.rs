//! Changes to the user's own account. Some changes could let the thief of a session keep access: these require the
//! password again.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use zoop_crm::call::error::Error;
use zoop_crm::identity::oauth::grants;
use zoop_crm::identity::sign_in::password::Password;
use zoop_crm::identity::sign_in::password_login::{self, Attempt};
use zoop_crm::identity::sign_in::second_factor::{self, Enrollment};
use zoop_crm::identity::sign_in::user::Initiator;
use zoop_crm::identity::sign_in::{SignedIn, own_name, passwords};
use zoop_crm::values::id::Id;

use super::account;
use super::picture::{self, QrPicture};
use super::sign_in::check;
use crate::anonymous_limits::Action;
use crate::app::App;
use crate::web::form::Form;
use crate::web::frame::Frame;
use crate::web::page;
use crate::web::page_context::{PageContext, either, give_session, refused};
use crate::web::section::Section;

pub(super) const WRONG_PASSWORD: &str = "That is not your current password. Nothing was changed.";

#[derive(Template)]
#[template(path = "second_factor_setup.html")]
struct Setup<'a> {
    frame: Frame,
    enrollment: &'a Enrollment,
    picture: Option<QrPicture>,
    fault: &'a str,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodes {
    frame: Frame,
    /// Whether they replace earlier ones, or else come with the second factor.
    are_new: bool,
    codes: Vec<String>,
}

/// Begins a request of a signed-in user: counts it as `action`, and reads its form.
pub(super) async fn begin(
    app: &App,
    request: Request,
    action: Action,
) -> Result<(PageContext, Form, SignedIn), Response> {
    let context = PageContext::begin(app, request, action)?;
    let form = context.form().await?;
    let signed_in = context.require_sign_in(Section::Account.path()).await?;
    Ok((context, form, signed_in))
}

/// Checks the current password in the form. If it is right, returns the attempt, and a new hash if the stored one is
/// outdated. The error is the page for a wrong password, too many attempts or a failure.
pub(super) async fn check_current_password(
    context: &PageContext,
    signed_in: &SignedIn,
    form: &Form,
) -> Result<(Attempt, Option<String>), Response> {
    match check(context, &signed_in.email, form.text("current")).await? {
        Some(proof) => Ok(proof),
        None => Err(account::show_again(context, signed_in, WRONG_PASSWORD).await?),
    }
}

/// `POST /account/name`
pub(super) async fn name(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::Page).await?;
        let name = match own_name::parse(form.text("name")) {
            Ok(name) => name,
            Err(Error::InvalidInput { message, .. }) => {
                return account::show_again(&context, &signed_in, &message).await;
            }
            Err(error) => return Err(page::failed(&error)),
        };
        let by = Initiator::Session(signed_in.session, context.address);
        let change = context.write(move |tx, environment| {
            own_name::change(tx, environment, signed_in.user, &name, by)
        });
        change.await?;
        Ok(page::go_to("/account?done=name"))
    };
    either(answer.await)
}

/// `POST /account/password`
pub(super) async fn password(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        if form.text("password") != form.text("repeated") {
            let fault = "The new passwords do not match.";
            return account::show_again(&context, &signed_in, fault).await;
        }
        let password = match Password::choose(form.text("password"), &signed_in.email) {
            Ok(password) => password,
            Err(Error::InvalidInput { message, .. }) => {
                return account::show_again(&context, &signed_in, &message).await;
            }
            Err(error) => return Err(page::failed(&error)),
        };
        // A new hash of the current password would be replaced at once, so it is dropped.
        let (attempt, _) = check_current_password(&context, &signed_in, &form).await?;
        let entropy = context.shared.environment.entropy.clone();
        let compute = move || password.hash(&entropy);
        let hash = context.shared.hashing.run(context.deadline, compute).await?;
        let by = Initiator::Session(signed_in.session, context.address);
        let set = context.write(move |tx, environment| {
            match password_login::confirm(tx, &attempt, None)? {
                // The user's own change always returns the session's new secret.
                Some(user) => passwords::set(tx, environment, user, &hash, by),
                // The current password was changed in the meantime.
                None => Ok(None),
            }
        });
        let Some(fresh) = set.await? else {
            return account::show_again(&context, &signed_in, WRONG_PASSWORD).await;
        };
        let mut response = page::go_to("/account?done=password");
        give_session(&mut response, &fresh);
        Ok(response)
    };
    either(answer.await)
}

/// `POST /account/second-factor`: creates a new secret, which the user confirms with its first code.
pub(super) async fn begin_second_factor(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        let (attempt, renewed) = check_current_password(&context, &signed_in, &form).await?;
        let email = signed_in.email.clone();
        let enroll = context.write(move |tx, environment| {
            password_login::confirm_then(tx, &attempt, renewed.as_deref(), |tx, user| {
                second_factor::enroll(tx, environment, user, &email)
            })
        });
        match enroll.await? {
            Some(Ok(enrollment)) => setup(&context, &signed_in, &enrollment, "").await,
            Some(Err(refusal)) => Err(page::failed(&refusal)),
            None => account::show_again(&context, &signed_in, WRONG_PASSWORD).await,
        }
    };
    either(answer.await)
}

async fn setup(
    context: &PageContext,
    signed_in: &SignedIn,
    enrollment: &Enrollment,
    fault: &str,
) -> Result<Response, Response> {
    let frame = frame(context, signed_in).await?;
    let picture = picture::qr_code(&enrollment.link);
    let status = if fault.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(page::page(status, &Setup { frame, enrollment, picture, fault }))
}

pub(super) async fn frame(context: &PageContext, signed_in: &SignedIn) -> Result<Frame, Response> {
    let who = signed_in.clone();
    let memberships = context.read(move |tx, _| who.memberships(tx)).await?;
    Ok(Frame::of_account(context, signed_in, &memberships))
}

/// `POST /account/second-factor/confirm`
pub(super) async fn confirm_second_factor(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        let sent_code = form.text("code").to_owned();
        let SignedIn { user, email, .. } = signed_in.clone();
        let by = Initiator::Session(signed_in.session, context.address);
        let confirm = context.write(move |tx, environment| {
            let codes = second_factor::confirm(tx, environment, user, &sent_code, by)?;
            let unconfirmed = second_factor::unconfirmed_setup(tx, environment, user, &email)?;
            Ok((codes, unconfirmed))
        });
        match confirm.await? {
            (Some(codes), _) => {
                let frame = frame(&context, &signed_in).await?;
                Ok(page::page(StatusCode::OK, &RecoveryCodes { frame, are_new: false, codes }))
            }
            (None, Some(enrollment)) => {
                let fault = "Wrong code. Wait for the next one and try again.";
                setup(&context, &signed_in, &enrollment, fault).await
            }
            // The time for the setup ended between the two steps of the write.
            (None, None) => Err(refused("Start again from your account page.")),
        }
    };
    either(answer.await)
}

/// `POST /account/second-factor/codes`: ends the recovery codes, and shows new ones.
pub(super) async fn renew_recovery_codes(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        let (attempt, renewed) = check_current_password(&context, &signed_in, &form).await?;
        let by = Initiator::Session(signed_in.session, context.address);
        let renew = context.write(move |tx, environment| {
            password_login::confirm_then(tx, &attempt, renewed.as_deref(), |tx, user| {
                second_factor::renew_recovery_codes(tx, environment, user, by)
            })
        });
        match renew.await? {
            Some(Ok(codes)) => {
                let frame = frame(&context, &signed_in).await?;
                Ok(page::page(StatusCode::OK, &RecoveryCodes { frame, are_new: true, codes }))
            }
            Some(Err(refusal)) => Err(page::failed(&refusal)),
            None => account::show_again(&context, &signed_in, WRONG_PASSWORD).await,
        }
    };
    either(answer.await)
}

/// `POST /account/second-factor/off`
pub(super) async fn turn_off_second_factor(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::SignIn).await?;
        let (attempt, renewed) = check_current_password(&context, &signed_in, &form).await?;
        let by = Initiator::Session(signed_in.session, context.address);
        let off = context.write(move |tx, environment| {
            let user = password_login::confirm(tx, &attempt, renewed.as_deref())?;
            user.map(|user| second_factor::turn_off(tx, environment, user, by)).transpose()
        });
        match off.await? {
            Some(()) => Ok(page::go_to("/account?done=second-factor-off")),
            None => account::show_again(&context, &signed_in, WRONG_PASSWORD).await,
        }
    };
    either(answer.await)
}

/// `POST /account/sessions/end`
pub(super) async fn end_session(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::Page).await?;
        let id = Id::parse(form.text("session")).ok_or_else(|| {
            refused(
                "The form does not say which session to end: start again from your account page.",
            )
        })?;
        let (who, from) = (signed_in, context.address);
        let end = context.write(move |tx, environment| who.end_session(tx, environment, id, from));
        end.await?;
        Ok(page::go_to("/account?done=session"))
    };
    either(answer.await)
}

/// `POST /account/sessions/end-others`
pub(super) async fn end_other_sessions(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, _, signed_in) = begin(&app, request, Action::Page).await?;
        let from = context.address;
        let end = context
            .write(move |tx, environment| signed_in.end_other_sessions(tx, environment, from));
        end.await?;
        Ok(page::go_to("/account?done=sessions"))
    };
    either(answer.await)
}

/// `POST /account/programs/disconnect`
pub(super) async fn disconnect(State(app): State<App>, request: Request) -> Response {
    let answer = async {
        let (context, form, signed_in) = begin(&app, request, Action::Page).await?;
        let id = Id::parse(form.text("program")).ok_or_else(|| {
            refused(
                "The form does not say which program to disconnect: start again from your account page.",
            )
        })?;
        let from = context.address;
        let end = context.write(move |tx, environment| {
            grants::revoke_own(tx, environment, &signed_in, id, from)
        });
        end.await?;
        Ok(page::go_to("/account?done=program"))
    };
    either(answer.await)
}
