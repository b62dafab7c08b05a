//! Errors of storing and sending. A variant says what the caller does next.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

/// Why something could not be stored, read or sent.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too many requests, or a passing fault: do it again later.
    #[error("{doing}: not available now ({why})")]
    Later {
        /// What was tried.
        doing: &'static str,
        /// What the service said.
        why: String,
    },
    /// Somebody else changed it meanwhile: load again, decide again.
    #[error("{doing}: changed meanwhile")]
    Moved {
        /// What was tried.
        doing: &'static str,
    },
    /// What is stored cannot be read: a person must look.
    #[error("{doing}: {what} cannot be read: {why}")]
    Corrupt {
        /// What was tried.
        doing: &'static str,
        /// Which item.
        what: String,
        /// Why.
        why: String,
    },
    /// The service refuses the request as such: a defect, or a permission that is missing.
    #[error("{doing}: refused ({why})")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// What the service said.
        why: String,
    },
}

impl StoreError {
    /// Whether doing the same again later can help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Later { .. } | Self::Moved { .. } => true,
            Self::Corrupt { .. } | Self::Refused { .. } => false,
        }
    }

    /// From any SDK call.
    pub fn from_sdk<E, R>(doing: &'static str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::fmt::Debug,
        R: std::fmt::Debug,
    {
        let code = error.code().map(str::to_owned);
        match (&error, code) {
            (SdkError::ServiceError(service), Some(code)) => {
                let why = match service.err().message() {
                    Some(message) => format!("{code}: {message}"),
                    None => code.clone(),
                };
                if is_passing(&code) { Self::Later { doing, why } } else { Self::Refused { doing, why } }
            }
            (SdkError::ConstructionFailure(_), _) => Self::Refused { doing, why: format!("{error:?}") },
            (_, _) => Self::Later { doing, why: error.to_string() },
        }
    }

    /// From a transaction: the SDK retries none of these.
    pub fn from_transaction(doing: &'static str, error: SdkError<TransactWriteItemsError>) -> Self {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
        else {
            return Self::from_sdk(doing, error);
        };
        let reasons = cancelled.cancellation_reasons();
        let codes: Vec<&str> =
            reasons.iter().filter_map(|reason| reason.code()).filter(|code| *code != "None").collect();
        if codes.contains(&"ConditionalCheckFailed") {
            return Self::Moved { doing };
        }
        let why = codes.join(", ");
        let passing = codes.iter().all(|code| *code == "TransactionConflict" || is_passing(code));
        if passing { Self::Later { doing, why } } else { Self::Refused { doing, why } }
    }
}

fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "ThrottlingError"
            | "Throttling"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "InternalServerError"
            | "InternalFailure"
            | "InternalException"
            | "ServiceUnavailable"
            | "TransactionInProgressException"
            | "TransactionConflictException"
            | "ConditionalRequestConflict"
            | "DependencyTimeoutException"
            | "InternalError"
            | "InternalServiceError"
            | "KMSInternalException"
            | "SlowDown"
    )
}
