//! Pictures, from the data URI to the address that serves them.

mod buckets;
mod removing;
mod serving;
mod sweeping;
mod uploading;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame::account::{Account, AccountId, Error, Field, Patch, Picture};
use selfsame::picture::{self, PictureInput, Prepared};
use selfsame::store::PictureState;

use crate::support::{Server, patch};

/// A PNG of one transparent pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

/// An opaque PNG of one colour.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([1, 2, 3]))
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}

fn data_uri(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

async fn prepare(server: &Server, text: &str) -> Result<Prepared, Error> {
    match picture::read(text, "https://id.example.com") {
        Ok(PictureInput::Data(data)) => server.app.pictures().prepare(&data).await,
        other => panic!("no data: {other:?}"),
    }
}

/// An account that does not exist, for uploads without a change.
const NONE: AccountId = AccountId(uuid::Uuid::nil());

/// Uploads a picture for a change that never comes.
async fn upload(server: &Server, text: &str) -> String {
    upload_for(server, NONE, text).await
}

async fn upload_for(server: &Server, account: AccountId, text: &str) -> String {
    let prepared = prepare(server, text).await.unwrap();
    server.app.pictures().upload(account, &prepared).await.unwrap()
}

/// The names of pictures in a state.
async fn in_state(server: &Server, state: PictureState) -> Vec<String> {
    let pictures = server.app.store().pictures_in_state(state, jiff::Timestamp::MAX).await.unwrap();
    pictures.into_iter().map(|picture| picture.unwrap().1).collect()
}

/// A patch that sets an uploaded picture as the picture of an account.
fn showing(name: &str) -> Patch {
    patch(&[(Field::Picture, &Picture::Stored { name, upload: None }.to_string())])
}

/// Uploads a picture for an account.
async fn show(server: &Server, account: &Account) -> String {
    let name = upload_for(server, account.id, PIXEL).await;
    server.operate(account, showing(&name)).await;
    name
}

/// Requests a picture and returns the response, whose body is not read yet.
async fn fetch(server: &Server, name: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(format!("http://{}/pictures/{name}", server.address()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// Whether the file of a picture is stored, so that its account can show it again.
async fn is_kept(server: &Server, name: &str) -> bool {
    server.app.pictures().get(name).await.unwrap().is_some()
}

async fn is_served(server: &Server, name: &str) -> bool {
    match fetch(server, name, &[]).await.status().as_u16() {
        200 => true,
        404 => false,
        other => panic!("{other}"),
    }
}
