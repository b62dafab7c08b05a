//! Canonical JSON (RFC 8785): the one text of a value, which hashes and signatures are over.
//!
//! Members are sorted by the UTF-16 code units of their names, nothing is between tokens, numbers are written as
//! ECMAScript does. Every record is hashed, so this is most of what a decision costs: the value is written once, in
//! the order in which it comes, and each object is put in order in place when it ends.

use std::cmp::Ordering;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Integers up to here are the same as an ECMAScript number: 2^53.
const MAX_INTEGER: f64 = 9_007_199_254_740_992.0;
/// A record seldom has more.
const USUAL_BYTES: usize = 1024;
/// From this byte on, a UTF-8 text has characters that UTF-16 sorts in another order: U+E000 and above.
const FIRST_UNLIKE_UTF16: u8 = 0xee;

/// The canonical JSON of `value`.
///
/// # Errors
/// A map whose keys are no texts, or a value that refuses to be serialised.
pub fn to_vec(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut canonical =
        Canonical { out: Vec::with_capacity(USUAL_BYTES), members: Vec::new(), objects: Vec::new() };
    let nothing: &mut [u8] = &mut [];
    value.serialize(&mut Serializer::with_formatter(nothing, Tokens(&mut canonical)))?;
    Ok(canonical.out)
}

/// What is written so far.
struct Canonical {
    out: Vec<u8>,
    /// Members of the objects that have not ended, outer ones first.
    members: Vec<Member>,
    /// Where the members of each of these objects begin in `members`.
    objects: Vec<usize>,
}

/// Where a member stands in the text.
#[derive(Default)]
struct Member {
    /// The quote before its name.
    start: usize,
    /// The colon after it.
    colon: usize,
    end: usize,
    /// Whether its name, as it is written, sorts as its UTF-16 code units do.
    is_plain: bool,
}

impl Member {
    /// Its name as it is written.
    fn name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start + 1..self.colon.saturating_sub(1)).unwrap_or_default()
    }
}

impl Canonical {
    /// The order of two members by the UTF-16 code units of their names.
    fn order(text: &[u8], one: &Member, other: &Member) -> Ordering {
        if one.is_plain && other.is_plain {
            return one.name(text).cmp(other.name(text));
        }
        let units = |member: &Member| -> Vec<u16> {
            let quoted = text.get(member.start..member.colon).unwrap_or_default();
            let name: String = serde_json::from_slice(quoted).unwrap_or_default(); // INVARIANT: it was written as one
            name.encode_utf16().collect()
        };
        units(one).cmp(&units(other))
    }

    /// Puts the members of the object that ends in order.
    fn end_object(&mut self) {
        let first = self.objects.pop().unwrap_or_default();
        let members = self.members.get_mut(first..).unwrap_or_default();
        let out = &self.out;
        let by_name = |one: &Member, other: &Member| Self::order(out, one, other);
        if !members.is_sorted_by(|one, other| by_name(one, other).is_le()) {
            let start = members.first().map_or(0, |member| member.start);
            let unordered = self.out.get(start..).unwrap_or_default().to_vec();
            members.sort_by(by_name);
            self.out.truncate(start);
            for member in members.iter() {
                let text = unordered.get(member.start - start..member.end - start);
                self.out.extend_from_slice(text.unwrap_or_default());
                self.out.push(b',');
            }
            self.out.pop();
        }
        self.members.truncate(first);
        self.out.push(b'}');
    }
}

/// What `serde_json` calls for each token. Its own writer takes nothing: a token that is forgotten here is an error.
struct Tokens<'c>(&'c mut Canonical);

impl Tokens<'_> {
    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        self.0.out.extend_from_slice(text);
        Ok(())
    }

    fn float(&mut self, value: f64) -> io::Result<()> {
        self.put(ryu_js::Buffer::new().format(value).as_bytes())
    }
}

macro_rules! integers {
    ($($name:ident $type:ty),*) => {$(
        fn $name<W: ?Sized + Write>(&mut self, _: &mut W, value: $type) -> io::Result<()> {
            if (value as f64).abs() < MAX_INTEGER { write!(self.0.out, "{value}") } else { self.float(value as f64) }
        }
    )*};
}

impl Formatter for Tokens<'_> {
    integers!(write_i8 i8, write_i16 i16, write_i32 i32, write_i64 i64, write_i128 i128);
    integers!(write_u8 u8, write_u16 u16, write_u32 u32, write_u64 u64, write_u128 u128);

    fn write_f32<W: ?Sized + Write>(&mut self, _: &mut W, value: f32) -> io::Result<()> {
        self.float(value.into())
    }
    fn write_f64<W: ?Sized + Write>(&mut self, _: &mut W, value: f64) -> io::Result<()> {
        self.float(value)
    }
    fn write_number_str<W: ?Sized + Write>(&mut self, _: &mut W, value: &str) -> io::Result<()> {
        self.float(value.parse().map_err(io::Error::other)?)
    }
    fn write_null<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"null")
    }
    fn write_bool<W: ?Sized + Write>(&mut self, _: &mut W, value: bool) -> io::Result<()> {
        self.put(if value { b"true" } else { b"false" })
    }
    fn begin_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }
    fn end_string<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }
    fn write_string_fragment<W: ?Sized + Write>(&mut self, _: &mut W, text: &str) -> io::Result<()> {
        self.put(text.as_bytes())
    }
    fn write_char_escape<W: ?Sized + Write>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::Quote => self.put(b"\\\""),
            CharEscape::ReverseSolidus => self.put(b"\\\\"),
            CharEscape::Solidus => self.put(b"/"),
            CharEscape::Backspace => self.put(b"\\b"),
            CharEscape::FormFeed => self.put(b"\\f"),
            CharEscape::LineFeed => self.put(b"\\n"),
            CharEscape::CarriageReturn => self.put(b"\\r"),
            CharEscape::Tab => self.put(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(self.0.out, "\\u{byte:04x}"),
        }
    }
    fn begin_array<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"[")
    }
    fn end_array<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"]")
    }
    fn begin_array_value<W: ?Sized + Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.put(if first { b"" } else { b"," })
    }
    fn begin_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.objects.push(self.0.members.len());
        self.put(b"{")
    }
    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.begin_array_value(writer, first)?;
        let start = self.0.out.len();
        self.0.members.push(Member { start, ..Member::default() });
        Ok(())
    }
    fn begin_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let Canonical { out, members, .. } = &mut *self.0;
        if let Some(member) = members.last_mut() {
            member.colon = out.len();
            let is_plain = |byte: &u8| *byte != b'\\' && *byte < FIRST_UNLIKE_UTF16;
            member.is_plain = member.name(out).iter().all(is_plain);
        }
        self.put(b":")
    }
    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        let Canonical { out, members, .. } = &mut *self.0;
        if let Some(member) = members.last_mut() {
            member.end = out.len();
        }
        Ok(())
    }
    fn end_object<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.end_object();
        Ok(())
    }
}
