//! The HTTP API: its routes in one table, and what bodies and answers hold. The functions answer by the table, and
//! the document that describes the API is made of it.

mod answer;
mod body;
#[cfg(feature = "schema")]
mod document;
#[cfg(feature = "schema")]
mod operation;

pub use answer::*;
pub use body::*;
#[cfg(feature = "schema")]
pub use document::document;

/// Places in an address at most.
const PLACES: usize = 2;

/// What an address and a method lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'a> {
    /// A route, and what stands in the places of its address, in order; no text where it has fewer.
    Route(Route, [&'a str; PLACES]),
    /// An address that takes other methods, these.
    OtherMethod(Vec<&'static str>),
    /// No address of the API.
    Nothing,
}

macro_rules! routes {
    ($($(#[doc = $summary:literal])+ $name:ident: $method:literal $address:literal by $function:ident;)*) => {
        /// A route of the HTTP API: what one method does at one address.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Route {
            $($(#[doc = $summary])+ $name,)*
        }

        impl Route {
            /// All of them. Of two addresses that fit, the first one counts.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// What it does.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$name => concat!($($summary),+),)* }
            }

            /// Its method.
            pub fn method(self) -> &'static str {
                match self { $(Self::$name => $method,)* }
            }

            /// Its address; `{…}` is a place that holds one segment.
            pub fn address(self) -> &'static str {
                match self { $(Self::$name => $address,)* }
            }

            /// Who answers it.
            pub fn function(self) -> Function {
                match self { $(Self::$name => Function::$function,)* }
            }
        }
    };
}

/// A function that answers HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Takes deliveries in.
    Ingest,
    /// Operators' commands and queries.
    OpsApi,
    /// Shows checkpoints.
    Report,
}

routes! {
    /// Whether it is there, and which version
    Health: "GET" "/healthz" by OpsApi;
    /// A delivery of a source: 2xx only once it is kept
    Deliver: "POST" "/hooks/{source}" by Ingest;
    /// The probe of a provider that asks whether somebody is there
    Probe: "GET" "/hooks/{source}" by Ingest;
    /// Applies a bundle of YAML documents: adds and updates, what is not in it stays
    Configure: "PUT" "/v1/config" by OpsApi;
    /// The flows in force
    Flows: "GET" "/v1/flows" by OpsApi;
    /// A flow in one of its versions
    Flow: "GET" "/v1/flows/{flow}" by OpsApi;
    /// How the deadline of an outcome, or of any duration by the flow's calendar, comes about
    Deadline: "GET" "/v1/flows/{flow}/deadline" by OpsApi;
    /// Resolves an exception of the flow itself: `resolution`, `evidence`
    ResolveOfFlow: "POST" "/v1/flows/{flow}/exceptions/{exception}/resolve" by OpsApi;
    /// Runs, newest first
    Runs: "GET" "/v1/runs" by OpsApi;
    /// One run
    Run: "GET" "/v1/runs/{run}" by OpsApi;
    /// The caller has it
    Acknowledge: "POST" "/v1/runs/{run}/acknowledge" by OpsApi;
    /// Gives the run to somebody else: `to`, `reason`
    Reassign: "POST" "/v1/runs/{run}/reassign" by OpsApi;
    /// Stops the clocks of the outcomes for a while: `reason`
    Pause: "POST" "/v1/runs/{run}/pause" by OpsApi;
    /// Lets the clocks run again
    Resume: "POST" "/v1/runs/{run}/resume" by OpsApi;
    /// Writes something down: `text`
    Note: "POST" "/v1/runs/{run}/note" by OpsApi;
    /// Calls the run off: `reason`
    Cancel: "POST" "/v1/runs/{run}/cancel" by OpsApi;
    /// Closes the run by hand: `reason`
    Close: "POST" "/v1/runs/{run}/close" by OpsApi;
    /// An outcome is there: `evidence`
    CompleteOutcome: "POST" "/v1/runs/{run}/outcomes/{outcome}/complete" by OpsApi;
    /// An outcome failed: `reason`
    FailOutcome: "POST" "/v1/runs/{run}/outcomes/{outcome}/fail" by OpsApi;
    /// A check passed: `evidence` may be left out
    PassCheck: "POST" "/v1/runs/{run}/checks/{check}/pass" by OpsApi;
    /// A check failed: `reason`
    FailCheck: "POST" "/v1/runs/{run}/checks/{check}/fail" by OpsApi;
    /// Opens an exception by hand: `reason`, `kind`, `outcome`
    OpenException: "POST" "/v1/runs/{run}/exceptions" by OpsApi;
    /// Resolves an exception: `resolution`, `evidence`
    ResolveException: "POST" "/v1/runs/{run}/exceptions/{exception}/resolve" by OpsApi;
    /// The trail of a run: its records, first one first
    Trail: "GET" "/v1/runs/{run}/audit" by OpsApi;
    /// Whether the trail of a run can be believed
    Verify: "GET" "/v1/runs/{run}/audit/verify" by OpsApi;
    /// Every record of a flow on a day
    Records: "GET" "/v1/audit" by OpsApi;
    /// Checkpoints without their heads, first day first
    Checkpoints: "GET" "/v1/checkpoints" by Report;
    /// The public key of checkpoints
    CheckpointKey: "GET" "/v1/checkpoints/key" by Report;
    /// The checkpoint of a day, byte for byte as it is stored
    Checkpoint: "GET" "/v1/checkpoints/{day}" by Report;
    /// Events of every system and all decisions on one asset, in order
    Timeline: "GET" "/v1/subjects/{subject}/timeline" by OpsApi;
    /// Exceptions of runs and of flows; pages count runs
    Exceptions: "GET" "/v1/exceptions" by OpsApi;
    /// Deliveries that are authentic and could not be understood
    Rejections: "GET" "/v1/rejections" by OpsApi;
    /// Keeps a source's deliveries for a while, with how each was judged
    Listen: "POST" "/v1/sources/{source}/listen" by OpsApi;
    /// What was heard of a source while somebody listened
    Heard: "GET" "/v1/sources/{source}/heard" by OpsApi;
    /// Rotating roles, with the turn in force and the next ones
    Rotations: "GET" "/v1/rotations" by OpsApi;
    /// The caller accepts their turn in a role
    AcceptTurn: "POST" "/v1/rotations/{role}/accept" by OpsApi;
    /// The SLA report of a flow, or of all of them by client or owner
    SlaReport: "GET" "/v1/reports/sla" by OpsApi;
    /// The Monday checklist of a flow, as it stands now
    Checklist: "GET" "/v1/reports/checklist" by OpsApi;
    /// Events of a source that came in a window are routed once more
    Replay: "POST" "/v1/replay" by OpsApi;
    /// The last runs of a flow, decided again under a flow that is not in force; nothing is stored
    WhatIf: "POST" "/v1/whatif" by OpsApi;
}

impl Route {
    /// What `method` at an address of these segments leads to.
    pub fn find<'a>(method: &str, segments: &[&'a str]) -> Found<'a> {
        let mut methods = Vec::new();
        for route in Self::ALL {
            let Some(places) = route.places(segments) else { continue };
            if route.method() == method {
                return Found::Route(*route, places);
            }
            methods.push(route.method());
        }
        if methods.is_empty() { Found::Nothing } else { Found::OtherMethod(methods) }
    }

    /// What stands in the places of its address; `None` where the address is another one.
    fn places<'a>(self, segments: &[&'a str]) -> Option<[&'a str; PLACES]> {
        let mut wanted = self.address().split('/').skip(1);
        let (mut places, mut free) = ([""; PLACES], 0..PLACES);
        for segment in segments {
            let wanted = wanted.next()?;
            if wanted.starts_with('{') {
                *places.get_mut(free.next()?)? = segment;
            } else if wanted != *segment {
                return None;
            }
        }
        wanted.next().is_none().then_some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
        Route::find(method, &path.split('/').skip(1).collect::<Vec<_>>())
    }

    #[test]
    fn an_address_leads_to_its_route_and_its_places() {
        assert_eq!(find("GET", "/v1/runs"), Found::Route(Route::Runs, ["", ""]));
        assert_eq!(find("GET", "/v1/runs/x"), Found::Route(Route::Run, ["x", ""]));
        assert_eq!(find("POST", "/v1/runs/x/outcomes/y/fail"), Found::Route(Route::FailOutcome, ["x", "y"]));
        assert_eq!(find("GET", "/v1/checkpoints/key"), Found::Route(Route::CheckpointKey, ["", ""]));
        for route in Route::ALL {
            let places = route.address().matches('{').count();
            assert!(places <= PLACES, "{}", route.address());
            assert!(
                matches!(find(route.method(), route.address()), Found::Route(found, _) if found == *route)
            );
        }
    }

    #[test]
    fn another_method_and_another_address_are_told_apart() {
        assert_eq!(find("PUT", "/hooks/x"), Found::OtherMethod(vec!["POST", "GET"]));
        assert_eq!(find("GET", "/v1/runs/x/note"), Found::OtherMethod(vec!["POST"]));
        for path in ["/", "/v1", "/v1/runs/x/y", "/v1/runs/x/outcomes/y", "/v1/runs/x/outcomes/y/fail/z"] {
            assert_eq!(find("GET", path), Found::Nothing, "{path}");
        }
    }
}
