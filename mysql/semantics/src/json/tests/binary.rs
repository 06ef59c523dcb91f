//! The binary form: what is built, what is read, and bytes that are no document.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::generate::Random;
use crate::json::{self, Builder, JsonBuf, JsonError, JsonRef, Kind, MAX_DEPTH};

fn parse(text: &str) -> JsonBuf {
    json::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn every_width_of_a_number_reads_back() {
    for shift in 0..64 {
        for near in [-1, 0, 1] {
            let uint = (1u64 << shift).wrapping_add_signed(near);
            let mut builder = Builder::new();
            builder.begin_array().unwrap();
            builder.uint(uint);
            builder.int(uint as i64);
            builder.int((uint as i64).wrapping_neg());
            builder.end().unwrap();
            let buf = builder.finish().unwrap();
            let array = buf.root().unwrap().as_array().unwrap().unwrap();
            let kinds: Vec<_> = array.iter().map(|v| v.unwrap().kind().unwrap()).collect();
            assert!(matches!(kinds[0], Kind::UInt(v) if v == uint), "{uint}");
            assert!(matches!(kinds[1], Kind::Int(v) if v == uint as i64), "{uint}");
            assert!(
                matches!(kinds[2], Kind::Int(v) if v == (uint as i64).wrapping_neg()),
                "{uint}"
            );
        }
    }
}

#[test]
fn members_are_found_however_they_came() {
    for count in [0, 1, 2, 3, 10, 500, 70_000] {
        let mut builder = Builder::new();
        builder.begin_object().unwrap();
        for i in 0..count {
            // Backwards, and each twice.
            let i = count - 1 - i;
            builder.name(&format!("n{i}"));
            builder.null();
            builder.name(&format!("n{i}"));
            builder.int(i);
        }
        builder.end().unwrap();
        let buf = builder.finish().unwrap();
        buf.root().unwrap().validate().unwrap();
        let object = buf.root().unwrap().as_object().unwrap().unwrap();
        assert_eq!(object.len(), count as usize);
        for i in 0..count {
            let value = object.get(&format!("n{i}")).unwrap().unwrap();
            assert!(matches!(value.kind().unwrap(), Kind::Int(v) if v == i));
        }
        assert!(object.get(&format!("n{count}")).unwrap().is_none());
    }
}

#[test]
fn large_containers_hold_small_ones_and_parts_can_be_taken_out() {
    let inner = format!("[{}]", vec![r#"{"a": [1, "x", 70000]}"#; 100].join(", "));
    let long = "y".repeat(66_000);
    let text = format!(r#"{{"i": {inner}, "l": "{long}", "m": [{inner}, "{long}"]}}"#);
    let buf = parse(&text);
    let root = buf.root().unwrap();
    assert_eq!(root.print().unwrap(), text);
    let object = root.as_object().unwrap().unwrap();
    for (name, expected) in [("i", inner.clone()), ("m", format!("[{inner}, \"{long}\"]"))] {
        let part = json::copy(object.get(name).unwrap().unwrap()).unwrap();
        assert_eq!(part.root().unwrap().print().unwrap(), expected);
        assert_eq!(part, parse(&expected), "a part is what its text is");
    }
}

#[test]
fn equal_documents_are_equal_bytes() {
    let texts =
        [r#"{"b":[1,2],"a":{"x":null,"w":1}}"#, r#"{"a":1,"a":{"w":1,"x":null},"b":[1,2]}"#];
    assert_eq!(parse(texts[0]), parse(texts[1]));
    let buf = parse(texts[0]);
    assert_eq!(json::copy(buf.root().unwrap()).unwrap(), buf);
    assert_eq!(JsonBuf::from_bytes(buf.as_bytes().to_vec()), Ok(buf));
}

#[test]
fn calls_out_of_order_are_an_error() {
    type Calls<'c> = &'c dyn Fn(&mut Builder) -> Result<(), JsonError>;
    let calls: [Calls<'_>; 7] = [
        &|_| Ok(()),
        &|b| b.begin_array(),
        &|b| b.end(),
        &|b| {
            b.begin_object()?;
            b.null();
            b.end()
        },
        &|b| {
            b.begin_object()?;
            b.name("a");
            b.end()
        },
        &|b| {
            b.begin_array()?;
            b.name("a");
            b.null();
            b.end()
        },
        &|b| {
            b.null();
            b.null();
            Ok(())
        },
    ];
    for (i, call) in calls.into_iter().enumerate() {
        let mut builder = Builder::new();
        call(&mut builder).unwrap();
        assert!(builder.finish().is_err(), "{i}");
    }
}

#[test]
fn depth_is_bounded_in_texts_and_in_what_is_built() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let deepest = parse(&nested(MAX_DEPTH.into()));
    assert_eq!(json::depth(deepest.root().unwrap()), Ok(100));
    assert_eq!(json::parse(&nested(101)), Err(JsonError::TooDeep));
    assert_eq!(json::parse(&"[".repeat(1_000_000)), Err(JsonError::TooDeep));
    assert_eq!(json::parse(&"{\"a\":".repeat(1_000_000)), Err(JsonError::TooDeep));
    let mut builder = Builder::new();
    builder.begin_array().unwrap();
    assert_eq!(builder.value(deepest.root().unwrap()), Err(JsonError::TooDeep));
}

/// All that reads a document; errors are fine, panics and endless walks are not.
fn read_all(value: JsonRef<'_>) {
    let _ = value.validate();
    let _ = value.print();
    let _ = value.print_pretty();
    let _ = value.sort_key(&mut Vec::new());
    let _ = value.compare(&value);
    let _ = json::copy(value);
    let _ = json::depth(value);
    let _ = json::storage_size(value);
    let _ = json::contains(value, value);
    let _ = json::merge_preserve(value, value);
    let _ = json::merge_patch(value, value);
    let _ = json::validate_schema(value, value);
    for path in ["$**.a", "$[*][0]", "$.a.b", "$[last]"] {
        let path = json::Path::parse(path).unwrap();
        let _ = json::extract(value, std::slice::from_ref(&path));
        let _ = json::remove(value, &path);
        let _ = json::search(value, true, &|_| true, &[path]);
    }
}

#[test]
fn bytes_at_random_are_errors() {
    for seed in 0..3_000 {
        let mut random = Random(SmallRng::seed_from_u64(seed));
        let buf = parse(&random.text());
        read_all(buf.root().unwrap());
        for _ in 0..6 {
            let mut bytes = buf.as_bytes().to_vec();
            for _ in 0..1 + random.below(3) {
                let (at, byte) = (random.below(bytes.len()), random.0.random::<u8>());
                match random.below(4) {
                    0 => bytes[at] = byte,
                    1 => bytes[at] = bytes[at].wrapping_add(1),
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, byte),
                }
            }
            if let Ok(root) = JsonRef::open(&bytes) {
                read_all(root);
            }
        }
        let len = random.below(40);
        let mut bytes: Vec<u8> = (0..len).map(|_| random.0.random_range(0..24)).collect();
        bytes.insert(0, 1);
        if let Ok(root) = JsonRef::open(&bytes) {
            read_all(root);
        }
    }
}

#[test]
fn a_container_that_shares_its_parts_is_an_error() {
    // Two entries of one place: printing would take twice as long at each level.
    let mut bytes = parse(r#"[["x"], ["y"]]"#).into_bytes();
    let table = bytes.len() - 5 - (1 + 2 + 2 + 2 * 3);
    let first: Vec<u8> = bytes[table + 5..table + 8].to_vec();
    bytes[table + 8..table + 11].copy_from_slice(&first);
    let error = JsonRef::open(&bytes).unwrap().print();
    assert_eq!(error, Err(JsonError::Corrupt("values that share bytes")));
}
