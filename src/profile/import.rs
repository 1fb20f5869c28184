use super::{Profiles, record};
use crate::account::history::ChangeContext;
use crate::account::{Account, Error, Patch};
use crate::store::{Identity, ImportedAccount, Link, Update};

impl Profiles {
    /// Prepares an account from another system for import: applies a patch, keeps the account's own times, and begins its
    /// history now, with one entry by the system. [`Store::add_accounts`](crate::store::Store::add_accounts) adds it.
    pub fn import_account(
        &self,
        mut account: Account,
        patch: &Patch,
        identities: Vec<Identity>,
    ) -> Result<ImportedAccount, Error> {
        let updated_at = account.updated_at;
        let changes = account.apply(patch, updated_at)?;
        account.version = 1;
        // The entry is dated now; the account keeps the time of its last change in the other system.
        account.updated_at = self.clock.now();
        let entry = self.entry(&mut account, &changes, &ChangeContext::import());
        account.updated_at = updated_at;
        let links = identities.into_iter().map(|identity| Link { key: self.keys.subject(&identity.subject), identity });
        let claim = record::unique_keys(&self.keys, &account);
        let update = Update { account, entry, release: Vec::new(), claim, nonce: None, effects: Vec::new() };
        Ok(ImportedAccount { update, links: links.collect() })
    }
}
