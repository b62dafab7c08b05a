//! Mail: e-mail to people.

use std::future::Future;

#[cfg(feature = "mail")]
pub use ses::Ses;

/// One e-mail, of plain text: what is in it comes from other systems, and must not be able to be more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// One address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The rest.
    pub text: String,
}

/// Why an e-mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It may be later.
    #[error("{0}")]
    Later(String),
    /// It never will be.
    #[error("{0}")]
    Refused(String),
}

/// Somebody who sends e-mail.
pub trait Mail: Sync {
    /// Sends one.
    ///
    /// # Errors
    /// It was not taken.
    fn send(&self, email: &Email) -> impl Future<Output = Result<(), MailError>> + Send;
}

/// For a stack on somebody's machine: nobody sends e-mail there, it all lies in the inbox.
#[derive(Debug, Clone, Copy)]
pub struct NoMail;

impl Mail for NoMail {
    async fn send(&self, _: &Email) -> Result<(), MailError> {
        Err(MailError::Refused("this stack sends no e-mail".to_owned()))
    }
}

#[cfg(feature = "mail")]
mod ses {
    use std::sync::Arc;

    use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};

    use super::{Email, Mail, MailError};
    use crate::clients::Clients;
    use crate::error::StoreError;
    use crate::settings::Settings;

    /// Amazon SES.
    #[derive(Debug)]
    pub struct Ses {
        ses: aws_sdk_sesv2::Client,
        from: String,
    }

    impl Ses {
        /// Sends from the address that the settings name.
        pub fn new(clients: &Arc<Clients>, settings: &Settings) -> Self {
            Self { ses: aws_sdk_sesv2::Client::new(clients.config()), from: settings.mail_from.clone() }
        }
    }

    impl Mail for Ses {
        async fn send(&self, email: &Email) -> Result<(), MailError> {
            let refused = |why: String| MailError::Refused(why);
            if self.from.is_empty() {
                return Err(refused("no sender is set (parameter MailFrom)".to_owned()));
            }
            let content = |text: &str| Content::builder().data(text).charset("UTF-8").build();
            let invalid = |error: aws_sdk_sesv2::error::BuildError| refused(error.to_string());
            let text = content(&email.text).map_err(invalid)?;
            let message = Message::builder()
                .subject(content(&email.subject).map_err(invalid)?)
                .body(Body::builder().text(text).build());
            let send = self
                .ses
                .send_email()
                .from_email_address(&self.from)
                .destination(Destination::builder().to_addresses(&email.to).build())
                .content(EmailContent::builder().simple(message.build()).build());
            match send.send().await {
                Ok(_) => Ok(()),
                Err(error) => {
                    let error = StoreError::from_sdk("send an e-mail", error);
                    let why = error.to_string();
                    Err(if error.is_passing() { MailError::Later(why) } else { MailError::Refused(why) })
                }
            }
        }
    }
}
