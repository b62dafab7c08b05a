//! Forms (`application/x-www-form-urlencoded`), as browsers and PHP write them.
//! <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>

use serde_json::{Map, Value};

use crate::draft::Unreadable;
use crate::limits::MAX_BODY_BYTES;

/// More fields than any form has that means well.
const MAX_FIELDS: usize = 1_000;
/// The deepest `a[b][c]…`.
const MAX_DEPTH: usize = 8;

/// Names and values, in order.
pub(crate) fn pairs(body: &[u8]) -> impl Iterator<Item = (String, String)> + '_ {
    let fields = body.split(|b| *b == b'&').filter(|field| !field.is_empty());
    fields.map(|field| {
        let mut parts = field.splitn(2, |b| *b == b'=');
        let mut next = || decoded(parts.next().unwrap_or_default());
        (next(), next())
    })
}

/// The form as JSON: `data[email]=a` is `{"data": {"email": "a"}}`. The last of several of one name counts.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Unreadable::TooLarge(body.len()));
    }
    let mut form = Value::Object(Map::new());
    for (n, (name, value)) in pairs(body).enumerate() {
        if n == MAX_FIELDS {
            return Err(Unreadable::TooManyFields);
        }
        let path: Vec<&str> = name.split('[').map(|part| part.trim_end_matches(']')).collect();
        if path.len() > MAX_DEPTH {
            return Err(Unreadable::TooDeep);
        }
        let mut place = &mut form;
        for part in path {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Some(members) = place.as_object_mut() else { return Err(Unreadable::NotAnObject) };
            place = members.entry(part.to_owned()).or_insert(Value::Null);
        }
        *place = Value::String(value);
    }
    Ok(form)
}

/// Percent escapes and `+` for a space; what is no UTF-8 is replaced.
fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let escaped = match (first, more) {
            (b'%', [high, low, ..]) => {
                hex_digit(*high).zip(hex_digit(*low)).map(|(high, low)| high << 4 | low)
            }
            (_, _) => None,
        };
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_is_read_as_php_writes_it() {
        let body =
            b"type=subscribe&data%5Bid%5D=8a&data[merges][FNAME]=J%C3%BCrgen+K&odd=%zz&=&lone&type=again";
        let read = json!({
            "type": "again", "data": {"id": "8a", "merges": {"FNAME": "Jürgen K"}}, "odd": "%zz", "": "", "lone": "",
        });
        assert_eq!(parse(body), Ok(read));
    }

    #[test]
    fn a_form_has_bounds() {
        assert_eq!(parse("a=1&".repeat(1_001).as_bytes()), Err(Unreadable::TooManyFields));
        assert_eq!(parse(b"a[b][c][d][e][f][g][h][i]=1"), Err(Unreadable::TooDeep));
    }
}
