//! A link of a person to an account that is moved or removed while a token of that person is in use. The account that the
//! token last opened is remembered as the place to look first, and decides nothing.

use selfsame::account::{Field, Patch, Status};

use super::accounts::Creating;
use super::*;

impl World {
    /// Moves every link to an account.
    async fn move_links(&self, to: &Account) {
        let update = format!("UPDATE identity SET account_id = [{}]", to.id.0.simple());
        let database = self.server.database();
        database.execute(&database.in_dialect(&update)).await;
    }

    async fn remove_links(&self) {
        self.server.database().execute("DELETE FROM identity").await;
    }

    /// Reads the profile of a token that must be accepted, and returns its name.
    async fn name(&self, token: &str) -> String {
        let answer = self.read(token).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()["data"]["accountName"].as_str().unwrap_or_default().to_owned()
    }
}

on_both_databases!(
    async fn a_link_that_is_moved_takes_the_tokens_in_use_with_it(world: World) {
        let one = world.server.person(&[(Field::DisplayName, "One")]).await;
        let two = world.server.person(&[(Field::DisplayName, "Two")]).await;
        world.move_links(&one).await;
        let token = world.token();
        assert_eq!(world.name(&token).await, "One");
        assert_eq!(world.name(&token).await, "One");
        world.move_links(&two).await;
        assert_eq!(world.name(&token).await, "Two");
        assert_eq!(world.name(&token).await, "Two");
        world.move_links(&one).await;
        assert_eq!(world.name(&token).await, "One");
    }
);

on_both_databases!(
    async fn a_token_in_use_is_refused_once_its_link_is_removed(world: World) {
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        world.remove_links().await;
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
        link(&world.server, &world.alice, world.provider.issuer(), "alice").await;
        assert_eq!(world.read(&token).await.status, 200);
    }
);

on_both_databases!(
    async fn a_token_in_use_whose_link_is_removed_creates_an_account_as_a_first_request_does(creating: Creating) {
        let Creating(world) = creating;
        let token = world.p256.token("ES256", &world.claiming("name", json!("Alice")));
        let accounts = async || world.server.database().rows("SELECT count(*) FROM account").await;
        assert_eq!(world.name(&token).await, "");
        world.remove_links().await;
        assert_eq!(world.name(&token).await, "Alice");
        assert_eq!(world.name(&token).await, "Alice");
        assert_eq!(accounts().await, ["2"]);
    }
);

on_both_databases!(
    async fn a_link_that_is_moved_to_another_tenant_opens_nothing(world: World) {
        let other = world.server.add_tenant("other").await;
        let account = world.server.person_with(&other, Patch::default()).await;
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        world.move_links(&account).await;
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
    }
);

on_both_databases!(
    async fn a_linked_account_that_is_suspended_or_gone_is_refused_at_once(world: World) {
        let token = world.token();
        assert_eq!(world.read(&token).await.status, 200);
        let suspended = format!("UPDATE account SET status = {}", Status::Suspended.value());
        world.server.database().execute(&suspended).await;
        assert_eq!(world.read(&token).await.status, 403);
        world.server.database().execute("DELETE FROM account").await;
        assert_eq!(world.read(&token).await.to_string(), REFUSED);
    }
);

// Two people at one provider, each with a token in use: each token keeps to its own account.
on_both_databases!(
    async fn links_that_are_exchanged_exchange_the_accounts(world: World) {
        let bob = world.server.person(&[(Field::DisplayName, "Bob")]).await;
        link(&world.server, &bob, world.provider.issuer(), "bob").await;
        let alices = world.token();
        let bobs = world.p256.token("ES256", &super::claims(&world.server, world.provider.issuer(), "bob"));
        assert_eq!((world.name(&alices).await, world.name(&bobs).await), (String::new(), "Bob".to_owned()));
        world.move_links(&bob).await;
        assert_eq!((world.name(&alices).await, world.name(&bobs).await), ("Bob".to_owned(), "Bob".to_owned()));
    }
);
