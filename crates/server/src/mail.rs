//! Mail, if a mail server is configured: invitations, password reset links, and new e-mail addresses.
//!
//! `smtps://` connects with TLS; `smtp://…?tls=required` switches to TLS with STARTTLS.
//!
//! Source: RFC 5321.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Address, Transport};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zoop_crm::values::clock::Entropy;

/// How long each step of the exchange with the mail server may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of mails that the pages send at once.
const MAX_CONCURRENT: usize = 4;
/// The maximum length of a name in a mail's greeting, in characters. A longer name is left out.
const MAX_GREETED_NAME: usize = 40;
/// The length to which a mail shortens a business's name, in characters.
const MAX_SHOWN_BUSINESS_NAME: usize = 60;

/// Sends mail. A clone is another handle to the same mailer.
#[derive(Clone)]
pub struct Mailer(Arc<Post>);

struct Post {
    transport: SmtpTransport,
    from: Mailbox,
    permits: Arc<Semaphore>,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mailer(…)")
    }
}

/// An invitation to send.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The recipient's name.
    pub name: String,
    /// The recipient's e-mail address.
    pub email: String,
    /// The name of the business.
    pub business: String,
    /// The link with which the recipient accepts.
    pub link: String,
}

/// Why a mail was not sent. It never contains the recipient's address.
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
        // The mail server's answer may repeat the address.
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
    /// A mailer that uses the mail server at `url`, such as `smtps://user:password@mail.example.com`, and sends
    /// from an address such as `Zoop <zoop@example.com>`.
    ///
    /// # Errors
    /// If `url` or `from` is invalid. The error says what to correct, and does not repeat the invalid value.
    pub fn new(url: &str, from: &str) -> Result<Self, Unsent> {
        let unusable = |_| {
            Unsent(
                "mail.url is not a mail server: write smtps://user:password@host or smtp://host"
                    .to_owned(),
            )
        };
        let transport = SmtpTransport::from_url(url).map_err(unusable)?;
        let transport = transport.timeout(Some(TIMEOUT)).build();
        let from = from.parse::<Mailbox>().map_err(|_| {
            Unsent("mail.from is not an address: write Zoop <zoop@example.com>".to_owned())
        })?;
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT));
        Ok(Self(Arc::new(Post { transport, from, permits })))
    }

    /// A permit to send one mail now; `None` if the maximum number of mails is being sent.
    pub(crate) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.permits.clone().try_acquire_owned().ok()
    }

    /// A permit to send one mail, as soon as fewer than the maximum number of mails is being sent. It is never `None`,
    /// because nobody closes the semaphore.
    pub(crate) async fn next_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.permits.clone().acquire_owned().await.ok()
    }

    /// Connects to the mail server and signs in, without sending anything.
    ///
    /// # Errors
    /// If the mail server would accept no mail at the moment.
    pub fn reach(&self) -> Result<(), Unsent> {
        if self.0.transport.test_connection()? {
            Ok(())
        } else {
            Err(Unsent("the mail server closes the connection".to_owned()))
        }
    }

    /// Sends an invitation, and waits until the mail server has accepted the mail.
    ///
    /// # Errors
    /// If the mail server did not accept it.
    pub fn send(&self, invitation: &Invitation) -> Result<(), Unsent> {
        let Invitation { name, email, business, link } = invitation;
        let business = shortened(business);
        self.post(
            email,
            &Letter {
                subject: &format!("Join {business} on Zoop"),
                greeting: &greeting(name),
                text: &format!(
                    "You have been invited to join {business} on Zoop. Use this link to accept:"
                ),
                link,
                label: "Accept the invitation",
                closing: "The link works once and for seven days. If you do not know this business, \
                          you can ignore this message.",
            },
        )
    }

    /// Sends a password reset link, and waits until the mail server has accepted the mail.
    ///
    /// # Errors
    /// If the mail server did not accept it.
    pub(crate) fn send_password_link(&self, email: &str, link: &str) -> Result<(), Unsent> {
        self.post(
            email,
            &Letter {
                subject: "Choose a new password for Zoop",
                greeting: "Hello,",
                text: "Someone asked for a new password for this e-mail address. Use this link to \
                       choose one:",
                link,
                label: "Choose a new password",
                closing: "The link works once and for 30 minutes. If you did not ask for it, you can \
                          ignore this message: your password will not change.",
            },
        )
    }

    /// Sends the link that confirms a new e-mail address, and waits until the mail server has accepted the mail.
    ///
    /// # Errors
    /// If the mail server did not accept it.
    pub(crate) fn send_email_link(&self, email: &str, link: &str) -> Result<(), Unsent> {
        self.post(
            email,
            &Letter {
                subject: "Confirm your e-mail address for Zoop",
                greeting: "Hello,",
                text: "Someone wants to sign in to their Zoop account with this e-mail address. If it \
                       was you, confirm it with this link, in the browser in which you asked for it:",
                link,
                label: "Confirm the e-mail address",
                closing: "The link works once and for 30 minutes. If it was not you, you can ignore \
                          this message.",
            },
        )
    }

    /// Tells the former e-mail address of an account that it has a new one, and waits until the mail server has
    /// accepted the mail.
    ///
    /// # Errors
    /// If the mail server did not accept it.
    pub(crate) fn send_email_changed(&self, email: &str, link: &str) -> Result<(), Unsent> {
        self.post(
            email,
            &Letter {
                subject: "Your e-mail address for Zoop was changed",
                greeting: "Hello,",
                text: "Your Zoop account has another e-mail address now, so you no longer sign in with \
                       this one:",
                link,
                label: "Open Zoop",
                closing: "If it was not you, ask an owner of your business at once, or whoever runs \
                          this server.",
            },
        )
    }

    fn post(&self, email: &str, letter: &Letter<'_>) -> Result<(), Unsent> {
        let address: Address =
            email.parse().map_err(|_| Unsent("the address cannot be used for mail".to_owned()))?;
        let not_created = || Unsent("the mail could not be created".to_owned());
        let html = letter.render().map_err(|_| not_created())?;
        let random = Entropy::from_system().map_err(|_| not_created())?.bits();
        let domain = self.0.from.email.domain();
        let message = Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(None, address))
            .message_id(Some(format!("<{random:032x}@{domain}>")))
            .date_now()
            .subject(letter.subject)
            .multipart(MultiPart::alternative_plain_html(letter.plain(), html))
            .map_err(|_| not_created())?;
        self.0.transport.send(&message)?;
        Ok(())
    }
}

/// A mail's text; the template renders it as HTML.
#[derive(Template)]
#[template(path = "mail.html")]
struct Letter<'a> {
    subject: &'a str,
    greeting: &'a str,
    text: &'a str,
    link: &'a str,
    /// The label of the link.
    label: &'a str,
    closing: &'a str,
}

impl Letter<'_> {
    fn plain(&self) -> String {
        let Self { greeting, text, link, closing, .. } = self;
        format!("{greeting}\n\n{text}\n\n{link}\n\n{closing}\n")
    }
}

/// A greeting. The name is left out if it does not look like one: the inviter, who may be a stranger, could have
/// typed anything.
fn greeting(name: &str) -> String {
    let is_name_char = |c: char| c.is_alphabetic() || " '’-".contains(c);
    if name.chars().count() <= MAX_GREETED_NAME && name.chars().all(is_name_char) {
        format!("Hello {name},")
    } else {
        "Hello,".to_owned()
    }
}

/// A business's name, shortened for a mail.
fn shortened(business: &str) -> String {
    let mut shortened: String = business.chars().take(MAX_SHOWN_BUSINESS_NAME).collect();
    if shortened.len() < business.len() {
        shortened.push('…');
    }
    shortened
}
