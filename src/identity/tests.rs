use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::*;
use crate::account::history::ChangeContext;
use crate::account::{Application, Kind, Patch};
use crate::outbox::{Delivery, Notices, Outbox};
use crate::profile::ProfileLimits;
use crate::store::scratch::Scratch;

/// Sign-ins on a scratch database with its own keys, an account, and an application that it signs in through.
pub(super) struct Bench {
    pub(super) scratch: Scratch,
    pub(super) sign_ins: SignIns,
    pub(super) account: Account,
    application: Application,
}

impl Bench {
    pub(super) async fn new() -> Bench {
        let scratch = Scratch::new().await;
        let (store, keys, clock) = (scratch.store.clone(), scratch.keys.clone(), scratch.clock.clone());
        let outbox = Arc::new(Outbox::new(&scratch.config, Delivery::Mailbox).unwrap());
        let notices = Notices::new(store.clone(), keys.clone(), clock.clone(), outbox, Duration::ZERO);
        let profiles =
            Profiles::new(store.clone(), keys.clone(), clock.clone(), notices, ProfileLimits::new(&scratch.config));
        let issuer = Issuer::start(store.clone(), clock.clone(), scratch.master.clone(), &scratch.config.issuer);
        let public_url = PublicUrl::new("https://profile.example.com".to_owned());
        let issuer = issuer.await.unwrap();
        let authenticator =
            Authenticator::new(store, keys, clock, issuer, profiles.clone(), public_url, &scratch.config).unwrap();
        let tenant = scratch.tenant().await;
        let draft = profiles.draft(&tenant).await.unwrap();
        let account = profiles.create(draft, &Patch::default(), None, &ChangeContext::operator()).await.unwrap();
        let application = Application {
            id: "app".to_owned(),
            tenant_id: tenant.id,
            name: "App".to_owned(),
            kind: Kind::Web,
            grants: Kind::Web.grants(),
            claims: Vec::new(),
            writes: None,
            origins: Vec::new(),
            auto_signup: false,
            token_lifetime: Application::TOKEN_LIFETIME,
            secret_hash: None,
            created_at: tenant.created_at,
            updated_at: tenant.created_at,
        };
        scratch.store.add_application(&application).await.unwrap();
        Bench { sign_ins: authenticator.sign_ins(&scratch.config.issuer), scratch, account, application }
    }

    async fn begin(&self) -> sign_in::Tokens {
        self.sign_ins.begin(&self.application, self.account.id).await.unwrap()
    }

    async fn refresh(&self, tokens: &sign_in::Tokens) -> Result<sign_in::Tokens, Error> {
        self.sign_ins.refresh(&self.application, tokens.refresh_token.as_deref().unwrap()).await
    }
}

#[tokio::test]
async fn a_refresh_token_yields_one_more_set_and_its_reuse_after_the_grace_period_ends_the_sign_in() {
    let bench = Bench::new().await;
    let first = bench.begin().await;
    let second = bench.refresh(&first).await.unwrap();
    assert_ne!(second.access_token, first.access_token);
    bench.scratch.pass(bench.scratch.config.issuer.refresh_grace_period);
    assert!(bench.refresh(&first).await.is_err(), "a spent token was accepted");
    assert!(bench.refresh(&second).await.is_err(), "a token of the ended sign-in was accepted");
}

#[tokio::test]
async fn a_refresh_token_expires_after_its_lifetime() {
    let bench = Bench::new().await;
    let first = bench.begin().await;
    bench.scratch.pass(sign_in::REFRESH_LIFETIME.unsigned_abs());
    assert!(bench.refresh(&first).await.is_err());
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_sign_in() {
    let bench = Bench::new().await;
    let first = bench.begin().await;
    let token = first.refresh_token.clone().unwrap();
    bench.sign_ins.revoke(&bench.application, &token).await.unwrap();
    assert!(bench.refresh(&first).await.is_err());
}

#[tokio::test]
async fn without_a_grace_period_no_second_use_succeeds_even_if_its_clock_is_behind() {
    let mut bench = Bench::new().await;
    bench.sign_ins.refresh_grace_period = SignedDuration::ZERO;
    let first = bench.begin().await;
    bench.refresh(&first).await.unwrap();
    let Clock::Hand(hand) = &bench.scratch.clock else { panic!("the clock is set by hand") };
    hand.fetch_sub(1_000_000, Ordering::SeqCst);
    assert!(bench.refresh(&first).await.is_err());
}
