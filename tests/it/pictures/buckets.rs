//! Pictures in an S3 service.

use super::sweeping::DAY;
use super::*;
use crate::support::Database;
use crate::support::s3::S3;

on_both_databases!(
    async fn a_picture_is_kept_in_a_bucket_until_it_is_swept(database: Database) {
        let s3 = S3::start().await;
        let server = Server::with(database, &s3.settings()).await;
        let account = server.person(&[]).await;
        let name = show(&server, &account).await;
        let response = fetch(&server, &name, &[]).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
            (200, "image/png")
        );
        let served = response.bytes().await.unwrap();
        let object = s3.get(&format!("kept/here/{name}")).await;
        assert_eq!(object.status(), 200);
        assert_eq!(object.bytes().await.unwrap(), served);
        assert!(!server.data().join("pictures").exists());

        assert_eq!(fetch(&server, &name, &[("If-None-Match", "*")]).await.status(), 304);
        show(&server, &account).await;
        assert_eq!(fetch(&server, &name, &[("If-None-Match", "*")]).await.status(), 404);
        assert_eq!(s3.get(&format!("kept/here/{name}")).await.status(), 200);
        server.pass(31 * DAY);
        server.app.pictures().sweep().await.unwrap();
        assert_eq!(s3.get(&format!("kept/here/{name}")).await.status(), 404);
        assert!(!is_kept(&server, &name).await);
    }
);

on_both_databases!(
    async fn a_service_that_is_down_makes_pictures_unavailable(database: Database) {
        let mut s3 = S3::start().await;
        let server = Server::with(database, &s3.settings().map(|(name, value)| (name, value))).await;
        let prepared = prepare(&server, PIXEL).await.unwrap();
        let shown = show(&server, &server.person(&[]).await).await;
        let name = upload(&server, PIXEL).await;
        s3.stop();
        assert_eq!(fetch(&server, &shown, &[]).await.status(), 503);
        assert!(matches!(server.app.pictures().upload(NONE, &prepared).await, Err(Error::Unavailable(_))));
        // Both uploads were recorded before they were sent to the service.
        assert_eq!(in_state(&server, PictureState::Pending).await.len(), 2);
        // Returns no error and leaves the picture to the sweeper.
        server.app.pictures().discard(NONE, &name).await;
        assert_eq!(in_state(&server, PictureState::Deleting).await, [name]);
    }
);
