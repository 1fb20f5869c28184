//! Pictures as libraries and phones send them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::rivergen::{Jane, PIXEL};
use crate::support::{Answer, Server};

async fn put(jane: &Jane<'_>, picture: &str) -> Answer {
    jane.put(json!({ "profile_image_url": picture }).to_string()).await
}

/// The bytes of the pixel.
fn pixel() -> Vec<u8> {
    STANDARD.decode(PIXEL.split_once(',').unwrap().1).unwrap()
}

on_both_databases!(
    async fn data_uris_are_taken_as_libraries_write_them(server: Server) {
        let jane = Jane::new(&server).await;
        let digits = PIXEL.split_once(',').unwrap().1;
        let lines: Vec<&str> = digits.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
        for picture in [
            format!("data:image/png;name=a.png;base64,{digits}"),
            format!("data:image/png;charset=utf-8;base64,{digits}"),
            format!("data:image/png;base64,{}", lines.join("\r\n")),
            format!("data:image/png;base64,{digits}\n"),
            format!("data:image/png;base64,{}", digits.trim_end_matches('=')),
            format!("data:image/png;base64,{}", digits.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
            format!("data:image/pjpeg;base64,{digits}"),
            format!("data:image/jpeg;base64,{digits}"),
        ] {
            let answer = put(&jane, &picture).await;
            assert_eq!(answer.status, 200, "{picture}: {answer}");
            let shown = answer.json()["data"]["profile_image_url"].as_str().unwrap().to_owned();
            assert!(shown.contains("/pictures/"), "{shown}");
        }
    }
);

on_both_databases!(
    async fn a_picture_without_its_end_marker_is_taken_and_an_incomplete_one_is_called_damaged(server: Server) {
        let jane = Jane::new(&server).await;
        let mut jpeg = std::io::Cursor::new(Vec::new());
        let image = image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([(x * 6) as u8, (y * 6) as u8, 90]));
        image.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        let (jpeg, png) = (jpeg.into_inner(), pixel());
        let uri = |bytes: &[u8]| format!("data:image/png;base64,{}", STANDARD.encode(bytes));
        for complete in [&jpeg[..jpeg.len() - 2], &png[..png.len() - 12]] {
            let answer = put(&jane, &uri(complete)).await;
            assert_eq!(answer.status, 200, "{answer}");
        }
        for damaged in [&jpeg[..jpeg.len() / 2], &png[..png.len() / 2], b"<svg/>"] {
            let answer = put(&jane, &uri(damaged)).await;
            assert_eq!(answer.status, 400, "{answer}");
            assert_eq!(answer.json()["error"]["details"]["reason"], "image is damaged");
        }
    }
);

on_both_databases!(
    async fn an_address_whose_host_browsers_refuse_is_refused_and_any_other_is_stored_as_sent(server: Server) {
        let jane = Jane::new(&server).await;
        for refused in ["https://%EF%BF%BD", "https://xn--a/a.png", "https://1.2.3.256/a.png"] {
            assert_eq!(put(&jane, refused).await.status, 422, "{refused}");
        }
        for taken in ["https://EXAMPLE.com:443/a/../b.png", "https://xn--bcher-kva.example/a.png"] {
            let answer = put(&jane, taken).await;
            assert_eq!(answer.json()["data"]["profile_image_url"], taken, "{answer}");
        }
    }
);
