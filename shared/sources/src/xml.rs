//! XML, as far as SOAP messages need it: elements, attributes and text by their local names. No document type, so no
//! entities but the five that XML has.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::draft::Unreadable;
use crate::limits::{MAX_BODY_BYTES, MAX_JSON_DEPTH};

/// Attributes of one element at most. Each is compared with those before it, and a body has room for a hundred thousand.
const MAX_ATTRIBUTES: usize = 64;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Without a prefix.
    pub(crate) name: String,
    /// Names without a prefix, and values.
    attributes: Vec<(String, String)>,
    /// Text right in it, trimmed.
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// The first child of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Self> {
        self.all(name).next()
    }

    /// The children of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// The root element.
pub(crate) fn parse(body: &[u8]) -> Result<Element, Unreadable> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Unreadable::TooLarge(body.len()));
    }
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8"))?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|error| wrong(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                if open.len() > MAX_JSON_DEPTH {
                    return Err(Unreadable::TooDeep);
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                let empty = element(&start)?;
                close(&mut open, Some(empty));
            }
            Event::End(_) => {
                let done = open.pop();
                close(&mut open, done);
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => {
                let number = name.resolve_char_ref().map_err(|error| wrong(&error.to_string()))?;
                match (number, resolve_predefined_entity(&name)) {
                    (Some(c), _) => add(&mut open, &c.to_string()),
                    (None, Some(text)) => add(&mut open, text),
                    (None, None) => return Err(wrong("it has an entity that XML does not know")),
                }
            }
            Event::DocType(_) => return Err(wrong("it has a document type")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    let is_complete = open.len() == 1;
    let root = open.pop().and_then(|document| document.children.into_iter().next()).filter(|_| is_complete);
    root.ok_or_else(|| wrong("it ends too early"))
}

fn wrong(why: &str) -> Unreadable {
    Unreadable::NotXml(why.to_owned())
}

fn element(start: &BytesStart<'_>) -> Result<Element, Unreadable> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| wrong(&error.to_string()))?;
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(wrong("an element has too many attributes"));
        }
        let value =
            attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| wrong(&error.to_string()))?;
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value.into_owned()));
    }
    Ok(Element { name: start.local_name().as_ref().to_owned(), attributes, ..Element::default() })
}

fn close(open: &mut [Element], done: Option<Element>) {
    if let (Some(parent), Some(mut done)) = (open.last_mut(), done) {
        done.text = done.text.trim().to_owned();
        parent.children.push(done);
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}
