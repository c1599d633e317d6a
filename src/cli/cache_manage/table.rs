//! Tables of images, column for column as the reference prints them (v1-cache §11.2).

use serde_json::Value;

use super::api::CachedImage;

/// Significant digits of a time in seconds.
const DIGITS: usize = 12;

struct Column {
    header: &'static str,
    width: usize,
    right: bool,
}

const ID: Column = Column { header: "ID", width: 36, right: false };
const CACHED: [Column; 5] = [
    ID,
    Column { header: "Last Accessed (UTC)", width: 19, right: false },
    Column { header: "Last Modified (UTC)", width: 19, right: false },
    Column { header: "Size", width: 14, right: true },
    Column { header: "Hits", width: 10, right: true },
];

/// What is cached.
pub(super) fn cached(images: &[CachedImage]) -> String {
    if images.is_empty() {
        return "No cached images.\n".to_owned();
    }
    let rows = images.iter().map(|image| {
        let cells = [&image.last_accessed, &image.last_modified, &image.size, &image.hits];
        std::iter::once(image.image_id.clone()).chain(cells.into_iter().map(cell)).collect()
    });
    format!("Found {} cached images...\n{}", images.len(), table(&CACHED, rows))
}

/// What waits to be cached.
pub(super) fn queued(ids: &[String]) -> String {
    if ids.is_empty() {
        return "No queued images.\n".to_owned();
    }
    let rows = ids.iter().map(|id| vec![id.clone()]);
    format!("Found {} queued images...\n{}", ids.len(), table(&[ID], rows))
}

fn table(columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> String {
    let headers = columns.iter().map(|column| format!("{:<width$}", column.header, width = column.width));
    let dashes = columns.iter().map(|column| "-".repeat(column.width));
    let rows = rows.map(|cells| line(columns.iter().zip(cells).map(|(column, cell)| column.fit(&cell))));
    [line(headers), line(dashes)].into_iter().chain(rows).collect()
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(" ") + "\n"
}

impl Column {
    fn fit(&self, cell: &str) -> String {
        let width = self.width;
        if self.right { format!("{cell:>width$.width$}") } else { format!("{cell:<width$.width$}") }
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => seconds(number.as_f64().unwrap_or_default()),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// Twelve significant digits without needless zeros, but always one decimal: `1330000000.12`, `0.0`.
fn seconds(time: f64) -> String {
    let whole = format!("{:.0}", time.abs().trunc()).len();
    let text = format!("{time:.*}", DIGITS.saturating_sub(whole).max(1));
    let kept = text.trim_end_matches('0');
    if kept.ends_with('.') { format!("{kept}0") } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_twelve_digits() {
        for (time, wanted) in [
            (1_330_000_000.123_456, "1330000000.12"),
            (1_330_000_000.0, "1330000000.0"),
            (1_330_000_000.999, "1330000001.0"),
            (0.0, "0.0"),
            (12.5, "12.5"),
        ] {
            assert_eq!(seconds(time), wanted);
        }
    }

    #[test]
    fn the_table_of_cached_images() {
        let image = CachedImage {
            image_id: "71c675ab-d94f-49cd-a114-e12490b328d9-too-long".to_owned(),
            last_accessed: 0.0.into(),
            last_modified: "2012-02-20T18:06:51".into(),
            size: 5120.into(),
            hits: 3.into(),
        };
        let wanted = "\
Found 1 cached images...
ID                                   Last Accessed (UTC) Last Modified (UTC) Size           Hits      \n\
------------------------------------ ------------------- ------------------- -------------- ----------
71c675ab-d94f-49cd-a114-e12490b328d9 0.0                 2012-02-20T18:06:51           5120          3
";
        assert_eq!(cached(&[image]), wanted);
    }
}
