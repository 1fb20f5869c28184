use std::sync::Arc;

use super::Profiles;
use crate::account::history::ChangeContext;
use crate::account::{Account, AccountId, Edit, Error, Fault, Field, Patch, Picture, Rule};
use crate::code::Proof;
use crate::store::{Commit, Effect, MakeUpdate, Nonce};

impl Profiles {
    /// Changes an account and returns it as it is afterwards; a patch that changes nothing writes nothing.
    ///
    /// `permitted` is called with the account as it is when the change is made, which may be later than when the request
    /// was authorised: an account that was suspended in between is not changed.
    pub async fn update(
        &self,
        account: Account,
        patch: Patch,
        context: ChangeContext,
        permitted: fn(&Account) -> Result<(), Error>,
    ) -> Result<Account, Error> {
        self.update_proved(account, patch, Vec::new(), context, permitted).await
    }

    /// Does the same as [`Profiles::update`], and stores the proved addresses as verified. Their codes are used up in the
    /// same transaction. Fails with [`CodeFault::Used`](crate::account::CodeFault::Used) when a code was used in the
    /// meantime, and with [`Error::Taken`] when another account of the tenant has verified the address.
    pub async fn update_proved(
        &self,
        account: Account,
        mut patch: Patch,
        proofs: Vec<Proof>,
        context: ChangeContext,
        permitted: fn(&Account) -> Result<(), Error>,
    ) -> Result<Account, Error> {
        for proof in &proofs {
            patch.prove(proof.contact());
        }
        let uses: Vec<Effect> = proofs.iter().flat_map(Proof::effects).collect();
        let Commit { account, changed, .. } =
            self.update_with(account, patch, uses.clone(), None, context, permitted).await?;
        if !changed {
            // Nothing changed, but the codes are used up all the same.
            self.store.bring_about(uses).await?;
        }
        Ok(account)
    }

    /// Does the same as [`Profiles::update`] for a message that is accepted once: its nonce is used up with the change, or
    /// alone when nothing changes. A nonce that was used before changes nothing, and fails like a message that does not
    /// decrypt.
    pub async fn update_once(
        &self,
        account: Account,
        patch: Patch,
        nonce: Nonce,
        context: ChangeContext,
        permitted: fn(&Account) -> Result<(), Error>,
    ) -> Result<Account, Error> {
        let once = Some(nonce.clone());
        let Commit { account, changed, .. } =
            self.update_with(account, patch, Vec::new(), once, context, permitted).await?;
        if !changed {
            self.store.use_nonce(&nonce).await?;
        }
        Ok(account)
    }

    /// Refuses a stored picture that another account has. Contracts set only those that they have just stored; operators
    /// can name any.
    pub(super) async fn check_picture(&self, account: AccountId, patch: &Patch) -> Result<(), Error> {
        let field = Field::Picture;
        if let Edit::Set(text) = patch.edit_of(field)
            && let Some(Picture::Stored { name, .. }) = Picture::of(text.as_str())
            && self.store.is_picture_of_another(account, name).await?
        {
            let rule = Rule::ForeignPicture;
            return Err(Error::Fields(vec![Fault { field: field.name().into(), rule }]));
        }
        Ok(())
    }

    /// Changes an account together with further effects: codes to use up, the nonce of an encrypted body.
    async fn update_with(
        &self,
        account: Account,
        mut patch: Patch,
        uses: Vec<Effect>,
        nonce: Option<Nonce>,
        context: ChangeContext,
        permitted: fn(&Account) -> Result<(), Error>,
    ) -> Result<Commit, Error> {
        self.look_up(account.tenant_id, &mut patch).await?;
        self.check_picture(account.id, &patch).await?;
        let attempt: MakeUpdate = {
            let profiles = self.clone();
            Arc::new(move |current| {
                permitted(current)?;
                let mut update = profiles.change(current, &patch, &context)?;
                if let Some(update) = &mut update {
                    update.effects.extend(uses.iter().cloned());
                    update.nonce.clone_from(&nonce);
                }
                Ok(update)
            })
        };
        let commit = self.store.commit(account, attempt).await?;
        if commit.notifies {
            self.notices.wake();
        }
        Ok(commit)
    }
}
