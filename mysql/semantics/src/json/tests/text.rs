//! Texts and paths: round trips, bytes at random.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::generate::Random;
use crate::json::{self, Path};

#[test]
fn what_is_printed_reads_back_the_same() {
    for seed in 0..5_000 {
        let text = Random(SmallRng::seed_from_u64(seed)).text();
        let buf = json::parse(&text).unwrap_or_else(|e| panic!("seed {seed}: {text}: {e}"));
        let root = buf.root().unwrap();
        for printed in [root.print().unwrap(), root.print_pretty().unwrap()] {
            assert_eq!(json::parse(&printed).unwrap(), buf, "seed {seed}: {text}");
        }
        json::check_text(&text).unwrap();
        root.validate().unwrap();
    }
}

#[test]
fn texts_at_random_do_no_harm() {
    for seed in 0..20_000 {
        let mut random = Random(SmallRng::seed_from_u64(seed));
        let telling: Vec<char> = "{}[]:,\"\\ue+-.0159 \t\ntruefalsn/é\0$*#()😀".chars().collect();
        let length = random.below(30);
        let text: String = (0..length)
            .map(|_| match random.below(10) {
                0 => random.0.random::<char>(),
                _ => telling[random.below(telling.len())],
            })
            .collect();
        let checked = json::check_text(&text).is_ok();
        assert_eq!(json::parse(&text).is_ok(), checked, "seed {seed}: {text:?}");
        let _ = json::unquote(&text);
        for path in [text.clone(), format!("${text}")] {
            if let Ok(parsed) = Path::parse(&path) {
                let printed = parsed.to_string();
                assert_eq!(Path::parse(&printed).as_ref(), Ok(&parsed), "seed {seed}: {path:?}");
            }
        }
    }
}
