//! Pictures as they are served to pages that embed them.

use super::*;
use crate::support::Wire;

/// The status, and one line for each header, sorted, without headers that differ from run to run.
fn head(response: &reqwest::Response) -> String {
    let left_out = ["date", "x-request-id", "etag"];
    let headers = response.headers().iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
    let mut lines: Vec<String> = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    format!("{}\n{}", response.status(), lines.join("\n"))
}

on_both_databases!(
    async fn a_picture_is_served_with_its_type_for_five_minutes_and_sandboxed(server: Server) {
        let name = show(&server, &server.person(&[]).await).await;
        let response = fetch(&server, &name, &[]).await;
        assert_eq!(response.headers()["etag"].to_str().unwrap(), format!("\"{name}\""));
        insta::assert_snapshot!(head(&response), @"
        200 OK
        cache-control: public, max-age=300
        content-disposition: inline
        content-length: 73
        content-security-policy: sandbox; default-src 'none'
        content-type: image/png
        cross-origin-resource-policy: cross-origin
        x-content-type-options: nosniff
        ");
        let bytes = response.bytes().await.unwrap();
        let kept = image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).unwrap();
        assert_eq!((kept.width(), kept.height()), (1, 1));
    }
);

on_both_databases!(
    async fn an_opaque_picture_is_a_jpeg_or_a_smaller_png(server: Server) {
        let account = server.person(&[]).await;
        let mut photograph = std::io::Cursor::new(Vec::new());
        let pixel = |x: u32, y: u32| image::Rgb([(x * x + y * 3) as u8, (x * y / 7) as u8, (y * y / 5 + x) as u8]);
        image::RgbImage::from_fn(700, 350, pixel).write_to(&mut photograph, image::ImageFormat::Png).unwrap();
        for (file, ending, media_type, format) in [
            (photograph.into_inner(), ".jpg", "image/jpeg", image::ImageFormat::Jpeg),
            (png(700, 350), ".png", "image/png", image::ImageFormat::Png),
        ] {
            let name = upload_for(&server, account.id, &data_uri("image/png", &file)).await;
            server.operate(&account, showing(&name)).await;
            assert!(name.ends_with(ending));
            let response = fetch(&server, &name, &[]).await;
            assert_eq!(response.headers()["content-type"], media_type);
            let bytes = response.bytes().await.unwrap();
            let kept = image::load_from_memory_with_format(&bytes, format).unwrap();
            assert_eq!((kept.width(), kept.height()), (512, 256));
        }
    }
);

on_both_databases!(
    async fn a_client_that_has_the_picture_already_gets_304(server: Server) {
        let name = show(&server, &server.person(&[]).await).await;
        let tag = format!("\"{name}\"");
        for tags in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let response = fetch(&server, &name, &[("If-None-Match", &tags)]).await;
            assert_eq!(response.headers()["etag"].to_str().unwrap(), tag);
            insta::assert_snapshot!(head(&response), @"
            304 Not Modified
            cache-control: public, max-age=300
            content-disposition: inline
            content-security-policy: sandbox; default-src 'none'
            cross-origin-resource-policy: cross-origin
            x-content-type-options: nosniff
            ");
            assert_eq!(response.bytes().await.unwrap().len(), 0);
        }
        for tags in ["\"other\"", "", &name] {
            assert_eq!(fetch(&server, &name, &[("If-None-Match", tags)]).await.status(), 200);
        }
        let gone = "0123456789abcdef0123456789abcdef.png";
        assert_eq!(fetch(&server, gone, &[("If-None-Match", "*")]).await.status(), 404);
    }
);

on_both_databases!(
    async fn a_head_request_gets_the_same_headers(server: Server) {
        let name = show(&server, &server.person(&[]).await).await;
        let url = format!("http://{}/pictures/{name}", server.address());
        let response = reqwest::Client::new().head(url).send().await.unwrap();
        assert_eq!(head(&response), head(&fetch(&server, &name, &[]).await));
        assert_eq!(response.bytes().await.unwrap().len(), 0);
    }
);

on_both_databases!(
    async fn a_name_that_is_not_a_picture_is_not_found(server: Server) {
        show(&server, &server.person(&[]).await).await;
        for name in [
            "0123456789abcdef0123456789abcdef.png",
            "0123456789abcdef0123456789abcdef.jpg",
            "0123456789abcdef0123456789abcdef.gif",
            "0123456789ABCDEF0123456789ABCDEF.png",
            "0123456789abcdef0123456789abcde.png",
            "0123456789abcdef0123456789abcdef",
            "a",
            "",
            "%ff",
            "a/b",
        ] {
            let answer = server.request("GET", &format!("/pictures/{name}")).send().await;
            assert_eq!(
                (answer.status.as_u16(), answer.header("content-type")),
                (404, "application/problem+json"),
                "{name}"
            );
        }
        assert_eq!(server.request("GET", "/pictures").send().await.status, 404);
    }
);

on_both_databases!(
    async fn no_path_leads_out_of_the_folder(server: Server) {
        show(&server, &server.person(&[]).await).await;
        assert!(server.data().join("secret.key").exists());
        for path in [
            "/pictures/../secret.key",
            "/pictures/..%2fsecret.key",
            "/pictures/%2e%2e%2fsecret.key",
            "/pictures/..%5csecret.key",
            "/pictures/%2e%2e/secret.key",
            "//pictures/../secret.key",
            "/pictures/0123456789abcdef0123456789abcdef.png%00",
        ] {
            let mut wire = Wire::connect(&server).await;
            wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
            assert_eq!(wire.answer().await.status, 404, "{path}");
        }
    }
);

on_both_databases!(
    async fn other_methods_are_refused(server: Server) {
        let name = show(&server, &server.person(&[]).await).await;
        for method in ["PUT", "POST", "DELETE"] {
            let answer = server.request(method, &format!("/pictures/{name}")).send().await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD, OPTIONS"));
        }
        assert_eq!(server.request("OPTIONS", &format!("/pictures/{name}")).send().await.status, 204);
    }
);
