//! List prices, and what other ways of doing the same work cost by them.

/// A list price in dollars for a million, on demand, in us-east-1, without free tiers.
pub(crate) struct Price {
    pub(crate) what: &'static str,
    pub(crate) a_million: f64,
    pub(crate) source: &'static str,
}

/// As of when the prices are known. Only that of Step Functions was read at its page; the others are as others quote them.
pub(crate) const READ_ON: &str = "2026-11";

pub(crate) const WRITE_UNIT: Price = Price {
    what: "DynamoDB write unit",
    a_million: 0.625,
    source: "aws.amazon.com/dynamodb/pricing/on-demand",
};
pub(crate) const READ_UNIT: Price = Price {
    what: "DynamoDB read unit",
    a_million: 0.125,
    source: "aws.amazon.com/dynamodb/pricing/on-demand",
};
/// $0.20 for the request, and 256 MB for 20 ms at $0.0000133334 a GB-second (arm64).
pub(crate) const INVOCATION: Price = Price {
    what: "Lambda invocation, 256 MB for 20 ms",
    a_million: 0.20 + 0.25 * 0.020 * 13.333_4,
    source: "aws.amazon.com/lambda/pricing",
};
/// A message is sent, received and deleted; without batches.
pub(crate) const MESSAGE: Price = Price {
    what: "SQS message: send, receive, delete",
    a_million: 3.0 * 0.40,
    source: "aws.amazon.com/sqs/pricing",
};
pub(crate) const BUS_EVENT: Price =
    Price { what: "EventBridge event", a_million: 1.00, source: "aws.amazon.com/eventbridge/pricing" };
pub(crate) const REQUEST: Price =
    Price { what: "HTTP API request", a_million: 1.00, source: "aws.amazon.com/api-gateway/pricing" };
pub(crate) const TRANSITION: Price = Price {
    what: "Step Functions (standard) state transition",
    a_million: 25.0,
    source: "aws.amazon.com/step-functions/pricing",
};
pub(crate) const SCHEDULE: Price = Price {
    what: "EventBridge Scheduler invocation",
    a_million: 1.00,
    source: "aws.amazon.com/eventbridge/pricing",
};

/// All of them.
pub(crate) const PRICES: [&Price; 8] =
    [&WRITE_UNIT, &READ_UNIT, &INVOCATION, &MESSAGE, &BUS_EVENT, &REQUEST, &TRANSITION, &SCHEDULE];

/// The life of `blog-launch` as a standard state machine: each state that is entered, and how often. It stores nothing but
/// its own history, tells nobody and has no list of runs.
pub(crate) const TRANSITIONS: [(&str, u32); 6] = [
    ("start", 1),
    ("ask the execution layer", 1),
    ("parallel: acknowledgement, three outcomes", 1),
    ("wait for the acknowledgement with a timeout, then note it", 2),
    ("wait for each of three outcomes until its deadline (one with a warning), then note it", 7),
    ("end", 1),
];

/// Its deadlines as schedules of EventBridge Scheduler: acknowledgement, three outcomes, one warning. Only those that fire are
/// billed; each needs a function to make it and to delete it when the outcome came in time, and a store for the run beside it.
pub(crate) const DEADLINES: u32 = 5;
