use super::{Profiles, record};
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Error, Patch, Tenant};
use crate::code::Proof;
use crate::store::{Effect, Link, Update};

impl Profiles {
    /// Returns a new account of a tenant, not stored yet, with its own identifier and number.
    pub async fn draft(&self, tenant: &Tenant) -> Result<Account, Error> {
        let number = self.store.next_account_number().await?;
        Ok(Account::new(AccountId(self.clock.new_id()), number, None, tenant, self.clock.now()))
    }

    /// Adds an account, changed by a patch, with the first entry of its history. Fails with [`Error::Taken`] when another
    /// account has one of its unique keys, and with [`Error::Fields`] when another account has the stored picture.
    pub async fn create(
        &self,
        account: Account,
        patch: &Patch,
        link: Option<&Link>,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        self.create_with(account, patch, link, Vec::new(), context).await
    }

    /// Creates an account with a proved address: stores it as verified, and uses its code up in the same transaction. Creates
    /// no account and fails with [`CodeFault::Used`](crate::account::CodeFault::Used) when the code was used in the meantime.
    pub async fn create_proved(
        &self,
        account: Account,
        mut patch: Patch,
        proof: &Proof,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        patch.prove(proof.contact());
        let uses = proof.effects();
        self.create_with(account, &patch, None, uses, context).await
    }

    async fn create_with(
        &self,
        mut account: Account,
        patch: &Patch,
        link: Option<&Link>,
        mut effects: Vec<Effect>,
        context: &ChangeContext,
    ) -> Result<Account, Error> {
        let (created_at, updated_at) = (account.created_at, account.updated_at);
        let mut patch = patch.clone();
        self.look_up(account.tenant_id, &mut patch).await?;
        self.check_picture(account.id, &patch).await?;
        let before = account.clone();
        let changes = account.apply(&patch, updated_at)?;
        record::check_schema(&before, &account, &patch, context)?;
        account.version = 1;
        (account.created_at, account.updated_at) = (created_at, updated_at);
        let entry = self.entry(&mut account, &changes, context);
        effects.extend(record::pictures(&before, &account, self.limits.replaced_pictures));
        let claim = record::unique_keys(&self.keys, &account);
        let update = Update { account, entry, release: Vec::new(), claim, nonce: None, effects };
        self.store.add_account(&update, link).await?;
        Ok(update.account)
    }
}
