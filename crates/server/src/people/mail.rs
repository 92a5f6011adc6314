//! Invitations by mail, where a mail server is set.
//!
//! Source: RFC 5321; TLS by `smtps://`, or by STARTTLS with `smtp://…?tls=required`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Address, Transport};

/// How long the mail server may take for each step.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends mail; cloning gives another handle to the same.
#[derive(Clone)]
pub struct Mailer(Arc<Post>);

struct Post {
    transport: SmtpTransport,
    from: Mailbox,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mailer(…)")
    }
}

/// An invitation on its way.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The name of whom it is for.
    pub name: String,
    /// The e-mail address of whom it is for.
    pub email: String,
    /// The name of the business.
    pub business: String,
    /// The link that is followed to accept it.
    pub link: String,
}

/// Why a mail was not sent; without whom it was for.
#[derive(Debug)]
pub struct Unsent(String);

impl fmt::Display for Unsent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unsent {}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        // What the mail server answers may repeat the address.
        let kind = match error.status() {
            Some(code) => format!("the mail server answered {code}"),
            None if error.is_timeout() => "the mail server took too long".to_owned(),
            None if error.is_tls() => "the mail server's TLS failed".to_owned(),
            None => "the mail server cannot be reached".to_owned(),
        };
        Self(kind)
    }
}

impl Mailer {
    /// Mail by the server at `url`, such as `smtps://user:password@mail.example.com`, from an address
    /// such as `Zoop <zoop@example.com>`.
    ///
    /// # Errors
    /// A sentence that says what to correct; it repeats neither.
    pub fn new(url: &str, from: &str) -> Result<Self, Unsent> {
        let unusable = |_| {
            Unsent(
                "mail.url is no mail server: write smtps://user:password@host or smtp://host"
                    .to_owned(),
            )
        };
        let transport = SmtpTransport::from_url(url).map_err(unusable)?;
        let transport = transport.timeout(Some(PATIENCE)).build();
        let from = from.parse::<Mailbox>().map_err(|_| {
            Unsent("mail.from is no address: write Zoop <zoop@example.com>".to_owned())
        })?;
        Ok(Self(Arc::new(Post { transport, from })))
    }

    /// Connects to the mail server and signs in, and sends nothing.
    ///
    /// # Errors
    /// Why it would take no mail now.
    pub fn reach(&self) -> Result<(), Unsent> {
        if self.0.transport.test_connection()? {
            Ok(())
        } else {
            Err(Unsent("the mail server closes the connection".to_owned()))
        }
    }

    /// Sends an invitation, and waits until the mail server has taken it.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn send(&self, invitation: &Invitation) -> Result<(), Unsent> {
        let Invitation { name, email, business, link } = invitation;
        let address: Address =
            email.parse().map_err(|_| Unsent("the address is none for mail".to_owned()))?;
        let text = format!(
            "Hello {name},\n\nyou are invited to join {business} on Zoop. Follow this link within \
             seven days:\n\n{link}\n\nIt works once. If you do not know {business}, do nothing.\n"
        );
        let message = Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(Some(name.clone()), address))
            .subject(format!("Join {business} on Zoop"))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|_| Unsent("the mail could not be written".to_owned()))?;
        self.0.transport.send(&message)?;
        Ok(())
    }
}
