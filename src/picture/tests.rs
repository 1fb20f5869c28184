use super::*;
use crate::account::AccountId;
use crate::store::scratch::Scratch;

/// A picture of one pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const ACCOUNT: AccountId = AccountId(uuid::Uuid::nil());

fn pictures(scratch: &Scratch) -> Pictures {
    Pictures::new(scratch.store.clone(), scratch.clock.clone(), &scratch.config).unwrap()
}

async fn uploaded(pictures: &Pictures) -> String {
    let Ok(PictureInput::Data(data)) = read(PIXEL, "https://profile.example.com") else { panic!("a data URI is data") };
    pictures.upload(ACCOUNT, &pictures.prepare(&data).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_upload_can_be_fetched_by_its_name() {
    let scratch = Scratch::new().await;
    let pictures = pictures(&scratch);
    let name = uploaded(&pictures).await;
    assert_eq!(pictures.get(&name).await.unwrap().unwrap().media_type, "image/png");
    assert_ne!(uploaded(&pictures).await, name, "the name depends on the content");
}

#[tokio::test]
async fn an_upload_without_a_change_is_swept_when_its_time_is_over() {
    let scratch = Scratch::new().await;
    let pictures = pictures(&scratch);
    let name = uploaded(&pictures).await;
    pictures.sweep().await.unwrap();
    assert!(pictures.get(&name).await.unwrap().is_some());
    scratch.pass(scratch.config.pictures.pending_for + Duration::from_secs(1));
    pictures.sweep().await.unwrap();
    assert!(pictures.get(&name).await.unwrap().is_none());
}

#[tokio::test]
async fn a_discarded_upload_is_gone_at_once() {
    let scratch = Scratch::new().await;
    let pictures = pictures(&scratch);
    let name = uploaded(&pictures).await;
    pictures.discard(ACCOUNT, &name).await;
    assert!(pictures.get(&name).await.unwrap().is_none());
}
