//! The core as its users see it: one binary, so that it links once.

#[cfg(test)]
mod alias;
#[cfg(test)]
mod average;
#[cfg(test)]
mod business;
#[cfg(test)]
mod calendar;
#[cfg(test)]
mod canonical;
#[cfg(test)]
mod checklist;
#[cfg(test)]
mod checkpoint;
#[cfg(test)]
mod config;
#[cfg(test)]
mod config_calendar;
#[cfg(test)]
mod config_forms;
#[cfg(test)]
mod duties;
#[cfg(test)]
mod early;
#[cfg(test)]
mod exceptions;
#[cfg(test)]
mod lease;
mod life;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod measure;
#[cfg(test)]
mod message;
#[cfg(test)]
mod monday;
#[cfg(test)]
mod pause;
#[cfg(test)]
mod people;
#[cfg(test)]
mod properties;
mod qa;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod report;
mod reviews;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod route;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod view;
#[cfg(test)]
mod week;
#[cfg(test)]
mod whatif;
