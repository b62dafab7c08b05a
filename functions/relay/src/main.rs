//! The Lambda function `relay`: the stream of the audit table.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use meshline_aws::{App, clock, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let app = &App::from_env().await;
    run(service_fn(async |event: LambdaEvent<_>| {
        Ok::<_, Error>(meshline_relay::handle(app, event.payload, clock::now()).await)
    }))
    .await
}
