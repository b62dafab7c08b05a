//! Text in an item, compressed where it is long: a write is billed per KB, and an item holds 400 KB.

use std::io::{Read, Write};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::events::{Item, s};

/// What an item holds (400 KB), less room for the keys.
pub(crate) const MAX_STORED_BYTES: usize = 390 * 1024;

/// The attribute that holds `text`: `name`, or `<name>_deflated` where it is longer than `plain_bytes`.
///
/// # Errors
/// The text could not be compressed.
pub(crate) fn pack(name: &str, text: &str, plain_bytes: usize) -> std::io::Result<(String, AttributeValue)> {
    if text.len() <= plain_bytes {
        return Ok((name.to_owned(), s(text)));
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok((format!("{name}_deflated"), AttributeValue::B(Blob::new(encoder.finish()?))))
}

/// Bytes of what [`pack`] made.
pub(crate) fn bytes(packed: &(String, AttributeValue)) -> usize {
    let value = packed.1.as_s().map(String::len).or_else(|_| packed.1.as_b().map(|blob| blob.as_ref().len()));
    packed.0.len() + value.unwrap_or_default()
}

/// The text that [`pack`] put under `name`; `None` when there is none. No more than `most` bytes are read.
///
/// # Errors
/// It cannot be read back.
pub(crate) fn unpack(item: &Item, name: &str, most: u64) -> std::io::Result<Option<String>> {
    if let Some(AttributeValue::S(text)) = item.get(name) {
        return Ok(Some(text.clone()));
    }
    let Some(AttributeValue::B(packed)) = item.get(&format!("{name}_deflated")) else { return Ok(None) };
    let mut text = String::new();
    DeflateDecoder::new(packed.as_ref()).take(most).read_to_string(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_and_takes_less_room_where_it_is_long() {
        for (text, name) in [("x".repeat(10), "t"), ("x".repeat(90), "t_deflated")] {
            let packed = pack("t", &text, 10).unwrap();
            assert_eq!(packed.0, name);
            assert!(bytes(&packed) <= 40, "{} bytes", bytes(&packed));
            assert_eq!(unpack(&Item::from([packed]), "t", 100).unwrap(), Some(text));
        }
        assert_eq!(unpack(&Item::new(), "t", 100).unwrap(), None);
    }
}
