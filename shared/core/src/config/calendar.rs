//! A calendar document: when business time passes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::config::flow::NotA;
use crate::day::Day;
use crate::time::text_serde;

/// When business time passes: on which days, at which hours, in which zone. YAML: `kind: Calendar`.
/// A version of it never changes; the field reference is docs/FLOWS.md.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Form as of a flow's id.
    #[cfg_attr(feature = "schema", schemars(with = "crate::config::schema::Id"))]
    pub id: String,
    /// Where its hours and days are those of the clock on the wall.
    pub timezone: Zone,
    /// When it is open, by days of the week; what is not named is closed.
    pub hours: BTreeMap<Weekdays, Vec<Slot>>,
    /// Days on which it is closed.
    #[serde(default)]
    pub holidays: BTreeSet<Day>,
    /// The last day whose holidays are known.
    pub known_until: Day,
}

/// A time zone of the IANA database, by its name.
#[derive(Clone, PartialEq)]
pub struct Zone(TimeZone);

/// A day of the week or a range of them: `fri`, `mon-thu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weekdays {
    /// From 0 for Monday.
    first: u8,
    last: u8,
}

/// Open hours of a day: `09:00-17:30`. The end is not included, and `24:00` at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Minutes from midnight, by the clock on the wall.
    opens: u16,
    closes: u16,
}

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES: u16 = 24 * 60;

impl Calendar {
    /// The open hours of a day of the week, from 0 for Monday, in their order.
    pub fn slots(&self, weekday: u8) -> impl Iterator<Item = Slot> {
        let of_day = self.hours.iter().filter(move |(days, _)| days.days().any(|day| day == weekday));
        let mut slots: Vec<Slot> = of_day.flat_map(|(_, slots)| slots).copied().collect();
        slots.sort_unstable();
        slots.into_iter()
    }
}

impl Zone {
    /// The zone's rules.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl Weekdays {
    /// The days, from 0 for Monday; a range may go on over Sunday.
    pub fn days(self) -> impl Iterator<Item = u8> {
        let length = (self.last + 7 - self.first) % 7;
        (0..=length).map(move |n| (self.first + n) % 7)
    }
}

impl Slot {
    /// Minutes from midnight at which it opens.
    pub fn opens(self) -> u16 {
        self.opens
    }

    /// Minutes from midnight at which it closes.
    pub fn closes(self) -> u16 {
        self.closes
    }
}

impl FromStr for Zone {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        let zone = TimeZone::get(text).ok().filter(|zone| zone.iana_name() == Some(text));
        zone.map(Self).ok_or_else(|| {
            NotA::new(text, "a time zone: write one of the IANA database, like `America/New_York`")
        })
    }
}

impl FromStr for Weekdays {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        let day = |text: &str| NAMES.iter().position(|name| *name == text).and_then(|n| u8::try_from(n).ok());
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (day(first), day(last)) {
            (Some(first), Some(last)) => Ok(Self { first, last }),
            (None, _) | (_, None) => {
                Err(NotA::new(text, "a day of the week: write `mon` to `sun`, or a range like `mon-thu`"))
            }
        }
    }
}

impl FromStr for Slot {
    type Err = NotA;
    fn from_str(text: &str) -> Result<Self, NotA> {
        let slot = text.split_once('-').and_then(|(opens, closes)| Some((minutes(opens)?, minutes(closes)?)));
        match slot {
            Some((opens, closes)) if opens < closes => Ok(Self { opens, closes }),
            Some(_) | None => {
                Err(NotA::new(text, "open hours: write when they begin and end, like `09:00-17:30`"))
            }
        }
    }
}

/// `17:30`, two digits each, in minutes from midnight.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| {
        let good = digits.len() == 2 && digits.bytes().all(|c| c.is_ascii_digit());
        good.then(|| digits.parse::<u16>().ok())?
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= MINUTES).then_some(total)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or_default())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |day: u8| NAMES.get(usize::from(day)).copied().unwrap_or_default();
        match self.first == self.last {
            true => f.write_str(name(self.first)),
            false => write!(f, "{}-{}", name(self.first), name(self.last)),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opens, closes } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", opens / 60, opens % 60, closes / 60, closes % 60)
    }
}

text_serde!(
    Zone,
    "a time zone, like `America/New_York`",
    "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
    ["America/New_York", "Europe/Berlin", "UTC"]
);
text_serde!(
    Weekdays,
    "a day of the week, like `fri`, or a range, like `mon-thu`",
    "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$",
    ["fri", "mon-thu"]
);
text_serde!(
    Slot,
    "open hours, like `09:00-17:30`",
    "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    ["09:00-17:30"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_hours_lie_within_a_day_and_have_a_length() {
        for good in ["09:00-17:30", "00:00-24:00", "23:59-24:00", "12:59-13:00"] {
            assert_eq!(good.parse::<Slot>().unwrap().to_string(), good);
        }
        for bad in
            ["09:00-09:00", "17:30-09:00", "09:60-10:00", "23:00-24:01", "9:00-17:00", "0a:00-17:00", "09:00"]
        {
            assert!(bad.parse::<Slot>().is_err(), "{bad}");
        }
    }
}
