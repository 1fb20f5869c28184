//! Phone numbers as phones paste them.

use selfsame::account::{Field, Patch};
use serde_json::json;

use crate::support::{Person, Server, Side, patch, until};

const NUMBER: &str = "+442079460018";
/// The same number, as phones and pages write it.
const PASTED: [&str; 8] = [
    "\u{202a}+44 20 7946 0018\u{202c}",
    "\u{2060}+44\u{a0}20\u{a0}7946\u{a0}0018",
    "+44\u{2011}20\u{2013}7946\u{2212}0018",
    "\u{ff0b}\u{ff14}\u{ff14} \u{ff12}\u{ff10}79460018",
    "+44 (0)20 7946 0018",
    "+44\u{ff08}0\u{ff09}2079460018",
    "(+44) 20 7946.0018\n",
    "+\u{664}\u{664} \u{662}\u{660} 7946 0018",
];

fn verified(number: &str) -> Patch {
    let mut patch = patch(&[(Field::Phone, number)]);
    patch.phone_verified = Some(true);
    patch
}

/// The messages that were sent, once none waits.
async fn messages(server: &Server) -> usize {
    until(async || server.database().rows("SELECT count(*) FROM notice").await == ["0"]).await;
    server.app.outbox().mailbox().unwrap().mails().len()
}

on_both_databases!(
    async fn a_pasted_form_of_ones_number_keeps_its_mark_and_warns_no_one(server: Server) {
        let person = Person::new(&server, verified(NUMBER)).await;
        for (side, name) in [(Side::System, "accountPhone"), (Side::Cl2c, "phoneNumber")] {
            for pasted in PASTED {
                let answer = person.write(side, name, pasted).await;
                assert_eq!(answer.status, 200, "{side:?}, {pasted:?}: {answer}");
                let stored = server.account(&person.account).await;
                assert_eq!((stored.text(Field::Phone), stored.phone_verified), (Some(pasted), true), "{side:?}");
            }
        }
        assert_eq!(messages(&server).await, 0);
        // Another number drops the mark, and the owner gets a notice.
        assert_eq!(person.write(Side::System, "accountPhone", "\u{202a}+44 20 7946 0019\u{202c}").await.status, 200);
        assert!(!server.account(&person.account).await.phone_verified);
        assert_eq!(messages(&server).await, 1);
    }
);

on_both_databases!(
    async fn eleven_digits_of_mainland_china_keep_their_mark_when_they_are_pasted(server: Server) {
        let person = Person::new(&server, verified("+8613800138000")).await;
        for pasted in ["\u{202d}13800138000\u{202c}", "\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}138000", "13800138000\n"]
        {
            assert_eq!(person.write(Side::System, "accountPhone", pasted).await.status, 200);
            assert!(server.account(&person.account).await.phone_verified, "{pasted:?}");
        }
        assert_eq!(person.read(Side::Ciam).await["phone_number"], "13800138000");
        assert_eq!(messages(&server).await, 0);
    }
);

on_both_databases!(
    async fn a_pasted_number_is_accepted_by_cl2c_and_stored_as_typed(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for pasted in PASTED {
            let answer = person.write(Side::Cl2c, "phoneNumber", pasted).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["phoneNumber"]), (200, &json!(pasted)), "{answer}");
        }
        let long = format!("+44 2079460018{}", "\u{2060}".repeat(12));
        for other in ["+44 20 7946 0018 x4", "(0)20 7946 0018", "+44 (0)2 079", "+12", &long] {
            let answer = person.write(Side::Cl2c, "phoneNumber", other).await;
            assert_eq!(answer.json()["errors"]["phoneNumber"], json!(["Invalid phone number format"]), "{other:?}");
        }
    }
);

on_both_databases!(
    async fn a_verified_number_is_refused_to_others_in_every_pasted_form(server: Server) {
        server.person_with(&server.tenant, verified(NUMBER)).await;
        let neighbour = Person::new(&server, Patch::default()).await;
        for pasted in PASTED {
            let refused = neighbour.write(Side::Cl2c, "phoneNumber", pasted).await;
            let text = format!("Phone number {pasted} is already registered.");
            assert_eq!(refused.json()["errors"]["phoneNumber"], json!([text]), "{pasted:?}");
        }
    }
);

on_both_databases!(
    async fn ciam_takes_eleven_ascii_digits_alone(server: Server) {
        let person = Person::new(&server, Patch::default()).await;
        for pasted in [
            "\u{202d}13800138000\u{202c}",
            "138 0013 8000",
            "13800138000\n",
            "\u{ff11}\u{ff13}\u{ff18}\u{ff10}\u{ff10}138000",
            "+8613800138000",
        ] {
            let answer = person.client.send(json!({"usage": "update_userinfo", "phone_number": pasted})).await;
            assert_eq!(answer.json()["error"], "malformed_phone_number", "{pasted:?}");
            let body = json!({"phone_number": pasted, "phone_number_otp_token": "x", "phone_number_otp": "123456"});
            assert_eq!(person.ciam("PATCH", Some(body)).await.json()["error"], "malformed_phone_number", "{pasted:?}");
        }
    }
);
