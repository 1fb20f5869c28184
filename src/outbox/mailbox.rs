//! A mailbox inside the server, for `dev`: whoever tries things out reads here what people would get.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::Message;

/// Messages that are kept; older ones go.
const KEPT: usize = 200;

/// The newest messages; clones share them.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    last_id: u64,
    /// The newest first.
    mails: VecDeque<Mail>,
}

/// A message as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// Counts from 1.
    pub id: u64,
    /// `email` or `sms`.
    #[serde(rename = "channel")]
    pub medium: &'static str,
    /// To whom.
    pub to: String,
    /// The subject, if it has one.
    pub subject: Option<String>,
    /// What it says.
    pub text: String,
    /// The same as a page, if there is one.
    pub html: Option<String>,
    /// When it was delivered.
    pub at: Timestamp,
}

impl Mailbox {
    /// Puts a message in.
    pub(super) fn put(&self, message: &Message, at: Timestamp) {
        let Message { medium, to, subject, text, html } = message.clone();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last_id += 1;
        let mail = Mail { id: kept.last_id, medium: medium.name(), to, subject, text, html, at };
        kept.mails.push_front(mail);
        kept.mails.truncate(KEPT);
    }

    /// Everything in it, the newest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mails.iter().cloned().collect()
    }
}
