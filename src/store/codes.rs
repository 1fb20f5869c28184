use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::statement::{Part, Statement, insert, select, statement};
use super::table::{Columns, values};
use super::tables::{ONE_TIME_CODE as CODE, SENT_CODE};
use super::value::{Parameter, Row, always, computed, parameters};
use super::{Query, Store, used_codes};
use crate::account::{CodeFault, Error, Medium};
use crate::keys::KeyedHash;

/// Counts a sent code unless the limit forbids it; ?3 is one day ago, ?4 one interval ago, ?5 the most in a day.
const COUNT_SENDING: Statement = statement!(
    "INSERT INTO sent_code (recipient, last_at, day_began_at, count) VALUES (?1, ?2, ?2, 1) \
     ON CONFLICT (recipient) DO UPDATE SET last_at = excluded.last_at, \
     day_began_at = CASE WHEN sent_code.day_began_at <= ?3 THEN excluded.day_began_at ELSE sent_code.day_began_at END, \
     count = CASE WHEN sent_code.day_began_at <= ?3 THEN 1 ELSE sent_code.count + 1 END \
     WHERE sent_code.last_at <= ?4 AND (sent_code.day_began_at <= ?3 OR sent_code.count < ?5)"
);
const SENT: Statement = select!(SENT_CODE, "WHERE recipient = ?1");
const END_INTERVAL: Statement = statement!("UPDATE sent_code SET last_at = ?3 WHERE recipient = ?1 AND last_at = ?2");
const PUT: Statement = insert!(
    CODE,
    " ON CONFLICT (slot) DO UPDATE SET older_id = one_time_code.id, older_token = one_time_code.token, \
     older_binding = one_time_code.binding, older_code = one_time_code.code, older_tries = one_time_code.tries, \
     older_code_expires_at = one_time_code.code_expires_at, older_contact = one_time_code.contact, id = excluded.id, \
     token = excluded.token, binding = excluded.binding, code = excluded.code, tries = excluded.tries, \
     code_expires_at = excluded.code_expires_at, expires_at = excluded.expires_at, contact = excluded.contact"
);
/// A code without the address that it was sent to, stored before there was a column for it, proves nothing.
const NEWEST_FITS: Part =
    Part::Text("token = ?2 AND binding = ?3 AND expires_at > ?4 AND contact IS NOT NULL AND tries");
/// The token of the code before the newest is valid no longer than the code.
const OLDER_FITS: Part = Part::Text(
    "older_token = ?2 AND older_binding = ?3 AND older_code_expires_at > ?4 AND older_contact IS NOT NULL \
     AND older_tries",
);
/// A try counts for both codes of the slot. Each counts those since it was sent, so no sending restores a try.
const COUNT_TRY: Statement = statement!(
    "UPDATE one_time_code SET tries = tries + 1, older_tries = older_tries + 1 WHERE slot = ?1 AND (",
    { NEWEST_FITS },
    " < ?5 OR ",
    { OLDER_FITS },
    " < ?5) RETURNING ",
    { Part::Names(CODE.table()) },
    ", (",
    { NEWEST_FITS },
    " <= ?5) IS TRUE, (",
    { OLDER_FITS },
    " <= ?5) IS TRUE"
);
const CAN_TRY: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM one_time_code WHERE slot = ?1 AND (",
    { NEWEST_FITS },
    " < ?5 OR ",
    { OLDER_FITS },
    " < ?5))"
);
const OUTSTANDING: Statement = statement!(
    "SELECT EXISTS (SELECT 1 FROM one_time_code WHERE \
     token = ?1 AND expires_at > ?2 AND tries < ?3 AND contact IS NOT NULL OR \
     older_token = ?1 AND older_code_expires_at > ?2 AND older_tries < ?3 AND older_contact IS NOT NULL)"
);
/// Uses up both codes of the slot, if one of them has the identifier.
const USE: Statement = statement!("DELETE FROM one_time_code WHERE slot = ?1 AND (id = ?2 OR older_id = ?2)");
const FORGET: Statement = statement!("DELETE FROM one_time_code WHERE expires_at <= ?1");
/// After a failed delivery a sending has no time, but counts for the day.
const FORGET_SENDINGS: Statement = statement!("DELETE FROM sent_code WHERE last_at <= ?1 AND day_began_at <= ?1");

/// Identifies a sent code: the slot it is stored in, and which of the codes of that slot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeId {
    /// The keyed hash of its slot, which has the newest code and the one before it.
    pub slot: KeyedHash,
    /// New for every code.
    pub id: Uuid,
}

/// A sent code as it is stored; no part of it can be read.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// Its slot and identifier.
    pub code_id: CodeId,
    /// The keyed hash of the token that must come back with it.
    pub token: KeyedHash,
    /// The keyed hash of every other parameter that must be unchanged when it comes back.
    pub binding: KeyedHash,
    /// The keyed hash of the code.
    pub code: KeyedHash,
    /// When the code expires.
    pub code_expires_at: Timestamp,
    /// When the token expires, and the row can be deleted.
    pub expires_at: Timestamp,
    /// The address that it was sent to, sealed.
    pub contact: Vec<u8>,
}

/// The stored values of a code that a counted attempt is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCode {
    /// Which code it is.
    pub id: Uuid,
    /// The keyed hash of the code.
    pub code: KeyedHash,
    /// When the code expires.
    pub code_expires_at: Timestamp,
    /// The address that it was sent to, sealed.
    pub contact: Vec<u8>,
}

/// How often codes may be sent to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct SendingLimit {
    /// Another code may be sent if the last one was sent at or before this.
    pub last_until: Timestamp,
    /// A day that began at or before this is over.
    pub day_until: Timestamp,
    /// The most codes in a day.
    pub a_day: i64,
}

/// What was counted for a recipient.
struct SentCodes {
    last_at: Timestamp,
    day_began_at: Timestamp,
    count: i64,
}

impl SendingLimit {
    /// Returns the time until another code may be sent.
    fn wait(&self, sent: &SentCodes) -> Duration {
        let since = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
        let of_interval = since(self.last_until, sent.last_at);
        match sent.count >= self.a_day {
            true => of_interval.max(since(self.day_until, sent.day_began_at)),
            false => of_interval,
        }
    }
}

fn sent(row: &dyn Row) -> Result<SentCodes, Error> {
    let record = SENT_CODE.at(row, 0);
    Ok(SentCodes {
        last_at: record.get(SENT_CODE.last_at)?,
        day_began_at: record.get(SENT_CODE.day_began_at)?,
        count: record.get(SENT_CODE.count)?,
    })
}

impl Store {
    /// Counts a code sent over a medium for several recipients, in one transaction. [`CodeFault::TooOften`] when the limit of
    /// one of them forbids it, with the time until all of them would allow it; then it counts for none.
    ///
    /// Recipients of one kind must have the same position in every call, so that no two calls wait for each other.
    pub async fn count_sending(
        &self,
        medium: Medium,
        now: Timestamp,
        recipients: &[(KeyedHash, SendingLimit)],
    ) -> Result<(), Error> {
        let count = |(recipient, limit): &(KeyedHash, SendingLimit)| {
            (COUNT_SENDING, parameters![*recipient, now, limit.day_until, limit.last_until, limit.a_day])
        };
        let refused = move |wait| Error::Code(CodeFault::TooOften { medium, wait });
        let accept = move |touched: &[u64]| match touched.iter().all(|touched| *touched == 1) {
            true => Ok(()),
            false => Err(refused(Duration::ZERO)),
        };
        match self.execute_if(recipients.iter().map(count).collect(), accept).await {
            Err(Error::Code(CodeFault::TooOften { .. })) => Err(refused(self.wait(recipients).await?)),
            counted => counted.map(drop),
        }
    }

    /// Returns the time until recipients may be sent a code, but at least a second: between two statements a limit may have ended.
    async fn wait(&self, recipients: &[(KeyedHash, SendingLimit)]) -> Result<Duration, Error> {
        let mut longest = Duration::from_secs(1);
        for (recipient, limit) in recipients {
            if let Some(sent) = self.find(SENT, parameters![*recipient], sent).await? {
                longest = longest.max(limit.wait(&sent));
            }
        }
        Ok(longest)
    }

    /// Permits the next code at once, because the sending that was counted at `now` failed. It still counts for the day.
    pub async fn end_sending_interval(&self, recipient: KeyedHash, now: Timestamp) -> Result<(), Error> {
        let bound = parameters![recipient, now, Timestamp::UNIX_EPOCH];
        self.execute(vec![(END_INTERVAL, bound)]).await.map(drop)
    }

    /// Stores a sent code. Of the older codes in its slot, only the newest stays valid.
    pub async fn put_code(&self, sent: &NewCode) -> Result<(), Error> {
        let code = values!(CODE {
            slot: sent.code_id.slot,
            id: sent.code_id.id,
            token: sent.token,
            binding: sent.binding,
            code: sent.code,
            tries: 0,
            code_expires_at: sent.code_expires_at,
            expires_at: sent.expires_at,
            contact: sent.contact.clone(),
            older_id: Parameter::Null,
            older_token: Parameter::Null,
            older_binding: Parameter::Null,
            older_code: Parameter::Null,
            older_tries: Parameter::Null,
            older_code_expires_at: Parameter::Null,
            older_contact: Parameter::Null,
        });
        self.execute(vec![(PUT, code)]).await.map(drop)
    }

    /// Counts an attempt, durably and before any comparison, and returns what to compare with: at most two codes, the newest
    /// first. It counts for both codes of the slot. Returns nothing when there is nothing to try: no such code, expired, a
    /// different token or binding, or all `tries` are used up.
    pub async fn count_try(
        &self,
        slot: KeyedHash,
        token: KeyedHash,
        binding: KeyedHash,
        now: Timestamp,
        tries: i64,
    ) -> Result<Vec<StoredCode>, Error> {
        let counted = self.write(COUNT_TRY, parameters![slot, token, binding, now, tries], tried).await?;
        Ok(counted.into_iter().next().unwrap_or_default())
    }

    /// Checks whether [`Store::count_try`] would return anything, and counts nothing.
    pub async fn can_try(
        &self,
        slot: KeyedHash,
        token: KeyedHash,
        binding: KeyedHash,
        now: Timestamp,
        tries: i64,
    ) -> Result<bool, Error> {
        self.find(CAN_TRY, parameters![slot, token, binding, now, tries], |row| computed(row, 0)).await.and_then(always)
    }

    /// Checks whether a code with this token can still be tried, whatever it is bound to.
    pub async fn is_code_outstanding(&self, token: KeyedHash, now: Timestamp, tries: i64) -> Result<bool, Error> {
        self.find(OUTSTANDING, parameters![token, now, tries], |row| computed(row, 0)).await.and_then(always)
    }

    /// Uses a code up, with the other one in its slot; [`CodeFault::Used`] when another request used one of them first, or
    /// newer codes replaced it.
    pub async fn use_code(&self, code_id: CodeId) -> Result<(), Error> {
        match self.execute(vec![using(code_id)]).await?[..] {
            [1] => Ok(()),
            _ => Err(Error::Code(CodeFault::Used)),
        }
    }

    /// Deletes expired codes, used or not, and the counts of recipients whose day began, and whose last code was sent, at or before
    /// `day_until`.
    pub async fn forget_codes(&self, now: Timestamp, day_until: Timestamp) -> Result<(), Error> {
        let forget = [(FORGET, now), (used_codes::FORGET, now), (FORGET_SENDINGS, day_until)]
            .map(|(which, at)| (which, parameters![at]));
        self.execute(forget.into()).await.map(drop)
    }
}

/// Reads which codes of a slot an attempt is compared with.
fn tried(row: &dyn Row) -> Result<Vec<StoredCode>, Error> {
    let (record, width) = (CODE.at(row, 0), CODE.table().width());
    let mut codes = Vec::with_capacity(2);
    if computed(row, width)? {
        codes.push(StoredCode {
            id: record.get(CODE.id)?,
            code: record.get(CODE.code)?,
            code_expires_at: record.get(CODE.code_expires_at)?,
            contact: always(record.get(CODE.contact)?)?,
        });
    }
    if computed(row, width + 1)? {
        codes.push(StoredCode {
            id: always(record.get(CODE.older_id)?)?,
            code: always(record.get(CODE.older_code)?)?,
            code_expires_at: always(record.get(CODE.older_code_expires_at)?)?,
            contact: always(record.get(CODE.older_contact)?)?,
        });
    }
    Ok(codes)
}

/// Returns the query that uses a code up; it must touch one row.
pub(super) fn using(code_id: CodeId) -> Query {
    (USE, parameters![code_id.slot, code_id.id]).into()
}

/// The statements that [`Store::check`] prepares.
pub(super) const ALL: &[Statement] =
    &[COUNT_SENDING, SENT, END_INTERVAL, PUT, COUNT_TRY, CAN_TRY, OUTSTANDING, USE, FORGET, FORGET_SENDINGS];
