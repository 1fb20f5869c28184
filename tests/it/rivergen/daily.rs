//! What an account may store in a day, and in memory at once.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame::account::{DailyUsage, Field};
use selfsame::store::PictureState;
use serde_json::json;

use super::pictures::PIXEL;
use super::{Jane, PROFILE, faults};
use crate::support::{Answer, Database, Person, Server, Side, Wire, patch};

const SECOND: Duration = Duration::from_secs(1);
const PICTURES: &str = "SELFSAME__RATE_LIMIT__PICTURE_BYTES_PER_DAY";
const HISTORY: &str = "SELFSAME__RATE_LIMIT__HISTORY_BYTES_PER_DAY";

/// A JPEG of one pixel, another one for each of six shades.
fn picture(shade: u8) -> String {
    let mut file = std::io::Cursor::new(Vec::new());
    let image = image::RgbImage::from_pixel(1, 1, image::Rgb([40 * shade, 0, 0]));
    image.write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
    let uri = format!("data:image/jpeg;base64,{}", STANDARD.encode(file.into_inner()));
    json!({ "profile_image_url": uri }).to_string()
}

/// The files in the picture store.
fn files(server: &Server) -> usize {
    std::fs::read_dir(server.data().join("pictures")).map_or(0, Iterator::count)
}

/// The time after which a refused request may be sent again.
fn wait(answer: &Answer) -> Duration {
    assert_eq!(answer.status, 429, "{answer}");
    Duration::from_secs(answer.header("retry-after").parse().unwrap())
}

on_both_databases!(
    async fn pictures_beyond_the_bytes_of_a_day_are_refused_until_the_day_ends(database: Database) {
        // Each of these pictures is stored in 600 to 700 bytes.
        let server = Server::with(database, &[(PICTURES, "1400")]).await;
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        for shade in [1, 2] {
            assert_eq!(jane.put(picture(shade)).await.status, 200);
            server.pass(SECOND);
        }
        let before = jane.stored().await;
        assert!((1200..=1400).contains(&before.usage.picture_bytes), "{:?}", before.usage);
        let refused = jane.put(picture(3)).await;
        insta::assert_snapshot!(refused, @r#"
        429 Too Many Requests
        content-type: application/json
        retry-after: 86398

        {"success":false,"error":{"code":"RATE_LIMITED","message":"Rate limit exceeded","timestamp":"2026-03-20T14:30:02Z"},"message":"Rate limit exceeded"}
        "#);
        assert_eq!(jane.stored().await, before);
        assert_eq!(files(&server), 2);
        assert_eq!(
            server.app.store().pictures_in_state(PictureState::Pending, jiff::Timestamp::MAX).await.unwrap().len(),
            0
        );
        // What stores no picture is possible, and so is the present picture again.
        assert_eq!(jane.put(r#"{"display_name":"Jo"}"#).await.status, 200);
        assert_eq!(jane.put(picture(2)).await.status, 200);
        assert_eq!(john.put(picture(3)).await.status, 200);
        let left = wait(&refused);
        server.pass(left - SECOND);
        let token = server.token(&jane.account, selfsame::account::Contract::RiverGen).await;
        let put = |body: String| server.request("PUT", PROFILE).bearer(&token).json(body);
        assert_eq!(wait(&put(picture(3)).send().await), SECOND);
        server.pass(SECOND);
        assert_eq!(put(picture(3)).send().await.status, 200);
        assert!(jane.stored().await.usage.picture_bytes < 700);
    }
);

on_both_databases!(
    async fn history_beyond_the_bytes_of_a_day_is_refused_until_the_day_ends(database: Database) {
        let server = Server::with(database, &[(HISTORY, "100000")]).await;
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        let bio = |letter: &str| json!({ "profile": { "bio": letter.repeat(30_000) } }).to_string();
        // The first adds a text, the second replaces it, which records both.
        for letter in ["a", "b"] {
            assert_eq!(jane.put(bio(letter)).await.status, 200);
        }
        let before = jane.stored().await;
        assert!((90_000..92_000).contains(&before.usage.history_bytes), "{:?}", before.usage);
        let refused = jane.put(bio("c")).await;
        assert_eq!(wait(&refused), Duration::from_secs(24 * 3600));
        assert_eq!(refused.json()["error"]["code"], "RATE_LIMITED");
        assert_eq!(jane.stored().await, before);
        assert_eq!(server.app.store().history(jane.account.id, 0, 100).await.unwrap().len(), 3);
        // A small change fits.
        assert_eq!(jane.put(r#"{"profile":{"bio":null}}"#).await.status, 429);
        assert_eq!(jane.put(r#"{"display_name":"Jo"}"#).await.status, 200);
        assert_eq!(john.put(bio("c")).await.status, 200);
        server.pass(Duration::from_secs(24 * 3600));
        let token = server.token(&jane.account, selfsame::account::Contract::RiverGen).await;
        assert_eq!(server.request("PUT", PROFILE).bearer(&token).json(bio("c")).send().await.status, 200);
    }
);

on_both_databases!(
    async fn a_day_that_is_used_up_in_one_contract_is_used_up_in_all(database: Database) {
        let server = Server::with(database, &[(HISTORY, "1")]).await;
        let mut verified = patch(&[(Field::Email, "jane@example.com")]);
        verified.email_verified = Some(true);
        let jane = Person::new(&server, verified).await;
        // The first change of a day is always possible.
        assert_eq!(jane.write(Side::RiverGen, "display_name", "Jane").await.status, 200);
        let before = server.account(&jane.account).await;
        for (side, name) in [
            (Side::System, "accountName"),
            (Side::Cl2c, "firstName"),
            (Side::RiverGen, "display_name"),
            (Side::Ciam, "nickname"),
        ] {
            let answer = jane.write(side, name, "Jo").await;
            assert_eq!(wait(&answer), Duration::from_secs(24 * 3600), "{side:?}");
            assert_eq!(server.account(&jane.account).await, before, "{side:?}");
        }
        // Operators are not limited, and what they change does not count.
        let after = server.operate(&jane.account, patch(&[(Field::DisplayName, "Jo")])).await;
        assert_eq!(after.usage, before.usage);
    }
);

on_both_databases!(
    async fn of_parallel_changes_only_one_can_use_the_last_room(database: Database) {
        let server = Server::with(database, &[(PICTURES, "1400")]).await;
        let jane = Jane::new(&server).await;
        assert_eq!(jane.put(picture(0)).await.status, 200);
        let mut parallel = tokio::task::JoinSet::new();
        for shade in 1..=6 {
            parallel.spawn(jane.request("PUT", PROFILE).json(picture(shade)).send());
        }
        let answers = parallel.join_all().await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 429, 429, 429, 429, 429]);
        assert_eq!(files(&server), 2);
        assert!(jane.stored().await.usage.picture_bytes <= 1400);
    }
);

on_both_databases!(
    async fn what_an_operator_stores_does_not_count(server: Server) {
        let jane = Jane::new(&server).await;
        server.operate(&jane.account, patch(&[(Field::DisplayName, "Jo")])).await;
        assert_eq!(jane.stored().await.usage, DailyUsage::default());
    }
);

on_both_databases!(
    async fn a_body_has_at_most_256_kib_without_the_text_of_its_picture(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let of_length = |length: usize, picture: &str| {
            let body = format!(r#"{{"profile_image_url":"{picture}","other":"","display_name":"Jo"}}"#);
            body.replace(
                r#""other":"""#,
                &format!(r#""other":"{}""#, "x".repeat(length - (body.len() - picture.len()))),
            )
        };
        let limit = 256 * 1024 + 2;
        let external = format!("https://example.com/{}", "x".repeat(2000));
        for body in [
            of_length(limit + 1, &external),
            // A member that is not read, as it is and in 400,000 pieces.
            json!({ "other": "x".repeat(300_000) }).to_string(),
            format!("{{{}}}", (0..400_000).map(|at| format!(r#""{at:x}":0"#)).collect::<Vec<_>>().join(",")),
            json!({ "profile": { "bio": "x".repeat(300_000) } }).to_string(),
            json!({ "profile_image_url": ["x".repeat(300_000)] }).to_string(),
        ] {
            let answer = jane.put(body).await;
            assert_eq!(answer.status, 413, "{answer}");
            assert_eq!(answer.json()["error"]["code"], "PAYLOAD_TOO_LARGE");
            assert_eq!(jane.stored().await, before);
        }
        assert_eq!(jane.put(of_length(limit, &external)).await.status, 200);
    }
);

on_both_databases!(
    async fn a_picture_may_be_written_with_escapes_and_after_another_one(server: Server) {
        let jane = Jane::new(&server).await;
        let escaped = PIXEL.replace('/', "\\/");
        let body = format!(r#"{{"profile_image_url":7,"profile_image_url":"{escaped}"}}"#);
        assert_eq!(jane.put(body).await.status, 200);
        assert!(jane.stored().await.text(Field::Picture).unwrap().starts_with("stored:"));
        let body = format!(r#"{{"profile_image_url":"{escaped}","profile_image_url":"https://example.com/a.png"}}"#);
        assert_eq!(jane.put(body).await.status, 200);
        assert_eq!(jane.stored().await.text(Field::Picture), Some("https://example.com/a.png"));
        let body = r#"{"profile_image_url":"https://example.com/b.png","profile_image_url":null}"#;
        assert_eq!(jane.put(body).await.status, 200);
        assert_eq!(jane.stored().await.text(Field::Picture), Some("https://example.com/a.png"));
    }
);

on_both_databases!(
    async fn a_member_that_is_not_read_is_checked(server: Server) {
        let jane = Jane::new(&server).await;
        for other in [r#""\ud800""#, r#"["\u0000"]"#, r#"{"a":01}"#, r#""\x""#, "[1,]", r#"{"\u0000":1}"#] {
            let answer = jane.put(format!(r#"{{"display_name":"Jo","other":{other}}}"#)).await;
            assert_eq!(faults(&answer), [("body".to_owned(), "invalid JSON".to_owned())], "{other}");
        }
        assert_eq!(jane.stored().await.text(Field::DisplayName), Some("Jane"));
    }
);

on_both_databases!(
    async fn an_account_has_four_large_bodies_in_flight(server: Server) {
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        let body = json!({ "display_name": "Jo", "other": "x".repeat(100_000) }).to_string();
        let mut waiting = Vec::new();
        for _ in 0..4 {
            let mut wire = Wire::connect(&server).await;
            wire.send(format!(
                "PUT {PROFILE} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
                jane.token,
                body.len()
            ))
            .await;
            wire.wait_for_continue().await;
            waiting.push(wire);
        }
        let refused = jane.put(body.clone()).await;
        assert_eq!(wait(&refused), SECOND);
        assert_eq!(refused.header("x-ratelimit-limit"), "4");
        // Small bodies and other accounts are not concerned.
        assert_eq!(jane.put(r#"{"display_name":"Joan"}"#).await.status, 200);
        assert_eq!(john.put(body.clone()).await.status, 200);
        for wire in &mut waiting {
            wire.send(&body).await;
            assert_eq!(wire.answer().await.status, 200);
        }
        assert_eq!(jane.put(body).await.status, 200);
    }
);
