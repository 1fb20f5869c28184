//! Phone numbers and e-mail addresses change only with a code.

use std::time::Duration;

use selfsame::account::{Field, Kind, Patch};
use serde_json::json;

use super::{AppUser, USERINFO};
use crate::support::{Server, Transcript, patch};

/// What differs between tests of phone numbers and of e-mail addresses.
struct Contact {
    name: &'static str,
    address: &'static str,
    other: &'static str,
    field: Field,
}

const CONTACTS: [Contact; 2] = [
    Contact { name: "phone_number", address: "13800138000", other: "13900139000", field: Field::Phone },
    Contact { name: "email", address: "new@example.com", other: "other@example.com", field: Field::Email },
];

/// Creates an account with the verified address.
async fn owner(server: &Server, contact: &Contact) {
    let stored = if contact.name == "email" { contact.address.to_owned() } else { format!("+86{}", contact.address) };
    let mut patch = patch(&[(contact.field, &stored)]);
    (patch.email_verified, patch.phone_verified) = (Some(true), Some(true));
    server.person_with(&server.tenant, patch).await;
}

on_both_databases!(
    async fn a_code_proves_an_address(server: Server) {
        let jane = AppUser::new(&server).await;
        for contact in CONTACTS {
            let proof = jane.proof(contact.name, contact.address).await;
            let answer = jane.patch(AppUser::proved(contact.name, contact.address, &proof).to_string()).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()[contact.name]),
                (200, &json!(contact.address)),
                "{answer}"
            );
            assert_eq!(answer.json()[format!("{}_verified", contact.name)], true);
        }
        let stored = jane.stored().await;
        assert_eq!((stored.text(Field::Phone), stored.phone_verified), (Some("+8613800138000"), true));
        assert_eq!((stored.text(Field::Email), stored.email_verified), (Some("new@example.com"), true));
    }
);

on_both_databases!(
    async fn malformed_addresses_are_reported_before_other_errors(server: Server) {
        let jane = AppUser::new(&server).await;
        for number in [
            "1380013800",
            "138001380000",
            "1380013800a",
            "+8613800138000",
            " 13800138000",
            "１３８００１３８０００",
            "12800138000",
        ] {
            let answer = jane.patch(json!({"phone_number": number, "nickname": 1}).to_string()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.as_str()),
                (400, r#"{"error":"malformed_phone_number"}"#),
                "{number}"
            );
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for address in
            ["jane", "jane@", "@example.com", "jane@example..com", " jane@example.com", "a b@example.com", &long]
        {
            let answer = jane.patch(json!({"email": address}).to_string()).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.as_str()),
                (400, r#"{"error":"malformed_email"}"#),
                "{address}"
            );
        }
        let both = jane.patch(json!({"email": "jane", "phone_number": "1"}).to_string()).await;
        assert_eq!(both.body, r#"{"error":"malformed_phone_number"}"#);
    }
);

on_both_databases!(
    async fn every_invalid_otp_token_gets_the_same_error(server: Server) {
        let mut jane = AppUser::new(&server).await;
        let elsewhere = server.add_tenant("elsewhere").await;
        let foreign = server.client_with(Kind::Web, &[], |application| application.tenant_id = elsewhere.id).await;
        let mut transcript = Transcript::default();
        for contact in CONTACTS {
            jane.token = jane.client.token(&jane.account).await;
            let (name, address) = (contact.name, contact.address);
            let body = |token: &str, code: &str| {
                AppUser::proved(name, address, &(token.to_owned(), code.to_owned())).to_string()
            };
            let to = if name == "email" { address.to_owned() } else { format!("+86{address}") };
            let of_tenant = foreign.otp_token(json!({"usage": "update_userinfo", name: address})).await;
            transcript
                .add(format!("{name} of another tenant"), &jane.patch(body(&of_tenant, &server.code_to(&to))).await);
            for usage in ["signup", "reset_password", "login"] {
                server.pass(Duration::from_secs(31));
                let token = jane.client.otp_token(json!({"usage": usage, name: address})).await;
                let code = if usage == "signup" { server.code_to(&to) } else { "123456".to_owned() };
                transcript.add(format!("{name} for {usage}"), &jane.patch(body(&token, &code)).await);
            }
            server.pass(Duration::from_secs(31));
            let (token, code) = jane.proof(name, address).await;
            transcript.add(
                format!("{name} without a token"),
                &jane.patch(json!({name: address, format!("{name}_otp"): code}).to_string()).await,
            );
            transcript.add(format!("{name} with neither"), &jane.patch(json!({name: address}).to_string()).await);
            transcript.add(format!("{name} with another token"), &jane.patch(body("other", &code)).await);
            let other = AppUser::proved(name, contact.other, &(token.clone(), code.clone())).to_string();
            transcript.add(format!("another {name}"), &jane.patch(other).await);
            server.pass(Duration::from_secs(300));
            transcript.add(format!("{name} after five minutes"), &jane.patch(body(&token, &code)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > phone_number of another tenant
        > phone_number for signup
        > phone_number for reset_password
        > phone_number for login
        > phone_number without a token
        > phone_number with neither
        > phone_number with another token
        > another phone_number
        > phone_number after five minutes
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_phone_number_otp_token"}

        > email of another tenant
        > email for signup
        > email for reset_password
        > email for login
        > email without a token
        > email with neither
        > email with another token
        > another email
        > email after five minutes
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_email_otp_token"}
        "#);
        assert_eq!(jane.stored().await.version, 1);
    }
);

on_both_databases!(
    async fn every_invalid_code_gets_the_same_error(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for contact in CONTACTS {
            let name = contact.name;
            let (token, code) = jane.proof(name, contact.address).await;
            let wrong = if code == "000000" { "000001" } else { "000000" };
            let missing = json!({name: contact.address, format!("{name}_otp_token"): token}).to_string();
            transcript.add(format!("{name} without a code"), &jane.patch(missing).await);
            let proved =
                |code: &str| AppUser::proved(name, contact.address, &(token.clone(), code.to_owned())).to_string();
            transcript.add(format!("{name} with another code"), &jane.patch(proved(wrong)).await);
            server.pass(Duration::from_secs(61));
            transcript.add(format!("{name} after 61 seconds"), &jane.patch(proved(&code)).await);
        }
        insta::assert_snapshot!(transcript, @r#"
        > phone_number without a code
        > phone_number with another code
        > phone_number after 61 seconds
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_phone_number_otp"}

        > email without a code
        > email with another code
        > email after 61 seconds
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_email_otp"}
        "#);
    }
);

on_both_databases!(
    async fn the_right_code_on_the_sixth_try_proves_nothing(server: Server) {
        let jane = AppUser::new(&server).await;
        for contact in CONTACTS {
            let (token, code) = jane.proof(contact.name, contact.address).await;
            let wrong = if code == "000000" { "000001" } else { "000000" };
            let proved = |code: &str| {
                AppUser::proved(contact.name, contact.address, &(token.clone(), code.to_owned())).to_string()
            };
            for _ in 0..5 {
                let answer = jane.patch(proved(wrong)).await;
                assert_eq!(answer.body, format!(r#"{{"error":"bad_{}_otp"}}"#, contact.name));
            }
            let answer = jane.patch(proved(&code)).await;
            assert_eq!(answer.body, format!(r#"{{"error":"bad_{}_otp_token"}}"#, contact.name));
        }
    }
);

on_both_databases!(
    async fn a_code_cannot_be_used_twice(server: Server) {
        let jane = AppUser::new(&server).await;
        for contact in CONTACTS {
            let proof = jane.proof(contact.name, contact.address).await;
            let body = AppUser::proved(contact.name, contact.address, &proof).to_string();
            assert_eq!(jane.patch(body.clone()).await.status, 200);
            let answer = jane.patch(body).await;
            assert_eq!(answer.body, format!(r#"{{"error":"bad_{}_otp_token"}}"#, contact.name));
        }
    }
);

on_both_databases!(
    async fn an_address_of_another_account_is_reported_only_after_the_proof(server: Server) {
        let jane = AppUser::new(&server).await;
        let mut transcript = Transcript::default();
        for contact in CONTACTS {
            let before = jane.stored().await;
            // Verified by another account after the code was sent.
            let proof = jane.proof(contact.name, contact.address).await;
            owner(&server, &contact).await;
            let body = json!({"nickname": "J"});
            let mut body = body.as_object().unwrap().clone();
            body.extend(AppUser::proved(contact.name, contact.address, &proof).as_object().unwrap().clone());
            let wrong = AppUser::proved(contact.name, contact.address, &(proof.0.clone(), "x".to_owned()));
            transcript.add(format!("{} with a wrong code", contact.name), &jane.patch(wrong.to_string()).await);
            transcript.add(format!("{} since the sending", contact.name), &jane.patch(json!(body).to_string()).await);
            // Verified by another account before the code was sent.
            server.pass(Duration::from_secs(31));
            let proof = jane.proof(contact.name, contact.address).await;
            let answer = jane.patch(AppUser::proved(contact.name, contact.address, &proof).to_string()).await;
            transcript.add(format!("{} before the sending", contact.name), &answer);
            assert_eq!(jane.stored().await, before);
        }
        insta::assert_snapshot!(transcript, @r#"
        > phone_number with a wrong code
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_phone_number_otp"}

        > phone_number since the sending
        > phone_number before the sending
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"duplicate_phone_number"}

        > email with a wrong code
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"bad_email_otp"}

        > email since the sending
        > email before the sending
        400 Bad Request
        cache-control: no-store
        content-type: application/json;charset=UTF-8

        {"error":"duplicate_email"}
        "#);
    }
);

on_both_databases!(
    async fn proving_the_present_address_verifies_it(server: Server) {
        let patch = patch(&[(Field::Phone, "+8613800138000"), (Field::Email, "New@Example.com")]);
        let jane = AppUser::with(&server, patch, &["email", "phone_number"]).await;
        for contact in CONTACTS {
            let proof = jane.proof(contact.name, contact.address).await;
            let answer = jane.patch(AppUser::proved(contact.name, contact.address, &proof).to_string()).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()[contact.name]),
                (200, &json!(contact.address)),
                "{answer}"
            );
        }
        let stored = jane.stored().await;
        assert!(stored.email_verified && stored.phone_verified);
        // A second time, when nothing is left to change: the code is still used up.
        server.pass(Duration::from_secs(31));
        let proof = jane.proof("phone_number", "13800138000").await;
        let body = AppUser::proved("phone_number", "13800138000", &proof).to_string();
        assert_eq!(
            (jane.patch(body.clone()).await.status, jane.stored().await.version),
            (200.try_into().unwrap(), stored.version)
        );
        assert_eq!(jane.patch(body).await.body, r#"{"error":"bad_phone_number_otp_token"}"#);
    }
);

on_both_databases!(
    async fn one_wrong_code_of_two_changes_nothing_and_the_other_stays_valid(server: Server) {
        let jane = AppUser::new(&server).await;
        let before = jane.stored().await;
        let phone = jane.proof("phone_number", "13800138000").await;
        let (email_token, _) = jane.proof("email", "new@example.com").await;
        let with = |email: (String, String)| {
            let mut body = json!({"nickname": "J"}).as_object().unwrap().clone();
            body.extend(AppUser::proved("phone_number", "13800138000", &phone).as_object().unwrap().clone());
            body.extend(AppUser::proved("email", "new@example.com", &email).as_object().unwrap().clone());
            serde_json::Value::from(body).to_string()
        };
        let wrong = jane.patch(with((email_token.clone(), "x".to_owned()))).await;
        assert_eq!(wrong.body, r#"{"error":"bad_email_otp"}"#);
        assert_eq!(jane.stored().await, before);
        // A wrong token is reported before a wrong code, whichever address they belong to.
        let wrong = json!({
            "phone_number": "13800138000", "phone_number_otp_token": phone.0, "phone_number_otp": "x",
            "email": "new@example.com", "email_otp_token": "other", "email_otp": "x",
        });
        assert_eq!(jane.patch(wrong.to_string()).await.body, r#"{"error":"bad_email_otp_token"}"#);
        let code = server.code_to("new@example.com");
        let answer = jane.patch(with((email_token, code))).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(jane.stored().await.version, before.version + 1);
    }
);

on_both_databases!(
    async fn a_code_without_an_address_is_refused(server: Server) {
        let jane = AppUser::new(&server).await;
        for name in ["phone_number", "email"] {
            for member in ["otp_token", "otp"] {
                let answer = jane.patch(json!({format!("{name}_{member}"): "x"}).to_string()).await;
                assert_eq!(answer.body, r#"{"error":"illegal_parameter_value"}"#, "{name}_{member}");
            }
        }
    }
);

on_both_databases!(
    async fn a_code_requested_by_another_applications_back_end_is_accepted(server: Server) {
        // An application without a secret cannot request a code.
        let account = server.person(&[]).await;
        let jane = AppUser::of(server.client(Kind::Spa, &["phone_number"]).await, account).await;
        let back_end = server.client(Kind::M2m, &[]).await;
        let token = back_end.otp_token(json!({"usage": "update_userinfo", "phone_number": "13800138000"})).await;
        let proof = (token, server.code_to("+8613800138000"));
        let answer = jane.patch(AppUser::proved("phone_number", "13800138000", &proof).to_string()).await;
        assert_eq!(answer.json()["phone_number"], "13800138000");
    }
);

on_both_databases!(
    async fn one_of_two_who_prove_one_number_at_once_gets_it(server: Server) {
        for _ in 0..5 {
            let (first, second) = (AppUser::new_unknown(&server).await, AppUser::new_unknown(&server).await);
            let number = format!("138{:08}", server.app.store().next_account_number().await.unwrap());
            let one = first.proof("phone_number", &number).await;
            // A second code for the number ends the first, so both use the one there is.
            let body = AppUser::proved("phone_number", &number, &one).to_string();
            let (a, b) = tokio::join!(first.patch(body.clone()), second.patch(body));
            let mut bodies: Vec<(u16, String)> = [a, b].map(|answer| (answer.status.as_u16(), answer.body)).to_vec();
            bodies.sort();
            assert_eq!(bodies[0].0, 200, "{bodies:?}");
            // The other request ran before or after the code was used up.
            let heard = [r#"{"error":"duplicate_phone_number"}"#, r#"{"error":"bad_phone_number_otp_token"}"#];
            assert!(bodies[1].0 == 400 && heard.contains(&bodies[1].1.as_str()), "{bodies:?}");
        }
    }
);

on_both_databases!(
    async fn one_of_two_accounts_with_valid_codes_is_refused_as_a_duplicate(server: Server) {
        // One person signs up with the number while another changes to it.
        let client =
            server.client_with(Kind::Web, &["phone_number"], |application| application.auto_signup = true).await;
        let jane = AppUser::of(client, server.person(&[]).await).await;
        let proof = jane.proof("phone_number", "13800138000").await;
        server.pass(Duration::from_secs(31));
        let token = jane.client.otp_token(json!({"phone_number": "13800138000"})).await;
        let code = server.code_to("+8613800138000");
        let sign_up = jane.client.ask(json!({
            "grant_type": "http://tencentciam.com/oauth2/grant-type/otp/sms",
            "phone_number": "13800138000", "otp_token": token, "otp": code, "auto_signup": true,
        }));
        let (signed_up, changed) =
            tokio::join!(sign_up, jane.patch(AppUser::proved("phone_number", "13800138000", &proof).to_string()));
        assert_eq!(signed_up.status, 200, "{signed_up}");
        let token = signed_up.json()["access_token"].as_str().unwrap().to_owned();
        let shown = server.request("GET", USERINFO).bearer(&token).send().await;
        assert_eq!(shown.json()["phone_number"], "13800138000");
        match changed.status.as_u16() {
            // Jane's change came first: the sign-up became a sign-in as Jane.
            200 => assert_eq!(shown.json()["sub"], jane.account.id.to_string()),
            _ => {
                assert_eq!(changed.body, r#"{"error":"duplicate_phone_number"}"#);
                assert_ne!(shown.json()["sub"], jane.account.id.to_string());
            }
        }
    }
);

impl<'a> AppUser<'a> {
    async fn new_unknown(server: &'a Server) -> AppUser<'a> {
        AppUser::with(server, Patch::default(), &["phone_number"]).await
    }
}
