//! The dashboard: the metrics that infra/dashboard.yaml asks for by name, dimensions and statistic, of the embedded metric
//! lines that CloudWatch would be given.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../infra/dashboard.yaml");

/// What the dashboard of the stack `local` shows.
pub(crate) struct Dashboard {
    /// Statistics that some widget shows, by metric.
    statistics: BTreeMap<String, BTreeSet<String>>,
    /// Values by metric and flow.
    values: BTreeMap<(String, String), Vec<f64>>,
}

impl Dashboard {
    pub(crate) fn of(output: &str) -> Self {
        let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for line in output.lines().filter(|line| line.contains("\"_aws\"")) {
            let line: Value = serde_json::from_str(line).unwrap();
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let is_by_flow = directive["Dimensions"].as_array().unwrap().contains(&json!(["stack", "flow"]));
            if !is_by_flow || directive["Namespace"] != "Meshline" || line["stack"] != "local" {
                continue;
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let of = (name.to_owned(), line["flow"].as_str().unwrap().to_owned());
                let given = line[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
                values.entry(of).or_default().extend(given);
            }
        }
        Self { statistics: asked(), values }
    }

    /// All that was ever given, as the widgets that show the sum add it up over time.
    pub(crate) fn sum(&self, metric: &str, flow: &str) -> f64 {
        assert!(self.statistics[metric].contains("Sum"), "no widget shows the sum of {metric}");
        self.values[&(metric.to_owned(), flow.to_owned())].iter().sum()
    }

    /// Whole seconds, shortest first, of which widgets show a mean or percentiles.
    pub(crate) fn values(&self, metric: &str, flow: &str) -> Vec<i64> {
        let shown = &self.statistics[metric];
        assert!(shown.iter().all(|it| it == "Average" || it.starts_with('p')), "{metric}: {shown:?}");
        let mut seconds: Vec<i64> =
            self.values[&(metric.to_owned(), flow.to_owned())].iter().map(|value| *value as i64).collect();
        seconds.sort_unstable();
        seconds
    }
}

/// The statistics by metric, of the searches over flows.
fn asked() -> BTreeMap<String, BTreeSet<String>> {
    let body = TEMPLATE.split("DashboardBody: !Sub |").nth(1).unwrap().split("\nOutputs:").next().unwrap();
    let body: Value = serde_json::from_str(&body.replace("${StackName}", "local")).unwrap();
    let mut statistics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let widgets = body["widgets"].as_array().unwrap().iter();
    for metric in widgets.flat_map(|it| it["properties"]["metrics"].as_array().into_iter().flatten()) {
        let Some(search) = metric[0]["expression"].as_str().filter(|it| it.contains("SEARCH(")) else {
            continue;
        };
        let between = |start: &str, end: &str| search.split(start).nth(1).unwrap().split(end).next().unwrap();
        assert_eq!(between("SEARCH('", " MetricName"), "{Meshline,stack,flow}");
        assert_eq!(between("stack=\"", "\""), "local");
        let name = between("MetricName=\"", "\"").to_owned();
        statistics.entry(name).or_default().insert(between("', '", "'").to_owned());
    }
    statistics
}
