//! `firstName` and `lastName`.

use selfsame::account::Field;

use super::{JOHN, john};
use crate::support::{Server, Transcript};

/// A CJK character that UTF-16 encodes as two units.
const TWO_UNITS: &str = "\u{20BB7}";

on_both_databases!(
    async fn names_are_required_and_not_only_spaces(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        let mut transcript = Transcript::default();
        for first in [
            "",
            r#""firstName":null,"#,
            r#""firstName":"","#,
            r#""firstName":" \t\u3000","#,
            r#""firstName":"\u200b\u2060\u00ad","#,
        ] {
            transcript.add(first, &back_end.put(format!(r#"{{{first}"lastName":"Doe"}}"#)).await);
        }
        for last in ["", r#","lastName":null"#, r#","lastName":"""#, r#","lastName":"  ""#] {
            transcript.add(last, &back_end.put(format!(r#"{{"firstName":"John"{last}}}"#)).await);
        }
        transcript.add("neither", &back_end.put("{}").await);
        insta::assert_snapshot!(transcript, @r#"
        > 
        > "firstName":null,
        > "firstName":"",
        > "firstName":" \t\u3000",
        > "firstName":"\u200b\u2060\u00ad",
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name is required"]}}

        > 
        > ,"lastName":null
        > ,"lastName":""
        > ,"lastName":"  "
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"lastName":["Last name is required"]}}

        > neither
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name is required"],"lastName":["Last name is required"]}}
        "#);
        assert_eq!(server.account(&john).await, john);
    }
);

on_both_databases!(
    async fn a_name_has_at_most_75_characters_however_many_bytes_they_take(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        for letter in ["x", "é", TWO_UNITS] {
            let (fits, over) = (letter.repeat(75), letter.repeat(76));
            let answer = back_end.put(format!(r#"{{"firstName":"{fits}","lastName":"{fits}"}}"#)).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["firstName"]), (200, &fits.as_str().into()));
            let mut transcript = Transcript::default();
            transcript.add("first", &back_end.put(format!(r#"{{"firstName":"{over}","lastName":"Doe"}}"#)).await);
            transcript.add("last", &back_end.put(format!(r#"{{"firstName":"John","lastName":"{over}"}}"#)).await);
            transcript.add("both", &back_end.put(format!(r#"{{"firstName":"{over}","lastName":"{over}"}}"#)).await);
            insta::assert_snapshot!(transcript, @r#"
            > first
            400 Bad Request
            content-type: application/json

            {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name must be 75 characters or fewer"]}}

            > last
            400 Bad Request
            content-type: application/json

            {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"lastName":["Last name must be 75 characters or fewer"]}}

            > both
            400 Bad Request
            content-type: application/json

            {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["First name must be 75 characters or fewer"],"lastName":["Last name must be 75 characters or fewer"]}}
            "#);
        }
    }
);

on_both_databases!(
    async fn names_are_stored_as_they_are_written(server: Server) {
        let john = john(&server).await;
        let back_end = server.back_end(&server.tenant, Some(john.id)).await;
        // Direction marks, spaces at the ends, control characters, and both ways to compose an accented letter.
        for name in ["\u{202E}nhoJ\u{202C}", "  Jane ", "Ja\tne\u{1}\u{7F}", "Jose\u{301}", "José", "<b>'\"\\;--"] {
            let body = serde_json::json!({ "firstName": name, "lastName": name });
            let answer = back_end.put(body.to_string()).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["lastName"]), (200, &name.into()));
            assert_eq!(server.account(&john).await.text(Field::GivenName), Some(name));
        }
        let refused = back_end.put(r#"{"firstName":"Ja\u0000ne","lastName":"\u0000"}"#).await;
        insta::assert_snapshot!(refused, @r#"
        400 Bad Request
        content-type: application/json

        {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Invalid Request","status":400,"detail":"The request parameters are incorrect.","instance":"r1","errors":{"firstName":["The value must not contain control characters."],"lastName":["The value must not contain control characters."]}}
        "#);
    }
);

on_both_databases!(
    async fn a_shown_name_is_accepted_back_at_any_length(server: Server) {
        let john = john(&server).await;
        let long = "x".repeat(200);
        server.operate(&john, crate::support::patch(&[(Field::GivenName, &long)])).await;
        let back_end = server.back_end(&server.tenant, None).await;
        let echo = |last: &str| format!(r#"{{"id":"{JOHN}","firstName":"{long}","lastName":"{last}"}}"#);
        let answer = back_end.put(echo("Roe")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["firstName"]), (200, &long.as_str().into()));
        assert_eq!(back_end.put(echo(&long)).await.status, 400);
    }
);
