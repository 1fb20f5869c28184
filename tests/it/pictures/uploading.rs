//! Uploads: from the bytes that a client sent to the name of the picture.

use selfsame::account::{Upload, is_picture_name};

use super::*;
use crate::support::Database;

on_both_databases!(
    async fn an_upload_is_identified_by_the_hash_and_the_number_of_its_bytes(server: Server) {
        let prepared = prepare(&server, PIXEL).await.unwrap();
        let sha256 = "c414cd0e204de974f73753c7e28d7638e7b3691bb8b1a2bab6b25bb7fed7ce77";
        assert_eq!(prepared.upload(), Upload { sha256, bytes: 70 });
        let again = prepare(&server, &PIXEL.replace("image/png", "IMAGE/PNG")).await.unwrap();
        assert_eq!(prepared.upload(), again.upload());
    }
);

on_both_databases!(
    async fn the_same_picture_gets_another_name_each_time(server: Server) {
        let (first, second) = (upload(&server, PIXEL).await, upload(&server, PIXEL).await);
        assert!(is_picture_name(&first) && is_picture_name(&second) && first != second, "{first} {second}");
        assert_eq!(
            picture::address("https://id.example.com", &first),
            format!("https://id.example.com/pictures/{first}")
        );
    }
);

on_both_databases!(
    async fn bytes_that_are_not_a_picture_cannot_be_used(server: Server) {
        let png = png(8, 8);
        for text in [
            data_uri("image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            data_uri("image/png", &png[..png.len() / 2]),
            data_uri("image/webp", b"RIFF\xff\xff\xff\xffWEBPVP8X"),
            data_uri("image/gif", b"GIF89a\xff\xff\xff\xff\0\0\0"),
        ] {
            assert!(matches!(prepare(&server, &text).await, Err(Error::PictureUnusable)), "{text}");
        }
        assert_eq!(in_state(&server, PictureState::Pending).await, [""; 0]);
    }
);

on_both_databases!(
    async fn a_picture_is_refused_when_too_many_wait(server: Server) {
        let text = data_uri("image/png", &png(600, 600));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..60 {
            let (app, text) = (server.app.clone(), text.clone());
            tasks.spawn(async move {
                let Ok(PictureInput::Data(data)) = picture::read(&text, "") else { panic!("no data") };
                app.pictures().prepare(&data).await.map(drop)
            });
        }
        let (mut done, mut away) = (0, 0);
        while let Some(prepared) = tasks.join_next().await {
            match prepared.unwrap() {
                Ok(_) => done += 1,
                Err(Error::Unavailable(_)) => away += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        // Two are decoded and sixteen wait.
        assert!(done >= 18 && away > 0, "{done} were decoded and {away} sent away");
        prepare(&server, PIXEL).await.unwrap();
    }
);

on_both_databases!(
    async fn an_upload_that_cannot_be_stored_was_recorded_before(database: Database) {
        let server = Server::with(database, &[]).await;
        let prepared = prepare(&server, PIXEL).await.unwrap();
        // A file where the folder should be.
        std::fs::write(server.data().join("pictures"), "").unwrap();
        assert!(matches!(server.app.pictures().upload(NONE, &prepared).await, Err(Error::Unavailable(_))));
        let pending = in_state(&server, PictureState::Pending).await;
        assert_eq!(pending.len(), 1);
        // The sweeper keeps the row of a picture that it could not delete.
        server.pass(super::sweeping::DAY);
        assert!(matches!(server.app.pictures().sweep().await, Err(Error::Unavailable(_))));
        assert_eq!(in_state(&server, PictureState::Deleting).await, pending);
        std::fs::remove_file(server.data().join("pictures")).unwrap();
        server.app.pictures().sweep().await.unwrap();
        assert_eq!(in_state(&server, PictureState::Deleting).await, [""; 0]);
    }
);

on_both_databases!(
    async fn only_the_owner_of_the_folder_can_read_it(server: Server) {
        use std::os::unix::fs::PermissionsExt as _;
        upload(&server, PIXEL).await;
        let folder = std::fs::metadata(server.data().join("pictures")).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    }
);
