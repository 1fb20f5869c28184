use super::{Profiles, record};
use crate::account::history::ChangeContext;
use crate::account::{Account, Error, Patch};
use crate::store::{Identity, ImportedAccount, Link, Update};

impl Profiles {
    /// Makes an account ready that comes from elsewhere: what a patch makes of it, with the times that it brings, and a
    /// history that begins now, with one entry by the system. [`Store::add_accounts`](crate::store::Store::add_accounts) adds it.
    pub fn import_account(
        &self,
        mut account: Account,
        patch: &Patch,
        identities: Vec<Identity>,
    ) -> Result<ImportedAccount, Error> {
        let updated_at = account.updated_at;
        let changes = account.apply(patch, updated_at)?;
        account.version = 1;
        // The entry tells when it was made, the account when its person last changed it, elsewhere.
        account.updated_at = self.clock.now();
        let entry = self.entry(&mut account, &changes, &ChangeContext::import());
        account.updated_at = updated_at;
        let links = identities.into_iter().map(|identity| Link { key: self.keys.subject(&identity.subject), identity });
        let claim = record::unique_keys(&self.keys, &account);
        let update = Update { account, entry, release: Vec::new(), claim, nonce: None, effects: Vec::new() };
        Ok(ImportedAccount { update, links: links.collect() })
    }
}
