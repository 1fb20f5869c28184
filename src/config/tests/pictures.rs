//! Where pictures are stored.

use super::super::PictureStore;
use super::*;

#[test]
fn pictures_are_in_a_folder_of_the_data_folder_by_default() {
    let config = with_file("data = \"d\"");
    assert_eq!(config.pictures.store, PictureStore::Folder);
    assert_eq!(config.pictures_folder(), Path::new("d/pictures"));
}

#[test]
fn a_bucket_may_have_a_prefix() {
    for (url, name, prefix) in [
        ("s3://faces", "faces", ""),
        ("s3://faces/", "faces", ""),
        ("s3://faces.example/a/b_c", "faces.example", "a/b_c"),
        ("s3://faces/a/", "faces", "a"),
    ] {
        let expected = PictureStore::Bucket { name: name.to_owned(), prefix: prefix.to_owned() };
        assert_eq!(with_file(&format!("pictures.store = {url:?}")).pictures.store, expected);
    }
}

#[test]
fn a_store_that_is_not_a_bucket_is_refused() {
    for value in
        ["s3:faces", "s3://", "s3:///a", "s3://a//b", "s3://a/../b", "s3://a b", "faces", "/srv/faces", "gs://a"]
    {
        assert_eq!(
            file_error(&format!("pictures.store = {value:?}")),
            format!(
                "config.toml:1: pictures.store = {value:?}: \
                 expected s3://BUCKET or s3://BUCKET/PREFIX, or nothing for a folder"
            )
        );
    }
}

#[test]
fn an_access_key_and_its_secret_must_be_given_together() {
    assert_eq!(
        file_error("pictures.s3_access_key_id = \"id\""),
        "config.toml:1: pictures.s3_access_key_id = \"id\": pictures.s3_secret_access_key must be given too"
    );
    assert_eq!(
        file_error("pictures.s3_secret_access_key = \"hunter2\""),
        "config.toml:1: pictures.s3_secret_access_key = (hidden): pictures.s3_access_key_id must be given too"
    );
}

#[test]
fn a_service_without_tls_must_be_allowed() {
    let endpoint = "pictures.s3_endpoint = \"http://127.0.0.1:9000\"\n";
    assert_eq!(
        file_error(endpoint),
        "config.toml:1: pictures.s3_endpoint = \"http://127.0.0.1:9000\": \
         must start with https://; to allow http://, set pictures.s3_allow_http = true"
    );
    with_file(&format!("{endpoint}pictures.s3_allow_http = true"));
    with_file("pictures.s3_endpoint = \"https://minio.example.com\"");
}
