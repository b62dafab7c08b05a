//! A run that is told as a story: given a flow, when this and that happens, then its trail reads so.

use meshline_core::command::{Action, Command, Decision, Rejection};
use meshline_core::config::calendar::Calendar;
use meshline_core::config::directory::Directory;
use meshline_core::config::flow::Flow;
use meshline_core::config::{Config, Versioned};
use meshline_core::decide::{Context, decide, open};
use meshline_core::event::Event;
use meshline_core::record::{Actor, Record};
use meshline_core::run::Run;
use meshline_core::time::Time;
use meshline_core::trail;

use super::{FLOW, at, bundle, good, lines, property, publish};

/// A flow in force, the run of it that the story is about, and the run's trail.
pub(crate) struct Story {
    pub(crate) flow: Versioned<Flow>,
    pub(crate) calendar: Option<Versioned<Calendar>>,
    pub(crate) directory: Directory,
    run: Option<Run>,
    pub(crate) trail: Vec<Record>,
    /// Records that a snapshot has shown.
    shown: usize,
}

impl Story {
    /// Given the flow of the example bundle.
    pub(crate) fn new() -> Self {
        Self::of(FLOW)
    }

    /// Given this flow file beside the example directory and sources.
    pub(crate) fn of(flow: &str) -> Self {
        Self::from(&good(&bundle(flow)))
    }

    /// Given the one flow of this configuration.
    pub(crate) fn from(config: &Config) -> Self {
        let flow = config.flows.values().next().unwrap().clone();
        let calendar = config.calendar_of(&flow.document).cloned();
        let directory = config.people().as_ref().clone();
        Self { flow, calendar, directory, run: None, trail: Vec::new(), shown: 0 }
    }

    pub(crate) fn run(&self) -> &Run {
        self.run.as_ref().unwrap()
    }

    /// When `event` opens the run.
    pub(crate) fn opens(&mut self, event: &Event, now: Time) -> &mut Self {
        let context =
            Context { flow: &self.flow, calendar: self.calendar.as_ref(), directory: &self.directory };
        let decision = open(context, event, now);
        self.take(decision)
    }

    /// When the blog post is published.
    pub(crate) fn published(&mut self, now: &str) -> &mut Self {
        self.opens(&publish("p1", at(now)), at(now))
    }

    /// When `command` is given; its rejection is handed back.
    pub(crate) fn command(&mut self, command: &Command, now: Time) -> Result<&mut Self, Rejection> {
        let context =
            Context { flow: &self.flow, calendar: self.calendar.as_ref(), directory: &self.directory };
        let decision = decide(self.run(), context, command, now)?;
        Ok(self.take(decision))
    }

    /// When `actor` wants `action`, which must not be refused.
    pub(crate) fn acts(&mut self, now: &str, actor: Actor, action: Action) -> &mut Self {
        let command = Command { action, actor, if_version: None, cause: None };
        self.command(&command, at(now)).unwrap_or_else(|rejection| panic!("{rejection}"))
    }

    /// When a person wants `action`, which must be refused, with these words.
    pub(crate) fn refuses(&mut self, now: &str, who: &str, action: Action) -> String {
        let command = Command { action, actor: Actor::person(who), if_version: None, cause: None };
        match self.command(&command, at(now)) {
            Ok(_) => panic!("not refused: {command:?}"),
            Err(rejection) => rejection.to_string(),
        }
    }

    pub(crate) fn person(&mut self, now: &str, who: &str, action: Action) -> &mut Self {
        self.acts(now, Actor::person(who), action)
    }

    pub(crate) fn tick(&mut self, now: &str) -> &mut Self {
        self.acts(now, Actor::system("sla-check"), Action::Tick)
    }

    /// When `event` is looked at at `now`, however late that is.
    pub(crate) fn observes(&mut self, event: &Event, now: &str) -> &mut Self {
        let command = Command {
            action: Action::Observe(Box::new(event.clone())),
            actor: Actor::source(&event.source),
            if_version: None,
            cause: Some(event.cause()),
        };
        self.command(&command, at(now)).unwrap_or_else(|rejection| panic!("{rejection}"))
    }

    /// When HubSpot says that the campaign tag is there.
    pub(crate) fn tagged(&mut self, now: &str) -> &mut Self {
        let id = format!("tag at {now}");
        self.observes(&property(&id, "campaign_tag", "spring", at(now)), now)
    }

    pub(crate) fn completes(&mut self, now: &str, who: &str, outcome: &str) -> &mut Self {
        let (outcome, evidence) = (outcome.to_owned(), "https://deck.example.com".to_owned());
        self.person(now, who, Action::CompleteOutcome { outcome, evidence })
    }

    pub(crate) fn resolves(&mut self, now: &str, who: &str, exception: &str) -> &mut Self {
        let (exception, resolution) = (exception.to_owned(), "done by hand".to_owned());
        self.person(now, who, Action::ResolveException { exception, resolution, evidence: None })
    }

    fn take(&mut self, decision: Decision) -> &mut Self {
        self.trail.extend(decision.records);
        assert_eq!(
            Run::fold(&self.trail).as_ref(),
            Ok(&decision.run),
            "the run is not the fold of its trail"
        );
        let head = Some((decision.run.version, decision.run.head.as_str()));
        assert_eq!(trail::verify(&self.trail, head), Ok(()));
        self.run = Some(decision.run);
        self
    }

    /// The records since the last call, a line each.
    pub(crate) fn news(&mut self) -> String {
        let new: Vec<String> = self.trail.iter().skip(self.shown).map(lines::record).collect();
        self.shown = self.trail.len();
        new.join("\n")
    }

    /// Where the run stands, in a line for each of its parts.
    pub(crate) fn standing(&self) -> String {
        lines::run(self.run())
    }
}
