//! The server reads and writes the examples of docs/secure-channel.md.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame::jose::{Message, PrivateKey};
use selfsame::keys::SealingKey;
use selfsame::secure_channel::access_token_hash;
use selfsame::secure_channel::envelope::{self, Envelope};

const PAGE: &str = include_str!("../../../../docs/secure-channel.md");
const VECTORS: &str = include_str!("../../../../docs/secure-channel-vectors.json");

struct Vectors(serde_json::Value);

impl Vectors {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        STANDARD.decode(self.text(name)).unwrap()
    }

    fn key(&self, name: &str) -> SealingKey {
        SealingKey::new(&self.bytes(name).try_into().unwrap())
    }
}

#[test]
fn the_documented_examples_are_read_and_written() {
    let vectors = Vectors(serde_json::from_str(VECTORS).unwrap());
    let session = vectors.text("sessionId").as_bytes();
    let (request, response) = (vectors.text("request").as_bytes(), vectors.text("response").as_bytes());

    let in_session = vectors.bytes("type2");
    let Some(Envelope::Session { payload }) = envelope::read(&in_session) else { panic!("type 2 is not read") };
    assert_eq!(vectors.key("requestKey").open(session, payload).unwrap(), request);
    let json = selfsame::json::parse(vectors.text("type2Json").as_bytes()).unwrap();
    assert_eq!(envelope::read_json(json.as_object().unwrap()).unwrap().unwrap(), payload);

    let iv = |from: u8| std::array::from_fn(|index| from + index as u8);
    let payload = vectors.key("responseKey").seal(iv(0x60), session, response);
    assert_eq!(envelope::response(&payload), vectors.bytes("type129"));
    assert_eq!(envelope::response_json(&payload), vectors.text("type129Json").as_bytes());

    let alone = vectors.bytes("type1");
    let Some(Envelope::OneOff { key_id, request_key, response_key, payload }) = envelope::read(&alone) else {
        panic!("type 1 is not read")
    };
    let private = PrivateKey::rsa(&vectors.bytes("privateKey")).unwrap();
    assert_eq!(key_id, vectors.text("keyId"));
    assert_eq!((request_key, response_key), (&*vectors.bytes("encReqKey"), &*vectors.bytes("encRespKey")));
    assert_eq!(private.decrypt(request_key).unwrap(), vectors.bytes("requestKey"));
    assert_eq!(private.decrypt(response_key).unwrap(), vectors.bytes("responseKey"));
    assert_eq!(vectors.key("requestKey").open(b"", payload).unwrap(), request);
    let payload = vectors.key("responseKey").seal(iv(0x70), b"", response);
    assert_eq!(envelope::response(&payload), vectors.bytes("type129OfType1"));

    let message = Message::compact(vectors.text("jwe").as_bytes()).unwrap();
    assert_eq!(message.open(&private, [0; 32]).unwrap(), request);
    let header = |name| message.header().get(name).and_then(|value| value.as_str());
    assert_eq!((header("kid"), message.key_id()), (Some(key_id), Some(key_id)));
    assert_eq!(header("ath").unwrap(), access_token_hash(vectors.text("accessToken")));

    assert!(PAGE.contains(vectors.text("type2")) && PAGE.contains(vectors.text("sessionId")));
}
