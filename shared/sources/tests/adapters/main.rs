//! The adapters against known answers, real shapes, own signatures and arbitrary requests.

#[cfg(test)]
mod common;
#[cfg(test)]
mod events;
#[cfg(test)]
mod generic;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod schemes;
#[cfg(test)]
mod vectors;
