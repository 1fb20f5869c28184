//! A token of every algorithm reads and changes a profile.

use super::*;

async fn reads_and_changes(world: &World, key: &Key, algorithm: &str) {
    let token = key.token(algorithm, &world.claims());
    let read = world.read(&token).await;
    assert_eq!(read.status, 200, "{algorithm}: {read}");
    let name = format!("signed by {algorithm}");
    let body = json!({"accountName": name}).to_string();
    let changed = world.server.request("POST", "/web/v1/system/profile/update").bearer(&token).json(body).send().await;
    assert_eq!(changed.status, 200, "{algorithm}: {changed}");
    assert_eq!(world.read(&token).await.json()["data"]["accountName"], name, "{algorithm}");
}

macro_rules! families {
    ($($name:ident: $key:ident, $algorithm:literal;)*) => {$(
        on_both_databases!(
            async fn $name(world: World) {
                reads_and_changes(&world, &world.$key, $algorithm).await;
            }
        );
    )*};
}

families! {
    rs256_reads_and_changes_a_profile: rsa, "RS256";
    rs384_reads_and_changes_a_profile: rsa, "RS384";
    rs512_reads_and_changes_a_profile: rsa, "RS512";
    ps256_reads_and_changes_a_profile: rsa, "PS256";
    ps384_reads_and_changes_a_profile: rsa, "PS384";
    ps512_reads_and_changes_a_profile: rsa, "PS512";
    es256_reads_and_changes_a_profile: p256, "ES256";
    es384_reads_and_changes_a_profile: p384, "ES384";
    eddsa_reads_and_changes_a_profile: ed25519, "EdDSA";
}
