//! What is to go wrong, and how often: the body of `POST /_local/faults`.

use std::collections::BTreeMap;

use meshline_core::time::Span;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Calls of the tables.
    Dynamodb,
    /// Calls of the queues, and how messages come out of them.
    Sqs,
    /// Calls of the bus.
    Events,
    /// Calls of the secret store.
    Secrets,
    /// How the tables' streams are handed over.
    Streams,
    /// Invocations.
    Functions,
    /// People's and systems' addresses, as far as the inbox stands for them.
    Receivers,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Too many requests; nothing was done.
    Throttle,
    /// An internal error; nothing was done.
    Fail,
    /// No answer; nothing was done.
    Timeout,
    /// No answer; it was done.
    LostAck,
    /// Another transaction was about the same item; nothing was done.
    Conflict,
    /// Some entries of a batch are refused, or a page of a query ends early.
    Partial,
    /// Handed over again although it was handled.
    Duplicate,
    /// Handed over in another order.
    Reorder,
    /// Handed over later.
    Delay,
    /// A batch of a stream is handed over again from somewhere before it.
    Stale,
    /// A batch of a stream is cut short.
    Split,
    /// The process ends in the middle of its work.
    Kill,
}

impl Place {
    /// What can go wrong here.
    fn faults(self) -> &'static [Fault] {
        use Fault::{
            Conflict, Delay, Duplicate, Fail, Kill, LostAck, Partial, Reorder, Split, Stale, Throttle,
            Timeout,
        };
        match self {
            Self::Dynamodb => &[Throttle, Fail, Timeout, LostAck, Conflict, Partial],
            Self::Sqs => &[Throttle, Fail, Timeout, LostAck, Partial, Duplicate, Reorder, Delay],
            Self::Events => &[Throttle, Fail, Timeout, LostAck, Partial],
            Self::Secrets => &[Throttle, Fail, Timeout],
            Self::Streams => &[Stale, Split, Delay],
            Self::Functions => &[Kill],
            Self::Receivers => &[Fail, LostAck],
        }
    }
}

/// How often what goes wrong where; nothing does where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Plan {
    /// The same seed makes the same choices, call by call.
    pub seed: u64,
    /// How far the clock of an invocation is off at most, ahead or behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skew: Option<Span>,
    /// Shares of the calls, batches or invocations, from 0 to 1.
    #[serde(flatten)]
    pub rates: BTreeMap<Place, BTreeMap<Fault, f64>>,
}

impl Plan {
    /// Reads a plan: `{"dynamodb": {"throttle": 0.2}, "sqs": {"reorder": true}, "functions": {"kill": 0.01}, "skew": "2s", "seed": 7}`.
    ///
    /// # Errors
    /// Says which member is wrong, and what it may be.
    pub fn read(value: &Value) -> Result<Self, String> {
        let members = value.as_object().ok_or("a plan is an object of services; `{}` ends all faults")?;
        let mut plan = Self::default();
        for (name, value) in members {
            match name.as_str() {
                "seed" => plan.seed = value.as_u64().ok_or("`seed` is a whole number")?,
                "skew" => {
                    let skew = Span::deserialize(value).map_err(|error| format!("`skew`: {error}"))?;
                    plan.skew = Some(skew);
                }
                _ => {
                    let place = Place::deserialize(Value::from(name.as_str()))
                        .map_err(|error| format!("`{name}`: {error}, or `seed` or `skew`"))?;
                    plan.rates.insert(place, rates(name, place, value)?);
                }
            }
        }
        Ok(plan)
    }

    /// The share in which a fault happens.
    pub(super) fn rate(&self, place: Place, fault: Fault) -> f64 {
        self.rates.get(&place).and_then(|rates| rates.get(&fault)).copied().unwrap_or_default()
    }
}

fn rates(name: &str, place: Place, value: &Value) -> Result<BTreeMap<Fault, f64>, String> {
    let members =
        value.as_object().ok_or_else(|| format!("`{name}` is an object of faults and their rates"))?;
    let mut rates = BTreeMap::new();
    for (what, value) in members {
        let fault = Fault::deserialize(Value::from(what.as_str())).ok();
        let fault = fault.filter(|fault| place.faults().contains(fault)).ok_or_else(|| {
            let known = serde_json::to_string(place.faults()).unwrap_or_default();
            format!("`{name}.{what}` is no fault of it; there are {known}")
        })?;
        let rate = value.as_f64().or(value.as_bool().map(|always| if always { 1.0 } else { 0.0 }));
        let rate = rate.filter(|rate| (0.0..=1.0).contains(rate));
        rates.insert(fault, rate.ok_or_else(|| format!("`{name}.{what}` is a share from 0 to 1"))?);
    }
    if rates.values().sum::<f64>() > 1.0 && place != Place::Sqs && place != Place::Streams {
        return Err(format!("the shares of `{name}` are more than 1 in all"));
    }
    Ok(rates)
}
