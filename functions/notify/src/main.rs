//! The Lambda function `notify`: the queues `escalations`, `exceptions` and `requests`.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use meshline_aws::mail::Ses;
use meshline_aws::{App, clock, telemetry};
use meshline_notify::{Notifier, TIMEOUT};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let app = &App::from_env().await;
    let mail = Ses::new(&app.clients, &app.settings);
    let notifier = &Notifier::new(mail, TIMEOUT, app.settings.allow_private, None);
    run(service_fn(async |event: LambdaEvent<_>| -> Result<_, Error> {
        Ok(notifier.handle(app, event.payload, clock::now()).await)
    }))
    .await
}
