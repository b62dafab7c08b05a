//! The Lambda function `report`: the day's schedule, and the HTTP API's checkpoints.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use meshline_aws::vault::DeployedVault;
use meshline_aws::{App, clock, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let app = &App::from_env().await;
    let vault = &DeployedVault::new(&app.clients, &app.settings);
    run(service_fn(async |event: LambdaEvent<Value>| -> Result<Value, Error> {
        if event.payload.get("rawPath").is_some() {
            let request = serde_json::from_value(event.payload)?;
            return Ok(serde_json::to_value(meshline_report::handle(vault, request).await)?);
        }
        meshline_report::close_days(app, vault, clock::now()).await?;
        Ok(Value::Null)
    }))
    .await
}
