//! Small files of 16 by 16 pixels, blue on the left and red on the right, in forms that the `image` library does not
//! write.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A progressive JPEG, with its chroma subsampled (4:2:0).
pub(super) fn progressive_jpeg() -> Vec<u8> {
    decode(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1x\
         eXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wgAR\
         CAAQABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABAX/xAAVAQEBAAAAAAAAAAAAAAAAAAADBP/aAAwDAQACEAMQAAABloOhqP/E\
         ABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEAAQUCH//EABYRAAMAAAAAAAAAAAAAAAAAAAAEQf/aAAgBAwEBPwFWn//EABYRAAMAAAAAAAAA\
         AAAAAAAAAAAEQf/aAAgBAgEBPwFuH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAIAQEABj8CH//EABQQAQAAAAAAAAAAAAAAAAAAACD/2gAI\
         AQEAAT8hH//aAAwDAQACAAMAAAAQD//EABURAQEAAAAAAAAAAAAAAAAAAMEA/9oACAEDAQE/EBb/xAAVEQEBAAAAAAAAAAAAAAAAAADBAP/a\
         AAgBAgEBPxBy/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPxAf/9k=",
    )
}

/// A JPEG of four inks, inverted as Adobe does.
pub(super) fn cmyk_jpeg() -> Vec<u8> {
    decode(
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlw\
         ZHhcZWdj/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAAB\
         fQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hp\
         anN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5\
         +v/aAA4EQwBNAFkASwAAPwDjq46ukr0CvVaK8qoryqivVaK9Voryqiv/2Q==",
    )
}

/// A lossy WebP.
pub(super) fn lossy_webp() -> Vec<u8> {
    decode("UklGRjgAAABXRUJQVlA4ICwAAABwAQCdASoQABAAAsBMJaACdAFAAAD+7+p/iYX/npnnf/6IKEY/+Px74yAAAA==")
}

/// A lossy WebP with an alpha channel: its upper half is transparent.
pub(super) fn translucent_webp() -> Vec<u8> {
    decode(
        "UklGRmIAAABXRUJQVlA4WAoAAAAQAAAADwAADwAAQUxQSBIAAAABDzD/ERFCLJjkL905hYj+Z5xWUDggKgAAADABAJ0BKhAAEAACwEwloAAD\
         cAD+5rTkH/+c2//6Bkf/+emedP73/9qAAA==",
    )
}

/// A WebP of two lossy frames, the second one green.
pub(super) fn animated_webp() -> Vec<u8> {
    decode(
        "UklGRsAAAABXRUJQVlA4WAoAAAACAAAADwAADwAAQU5JTQYAAAAAAAAAAABBTk1GRAAAAAAAAAAAAA8AAA8AAGQAAAJWUDggLAAAAFABAJ0B\
         KhAAEAACwEwloAAEdAAA/u/J/3g///56Z53/+iCh/Sf/rZNelgAAQU5NRkgAAAAAAAAAAAAPAAAPAABkAAAAVlA4IDAAAAA0AQCdASoQABAA\
         AABMJaAAA3AA/t1Ef//PzP/4H/90+DP//16P//PR//56P8cIAAA=",
    )
}

/// A lossy WebP with an orientation of a quarter turn.
pub(super) fn turned_webp() -> Vec<u8> {
    decode(
        "UklGRmwAAABXRUJQVlA4WAoAAAAIAAAADwAADwAAVlA4ICwAAABwAQCdASoQABAAAsBMJaACdAFAAAD+7+p/iYX/npnnf/6IKEY/+Px74yAA\
         AEVYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA=",
    )
}

fn decode(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}
