//! Mail, if a mail server is set: invitations, and password reset links.
//!
//! Source: RFC 5321; TLS by `smtps://`, or by STARTTLS with `smtp://…?tls=required`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Address, Transport};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zoop_crm::values::clock::Entropy;

/// How long the mail server may take for each step.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Mails that the pages send at the same time.
const AT_ONCE: usize = 4;
/// The longest name that a mail greets, in characters.
const NAME_CHARACTERS: usize = 40;
/// How much of a business's name a mail shows, in characters.
const BUSINESS_CHARACTERS: usize = 60;

/// Sends mail; a clone is another handle to the same mailer.
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
    /// The link to accept it.
    pub link: String,
}

/// Why a mail was not sent, without the recipient.
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
    /// Mail by the server at `url`, such as `smtps://user:password@mail.example.com`, from an address
    /// such as `Zoop <zoop@example.com>`.
    ///
    /// # Errors
    /// A sentence that says what to correct, without repeating either.
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
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        Ok(Self(Arc::new(Post { transport, from, permits })))
    }

    /// Permission to send one more mail now, if there are not too many in progress.
    pub(crate) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.permits.clone().try_acquire_owned().ok()
    }

    /// Connects to the mail server and signs in, without sending anything.
    ///
    /// # Errors
    /// Why it would accept no mail at the moment.
    pub fn reach(&self) -> Result<(), Unsent> {
        if self.0.transport.test_connection()? {
            Ok(())
        } else {
            Err(Unsent("the mail server closes the connection".to_owned()))
        }
    }

    /// Sends an invitation, and waits until the mail server has accepted it.
    ///
    /// # Errors
    /// Why it was not accepted.
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

    /// Sends a password reset link, and waits until the mail server has accepted it.
    ///
    /// # Errors
    /// Why it was not accepted.
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
                          ignore this message: your password stays as it is.",
            },
        )
    }

    fn post(&self, email: &str, letter: &Letter<'_>) -> Result<(), Unsent> {
        let address: Address =
            email.parse().map_err(|_| Unsent("the address cannot be used for mail".to_owned()))?;
        let unwritten = || Unsent("the mail could not be written".to_owned());
        let html = letter.render().map_err(|_| unwritten())?;
        let random = Entropy::from_system().map_err(|_| unwritten())?.bits();
        let domain = self.0.from.email.domain();
        let message = Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(None, address))
            .message_id(Some(format!("<{random:032x}@{domain}>")))
            .date_now()
            .subject(letter.subject)
            .multipart(MultiPart::alternative_plain_html(letter.plain(), html))
            .map_err(|_| unwritten())?;
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

/// A greeting by name, if the name looks like one: it was typed by the inviter, and the recipient may not
/// know them.
fn greeting(name: &str) -> String {
    let is_of_a_name = |c: char| c.is_alphabetic() || " '’-".contains(c);
    if name.chars().count() <= NAME_CHARACTERS && name.chars().all(is_of_a_name) {
        format!("Hello {name},")
    } else {
        "Hello,".to_owned()
    }
}

/// A business's name, shortened for a mail.
fn shortened(business: &str) -> String {
    let mut shortened: String = business.chars().take(BUSINESS_CHARACTERS).collect();
    if shortened.len() < business.len() {
        shortened.push('…');
    }
    shortened
}
