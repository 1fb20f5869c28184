use super::{Profiles, record};
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Error, Patch, Tenant};
use crate::code::Proof;
use crate::store::{Effect, Link, Update};

impl Profiles {
    /// An account of a tenant that is not stored yet, with an identifier and a number of its own.
    pub async fn draft(&self, tenant: &Tenant) -> Result<Account, Error> {
        let number = self.store.next_account_number().await?;
        Ok(Account::new(AccountId(self.clock.new_id()), number, None, tenant, self.clock.now()))
    }

    /// Adds an account with what a patch makes of it and the first entry of its history; [`Error::Taken`] when another account
    /// holds what it would hold.
    pub async fn create(
        &self,
        account: Account,
        patch: &Patch,
        link: Option<&Link>,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        self.create_with(account, patch, link, Vec::new(), context).await
    }

    /// The same for somebody who has proved an address: it is set, verified, and its code is used up with the account, or there is
    /// none: [`CodeFault::Used`](crate::account::CodeFault::Used).
    pub async fn create_proved(
        &self,
        account: Account,
        mut patch: Patch,
        proof: &Proof,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        patch.prove(proof.contact());
        let uses = vec![Effect::UseCode(proof.code_id())];
        self.create_with(account, &patch, None, uses, context).await
    }

    async fn create_with(
        &self,
        mut account: Account,
        patch: &Patch,
        link: Option<&Link>,
        effects: Vec<Effect>,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        let (created_at, updated_at) = (account.created_at, account.updated_at);
        let mut patch = patch.clone();
        self.look_up(account.tenant_id, &mut patch).await?;
        let before = account.clone();
        let changes = account.apply(&patch, updated_at)?;
        record::check_schema(&before, &account, &patch, context)?;
        account.version = 1;
        (account.created_at, account.updated_at) = (created_at, updated_at);
        let entry = self.entry(&mut account, &changes, context);
        let claim = record::unique_keys(&self.keys, &account);
        let update = Update { account, entry, release: Vec::new(), claim, nonce: None, effects };
        self.store.add_account(&update, link).await?;
        Ok(update.account)
    }
}
