//! The Lambda function `sla-check`: the minute's schedule, and the queue of ticks.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use meshline_aws::{App, clock, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let app = &App::from_env().await;
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        let now = clock::now();
        if event.payload.get("Records").is_some() {
            let batch = serde_json::from_value(event.payload)?;
            return Ok(serde_json::to_value(meshline_sla_check::ticks(app, batch, now).await)?);
        }
        meshline_sla_check::sweep(app, now).await?;
        Ok(Value::Null)
    }))
    .await
}
