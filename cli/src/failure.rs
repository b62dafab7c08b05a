//! How a command ends: its exit code, and what went wrong.

use std::io;
use std::process::ExitCode;

use crate::refusal::Refusal;

/// How a command ended, as its exit code. `meshline --help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Refused, or found not valid.
    Refused = 1,
    /// The command line, or what it names, is wrong.
    Usage = 2,
    /// Meshline cannot be reached, or failed.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line, or what it names, is wrong: correct it.
    #[error("{0}")]
    Usage(String),
    /// The API said no, or that it failed.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// There is no answer: start Meshline, or try again.
    #[error("{0}")]
    Unreachable(String),
    /// There is an answer that is not Meshline's, or of another version.
    #[error("{what} is not understood: {reason}; is this tool as new as the Meshline it calls?")]
    Unreadable {
        /// What was to be read.
        what: &'static str,
        /// Why it cannot be.
        reason: String,
    },
    /// Whoever reads the output is gone, or the disk is full.
    #[error("failed to write the output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// The exit code it ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Refused(refusal) if refusal.is_of_the_server() => Exit::Unreachable,
            Self::Refused(_) => Exit::Refused,
            Self::Unreachable(_) | Self::Unreadable { .. } => Exit::Unreachable,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) => Exit::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_say_who_must_act() {
        let refused = |status| Failure::Refused(Box::new(Refusal::new(status, "{}")));
        for status in [400, 401, 403, 404, 409, 422] {
            assert_eq!(refused(status).exit(), Exit::Refused, "{status}");
        }
        for status in [429, 500, 502, 503, 504] {
            assert_eq!(refused(status).exit(), Exit::Unreachable, "{status}");
        }
        assert_eq!(Failure::Usage(String::new()).exit(), Exit::Usage);
        assert_eq!(Failure::Unreachable(String::new()).exit(), Exit::Unreachable);
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::Output(gone).exit(), Exit::Done, "`meshline runs | head -1`");
    }
}
