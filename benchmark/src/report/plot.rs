//! Line plots as SVG, by as little code as will do.

use std::fmt::Write as _;

/// One line of a plot.
pub(super) struct Line {
    /// In the legend.
    pub(super) label: String,
    /// Names its colour in the style sheet.
    pub(super) class: String,
    /// Where it goes; gaps where `y` is missing.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A plot over seconds.
pub(super) struct Plot {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
    /// Each line of the grid is ten times the one below.
    pub(super) logarithmic: bool,
    /// How a figure at the axis is written.
    pub(super) write: fn(f64) -> String,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 28.0;

/// More points than this only make the page large: neighbours are joined.
const POINTS_MAX: usize = 600;

/// A step of 1, 2 or 5 times a power of ten that cuts `span` into a few pieces.
fn step(span: f64, pieces: f64) -> f64 {
    let raw = (span / pieces).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|n| *n >= raw).unwrap_or(raw)
}

struct Scale {
    x: (f64, f64),
    y: (f64, f64),
    logarithmic: bool,
}

impl Scale {
    fn of(plot: &Plot) -> Option<Self> {
        let all = || plot.lines.iter().flat_map(|line| &line.points);
        let ys = || all().filter_map(|(_, y)| *y).filter(|y| !plot.logarithmic || *y > 0.0);
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
        let x = (least(&mut all().map(|p| p.0)).min(0.0), most(&mut all().map(|p| p.0)));
        let (low, high) = (least(&mut ys()), most(&mut ys()));
        if !(low.is_finite() && high.is_finite() && x.1 > x.0) {
            return None;
        }
        let y = if plot.logarithmic {
            let (low, high) = (low.log10().floor(), high.log10().ceil());
            (low, high.max(low + 1.0))
        } else {
            let step = step(high.max(1e-9), 4.0);
            (0.0, (high.max(1e-9) / step).ceil() * step)
        };
        Some(Self { x, y, logarithmic: plot.logarithmic })
    }

    fn x(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        let y = if self.logarithmic { y.log10() } else { y };
        let share = (y - self.y.0) / (self.y.1 - self.y.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn y_ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            return (self.y.0 as i32..=self.y.1 as i32).map(|n| 10f64.powi(n)).collect();
        }
        let step = step(self.y.1, 4.0);
        (0..=(self.y.1 / step).round() as u32).map(|n| f64::from(n) * step).collect()
    }
}

/// Text that is safe inside elements and attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

impl Plot {
    /// The plot with title and legend; empty if there is nothing to show.
    pub(super) fn svg(&self) -> String {
        let Some(scale) = Scale::of(self) else { return String::new() };
        let mut out = String::new();
        let _ = write!(
            out,
            "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\"{}\">",
            escape(&self.title),
            escape(&self.title)
        );
        for y in scale.y_ticks() {
            let at = scale.y(y);
            let _ = write!(
                out,
                "<line class=grid x1={LEFT} x2={} y1={at:.1} y2={at:.1} />\
                 <text class=y x={} y={:.1}>{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
                escape(&(self.write)(y))
            );
        }
        let every = step(scale.x.1 - scale.x.0, 8.0);
        let first = (scale.x.0 / every).ceil() as i64;
        let last = (scale.x.1 / every).floor() as i64;
        for n in first..=last {
            let x = n as f64 * every;
            let at = scale.x(x);
            let label = if every < 1.0 { format!("{x:.1} s") } else { format!("{x:.0} s") };
            let _ = write!(out, "<text class=x x={at:.1} y={}>{label}</text>", HEIGHT - 8.0);
        }
        if scale.x.0 < 0.0 {
            let (from, to) = (scale.x(scale.x.0), scale.x(0.0));
            let _ = write!(
                out,
                "<rect class=warm x={from:.1} y={TOP} width={:.1} height={} />",
                to - from,
                HEIGHT - TOP - BOTTOM
            );
        }
        for line in &self.lines {
            for path in paths(&scale, &line.points) {
                let _ = write!(out, "<polyline class=\"{}\" points=\"{path}\" />", line.class);
            }
        }
        out.push_str("</svg><p class=legend>");
        for line in &self.lines {
            let label = escape(&line.label);
            let _ = write!(out, "<span><i class=\"{}\"></i>{label}</span> ", line.class);
        }
        out.push_str("</p></figure>");
        out
    }
}

/// Stretches without gaps, as SVG wants them.
fn paths(scale: &Scale, points: &[(f64, Option<f64>)]) -> Vec<String> {
    let join = points.len().div_ceil(POINTS_MAX).max(1);
    let mut paths = Vec::new();
    let mut path = String::new();
    for some in points.chunks(join) {
        let there: Vec<f64> = some.iter().filter_map(|(_, y)| *y).collect();
        let usable = |y: &f64| y.is_finite() && (!scale.logarithmic || *y > 0.0);
        let mean = there.iter().sum::<f64>() / there.len() as f64;
        match some.last() {
            Some((x, _)) if !there.is_empty() && usable(&mean) => {
                let _ = write!(path, "{:.1},{:.1} ", scale.x(*x), scale.y(mean));
            }
            _ if !path.is_empty() => paths.push(std::mem::take(&mut path)),
            _ => {}
        }
    }
    if !path.is_empty() {
        paths.push(path);
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(points: Vec<(f64, Option<f64>)>, logarithmic: bool) -> String {
        let line = Line { label: "a<b".into(), class: "c0".into(), points };
        let write = |y: f64| format!("{y}");
        Plot { title: "t".into(), lines: vec![line], logarithmic, write }.svg()
    }

    #[test]
    fn lines_stay_inside_and_break_at_gaps() {
        let points = vec![(-2.0, Some(5.0)), (1.0, Some(50.0)), (2.0, None), (3.0, Some(7.0))];
        for logarithmic in [false, true] {
            let svg = plot(points.clone(), logarithmic);
            assert_eq!(svg.matches("<polyline").count(), 2);
            assert!(svg.contains("a&lt;b") && svg.contains("class=warm"));
            let numbers = svg.split("points=\"").skip(1).flat_map(|rest| {
                let path = rest.split('"').next().unwrap_or("");
                path.split([' ', ',']).filter(|n| !n.is_empty()).map(|n| n.parse::<f64>().unwrap())
            });
            for (i, n) in numbers.enumerate() {
                let max = if i % 2 == 0 { WIDTH } else { HEIGHT };
                assert!((0.0..=max).contains(&n), "{n} in {svg}");
            }
        }
    }

    #[test]
    fn nothing_to_show_is_nothing() {
        assert_eq!(plot(vec![], false), "");
        assert_eq!(plot(vec![(1.0, None)], true), "");
        assert_eq!(plot(vec![(1.0, Some(0.0))], true), "");
    }

    #[test]
    fn steps_are_round() {
        for (span, want) in [(100.0, 50.0), (7.0, 2.0), (0.3, 0.1), (1e6, 5e5)] {
            assert!((step(span, 4.0) / want - 1.0).abs() < 1e-9, "{span}: {}", step(span, 4.0));
        }
    }
}
