//! People sign in through every kind of application: also through those that have no secret and cannot request codes.

use selfsame::account::{Account, Field, Kind};
use serde_json::{Value, json};
use strum::VariantArray as _;

use crate::support::applications::{Client, Pkce};
use crate::support::{Answer, Server, patch};

const EMAIL: &str = "http://tencentciam.com/oauth2/grant-type/otp/email";
const JANE: &str = "jane@example.com";

async fn jane(server: &Server) -> Account {
    let mut patch = patch(&[(Field::Email, JANE)]);
    patch.email_verified = Some(true);
    server.person_with(&server.tenant, patch).await
}

/// Posts a form with the application's credentials, as OAuth libraries do (RFC 6749 §3.2.1).
async fn post(client: &Client<'_>, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let form: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", &client.application.id)
        .extend_pairs(client.secret.iter().map(|secret| ("client_secret", secret)))
        .extend_pairs(parameters)
        .finish();
    let request = client.server.request("POST", path).header("Content-Type", "application/x-www-form-urlencoded");
    request.body(form).send().await
}

/// Has a code sent for an application: by itself, or by the back end if it has no secret.
async fn code(application: &Client<'_>, back_end: &Client<'_>, pkce: Option<&Pkce>) -> (String, String) {
    let mut wanted = json!({"email": JANE});
    let sender = if application.secret.is_some() { application } else { back_end };
    if sender.application.id != application.application.id {
        wanted["client_id"] = json!(application.application.id);
    }
    if let Some(pkce) = pkce {
        (wanted["code_challenge"], wanted["code_challenge_method"]) = (json!(pkce.challenge), json!("S256"));
    }
    (sender.otp_token(wanted).await, application.server.code_to(JANE))
}

/// Signs Jane in through an application and lets it do everything that it may with her tokens.
async fn everything_with(application: &Client<'_>, back_end: &Client<'_>, pkce: Option<&Pkce>) {
    let (otp_token, otp) = code(application, back_end, pkce).await;
    let mut grant = vec![("grant_type", EMAIL), ("email", JANE), ("otp_token", &otp_token), ("otp", &otp)];
    grant.extend(pkce.map(|pkce| ("code_verifier", pkce.verifier.as_str())));
    let answer = post(application, "/oauth2/token", &grant).await;
    assert_eq!(answer.status, 200, "{:?}: {answer}", application.application.kind);
    let refresh_token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &refresh_token)];
    let tokens: Value = post(application, "/oauth2/token", &refresh).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let server = application.server;
    let changed = server.request("PATCH", "/userinfo").bearer(token).json(r#"{"nickname":"J"}"#).send().await;
    assert_eq!(changed.json()["nickname"], "J", "{changed}");
    let revoked = [("token", tokens["refresh_token"].as_str().unwrap())];
    assert_eq!(post(application, "/oauth2/revoke", &revoked).await.status, 200);
    assert_eq!(server.request("GET", "/userinfo").bearer(token).send().await.status, 401);
}

on_both_databases!(
    async fn people_sign_in_through_all_four_kinds_of_application(server: Server) {
        jane(&server).await;
        let back_end = server.client(Kind::Web, &[]).await;
        assert_eq!(Kind::VARIANTS.len(), 4);
        for kind in Kind::VARIANTS {
            let application = server.client(*kind, &["nickname"]).await;
            for pkce in [None, Some(Pkce::new(&server))] {
                everything_with(&application, &back_end, pkce.as_ref()).await;
                server.pass(std::time::Duration::from_secs(31));
            }
        }
    }
);

on_both_databases!(
    async fn a_machine_can_be_the_back_end_of_a_page(server: Server) {
        jane(&server).await;
        let (page, machine) = (server.client(Kind::Spa, &["nickname"]).await, server.client(Kind::M2m, &[]).await);
        everything_with(&page, &machine, Some(&Pkce::new(&server))).await;
    }
);

on_both_databases!(
    async fn a_back_end_may_name_itself(server: Server) {
        jane(&server).await;
        let back_end = server.client(Kind::Web, &[]).await;
        let id = back_end.application.id.as_str();
        for usage in ["login", "signup", "update_userinfo", "reset_password"] {
            let address = if usage == "signup" { "new@example.com" } else { JANE };
            let answer = back_end.send(json!({"usage": usage, "email": address, "client_id": id})).await;
            assert_eq!(answer.status, 200, "{usage}: {answer}");
        }
    }
);

on_both_databases!(
    async fn the_method_of_a_challenge_may_be_left_out_and_all_of_it_may_be_null(server: Server) {
        jane(&server).await;
        let (page, back_end) = (server.client(Kind::Spa, &[]).await, server.client(Kind::Web, &[]).await);
        let id = page.application.id.as_str();
        let pkce = Pkce::new(&server);
        let grant = json!({"grant_type": EMAIL, "email": JANE});
        let with = |token: String, more: Value| {
            let mut grant = grant.clone();
            (grant["otp_token"], grant["otp"]) = (json!(token), json!(server.code_to(JANE)));
            grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            grant
        };
        let wanted = json!({"email": JANE, "client_id": id, "code_challenge": pkce.challenge});
        let token = back_end.otp_token(wanted).await;
        assert_eq!(page.ask(with(token, json!({"code_verifier": pkce.verifier}))).await.status, 200);
        server.pass(std::time::Duration::from_secs(31));
        let wanted = json!({"email": JANE, "client_id": id, "code_challenge": null, "code_challenge_method": null});
        let token = back_end.otp_token(wanted).await;
        // An empty parameter is the same as an absent one (RFC 6749 §3.2).
        assert_eq!(page.ask(with(token, json!({"code_verifier": ""}))).await.status, 200);
    }
);

on_both_databases!(
    async fn a_page_signs_up_whom_it_may_sign_up_whatever_its_back_end_may(server: Server) {
        for (page_may, back_end_may) in [(true, false), (false, true)] {
            let page = server.client_with(Kind::Spa, &["email"], |page| page.auto_signup = page_may).await;
            let back_end = server.client_with(Kind::Web, &[], |back_end| back_end.auto_signup = back_end_may).await;
            let address = format!("{page_may}@example.com");
            let wanted = json!({"email": address, "client_id": page.application.id});
            let otp_token = back_end.otp_token(wanted).await;
            let mails = server.app.outbox().mailbox().unwrap().mails();
            assert_eq!(mails.iter().any(|mail| mail.to == address), page_may);
            if page_may {
                let otp = server.code_to(&address);
                let grant = json!({"grant_type": EMAIL, "email": address, "otp_token": otp_token, "otp": otp});
                let mut signing_up = grant;
                signing_up["auto_signup"] = json!(true);
                assert_eq!(page.ask(signing_up).await.status, 200);
            }
        }
    }
);
