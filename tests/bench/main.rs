//! Figures of Meshline, one Markdown table for each part: `make bench`, `make bench PART=sweep`.
//!
//! Each part says what it does at the top of its file, and takes sizes to try it with less.

mod catchup;
mod core;
mod cost;
mod lateness;
mod meter;
mod pages;
mod price;
mod sweep;
mod table;
mod webhooks;

/// What can be measured, in the order of `make bench`.
const PARTS: [&str; 7] = ["core", "webhooks", "sweep", "catchup", "lateness", "cost", "pages"];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next().unwrap_or_else(|| "all".to_owned());
    let sizes: Vec<usize> = arguments.map(|size| size.parse().expect("a whole number")).collect();
    let parts = if part == "all" { PARTS.to_vec() } else { vec![part.as_str()] };
    for part in parts {
        measure(part, &sizes).await;
    }
}

async fn measure(part: &str, sizes: &[usize]) {
    let size = |at: usize, default: usize| sizes.get(at).copied().unwrap_or(default);
    match part {
        "core" => core::measure(size(0, 1_000)).print(part),
        "webhooks" => webhooks::measure(size(0, 10), size(1, 3)).await.print(part),
        "sweep" => sweep::measure(size(0, 1_000_000)).await.print(part),
        "catchup" => catchup::measure(size(0, 100_000)).await.print(part),
        "lateness" => lateness::measure(size(0, 2_000)).await.print(part),
        "cost" => {
            for table in cost::measure(size(0, 5)).await {
                table.print(part);
            }
        }
        "pages" => pages::measure(size(0, 10_000)).await.print(part),
        other => panic!("there is no part `{other}`: take one of {}, or all", PARTS.join(", ")),
    }
}
