//! Pictures given as an address or as a data URI.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Jane, faults};
use crate::support::{Answer, Server};

/// A PNG of one pixel.
pub(crate) const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
/// The base64 part of [`PIXEL`].
const DIGITS: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

async fn put(jane: &Jane<'_>, picture: &str) -> Answer {
    jane.put(json!({ "profile_image_url": picture }).to_string()).await
}

fn shown(answer: &Answer) -> String {
    answer.json()["data"]["profile_image_url"].as_str().unwrap().to_owned()
}

on_both_databases!(
    async fn an_address_is_stored_unchanged(server: Server) {
        let jane = Jane::new(&server).await;
        let longest = format!("https://example.com/{}", "x".repeat(2048 - 20));
        for address in ["https://example.com/avatar.jpg", "http://example.com/a?b=c#d", "HTTPS://Example.com", &longest]
        {
            let answer = put(&jane, address).await;
            assert_eq!(answer.status, 200, "{answer}");
            assert_eq!(shown(&answer), address);
        }
    }
);

on_both_databases!(
    async fn a_value_that_is_neither_an_address_nor_a_picture_is_refused(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let form = "must be an http or https URL or a base64 image data URI";
        let kind = "unsupported image type";
        let digits = "invalid base64 data";
        let long = format!("https://example.com/{}", "x".repeat(2049 - 20));
        for (picture, reason) in [
            (" ", form),
            ("javascript:alert(1)", form),
            ("file:///etc/passwd", form),
            ("ftp://example.com/a.png", form),
            ("/avatar.jpg", form),
            ("//example.com/avatar.jpg", form),
            ("https://", form),
            ("https://example.com/a b.png", form),
            (" https://example.com/a.png", form),
            ("https://jane:secret@example.com/a.png", form),
            ("https://example.com/\u{e9}.png", form),
            ("https://example.com/\0", form),
            ("https://%EF%BF%BD/a.png", form),
            ("https://xn--a/a.png", form),
            (&*long, "must be at most 2048 characters"),
            ("data:", form),
            (&*format!("data:image/png,{DIGITS}"), form),
            (&*format!("data:;base64,{DIGITS}"), kind),
            (&*format!("data:text/plain;base64,{DIGITS}"), kind),
            (&*format!("data:image/svg+xml;base64,{DIGITS}"), kind),
            ("data:image/png;base64,", digits),
            ("data:image/png;base64,iVBORw0KGgo==", digits),
            ("data:image/png;base64,iVBORw0KG", digits),
            ("data:image/png;base64,iVBORw0K-_o=", digits),
        ] {
            let answer = put(&jane, picture).await;
            assert_eq!(answer.status, 422, "{picture}: {answer}");
            assert_eq!(faults(&answer), [("profile_image_url".to_owned(), reason.to_owned())], "{picture}");
        }
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn a_picture_is_stored_and_served_to_every_client(server: Server) {
        let jane = Jane::new(&server).await;
        let answer = put(&jane, PIXEL).await;
        assert_eq!(answer.status, 200, "{answer}");
        let address = shown(&answer);
        assert!(address.starts_with(&format!("http://{}/pictures/", server.address())), "{address}");
        let served = reqwest::get(&address).await.unwrap();
        assert_eq!(served.status(), 200);
        assert_eq!(served.headers()["x-content-type-options"], "nosniff");
        assert_eq!(served.headers()["cache-control"], "public, max-age=300");
        let kind = served.headers()["content-type"].to_str().unwrap().to_owned();
        let bytes = served.bytes().await.unwrap();
        let format = image::guess_format(&bytes).unwrap();
        assert_eq!(format.to_mime_type(), kind);
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (1, 1));
    }
);

on_both_databases!(
    async fn the_same_picture_or_its_address_changes_nothing(server: Server) {
        let jane = Jane::new(&server).await;
        let address = shown(&put(&jane, PIXEL).await);
        let before = jane.stored().await;
        for picture in [address.as_str(), PIXEL, &PIXEL.replace("data:image/png;base64", "DATA:IMAGE/PNG;BASE64")] {
            let answer = put(&jane, picture).await;
            assert_eq!((answer.status.as_u16(), shown(&answer)), (200, address.clone()));
            assert_eq!(jane.stored().await, before);
        }
    }
);

on_both_databases!(
    async fn a_picture_that_is_not_the_accounts_own_is_refused(server: Server) {
        let (jane, john) = (Jane::new(&server).await, Jane::unknown(&server).await);
        let of_john = shown(&put(&john, &PIXEL.replace("data:image/png;base64", "DATA:IMAGE/PNG;BASE64")).await);
        let former = shown(&put(&jane, PIXEL).await);
        put(&jane, "https://example.com/a.png").await;
        for address in [&of_john, &former, &format!("http://{}/pictures/none", server.address())] {
            let answer = put(&jane, address).await;
            assert_eq!(answer.status, 422, "{answer}");
            assert_eq!(faults(&answer), [("profile_image_url".to_owned(), "not a picture of this account".to_owned())]);
        }
    }
);

on_both_databases!(
    async fn bytes_that_are_not_a_picture_fail_and_leave_the_name_unchanged(server: Server) {
        let jane = Jane::new(&server).await;
        let before = jane.stored().await;
        let cut = format!("data:image/png;base64,{}", &DIGITS[..60]);
        let no_picture =
            format!("data:image/png;base64,{}", STANDARD.encode("<svg xmlns='http://www.w3.org/2000/svg'/>"));
        for picture in [&no_picture, &cut] {
            let body = json!({ "display_name": "Jo", "profile_image_url": picture, "profile": { "bio": "x" } });
            insta::assert_snapshot!(jane.put(body.to_string()).await, @r#"
            400 Bad Request
            content-type: application/json

            {"success":false,"error":{"code":"PROFILE_UPDATE_FAILED","message":"Profile update failed","details":{"field":"profile_image_url","reason":"image is damaged"},"timestamp":"2026-03-20T14:30:00Z"},"message":"Profile update failed"}
            "#);
            assert_eq!(jane.stored().await, before);
        }
    }
);

/// An opaque PNG with a text chunk of `length` bytes, which a viewer does not show.
fn png_with_text(width: u32, height: u32, length: usize) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]));
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    let mut png = file.into_inner();
    let mut text = b"tEXtComment\0".to_vec();
    text.extend(SECRET.bytes().cycle().take(length));
    let mut sum = flate2::Crc::new();
    sum.update(&text);
    let chunk = [&(text.len() as u32 - 4).to_be_bytes()[..], &text, &sum.sum().to_be_bytes()].concat();
    // Inserted after the signature and the header, which have 33 bytes.
    png.splice(33..33, chunk);
    png
}

/// Metadata as a photograph may contain.
const SECRET: &str = "Taken at home: 59.9139 N, 10.7522 E. ";

fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

on_both_databases!(
    async fn a_picture_has_at_most_2_mib(server: Server) {
        let jane = Jane::new(&server).await;
        let overhead = png_with_text(8, 8, 0).len();
        let largest = png_with_text(8, 8, 2 * 1024 * 1024 - overhead);
        assert_eq!(largest.len(), 2 * 1024 * 1024);
        let answer = put(&jane, &data_uri(&largest)).await;
        assert_eq!(answer.status, 200, "{answer}");
        let before = jane.stored().await;
        let larger = png_with_text(8, 8, 2 * 1024 * 1024 - overhead + 1);
        let answer = put(&jane, &data_uri(&larger)).await;
        assert_eq!(answer.status, 422, "{answer}");
        assert_eq!(faults(&answer), [("profile_image_url".to_owned(), "image too large".to_owned())]);
        assert_eq!(jane.stored().await, before);
    }
);

on_both_databases!(
    async fn a_picture_becomes_small_and_loses_everything_but_its_pixels(server: Server) {
        let jane = Jane::new(&server).await;
        let address = shown(&put(&jane, &data_uri(&png_with_text(1200, 600, 500))).await);
        let bytes = reqwest::get(&address).await.unwrap().bytes().await.unwrap();
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (512, 256));
        assert!(!bytes.windows(8).any(|some| some == &SECRET.as_bytes()[..8]));
    }
);
