//! Ranges hold what was asked for.

use std::ops::Bound;

use super::*;

proptest! {
    #[test]
    fn ranges_hold_what_they_are_asked_for(
        case in cases(),
        equal in 0..3_usize,
        low in 0..3_u8,
        high in 0..3_u8,
        bounds in any::<[prop::sample::Index; 3]>(),
    ) {
        let codec = indexed(&case.types, &case.parts, IndexKind::Plain, false);
        let index = codec.index(IndexId(2)).unwrap();
        let equal = equal.min(case.parts.len() - 1);
        let wanted = bounds.map(|at| &case.rows[at.index(case.rows.len())]);
        let bound = |kind: u8, row: &'_ Vec<Value>| match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(row[equal].clone()),
            _ => Bound::Excluded(row[equal].clone()),
        };
        let (low, high) = (bound(low, wanted[0]), bound(high, wanted[1]));
        let range = index.range(&wanted[2][..equal], low.as_ref(), high.as_ref()).unwrap();
        let mut row_key = Vec::new();
        row_number_key(1, &mut row_key);
        for row in &case.rows {
            let mut key = Vec::new();
            index.entry_key(row, &row_key, &mut key).unwrap();
            let same = |i: usize| {
                compare(&case.types[i], &row[i], &wanted[2][i]).is_eq()
            };
            let against = |value: &Value| compare(&case.types[equal], &row[equal], value);
            let unbounded = low == Bound::Unbounded && high == Bound::Unbounded;
            let expected = (0..equal).all(same)
                && match &low {
                    Bound::Unbounded => unbounded || !row[equal].is_null(),
                    Bound::Included(value) => against(value).is_ge(),
                    Bound::Excluded(value) => against(value).is_gt(),
                }
                && match &high {
                    Bound::Unbounded => true,
                    Bound::Included(value) => against(value).is_le(),
                    Bound::Excluded(value) => against(value).is_lt(),
                };
            let prefixes = case.parts[..=equal].iter().any(|part| part.prefix_len.is_some());
            let found = range.contains(&key);
            if prefixes {
                // Texts with characters that weigh nothing may be missing, as in MySQL.
                continue;
            }
            prop_assert_eq!(found, expected, "{:?} in {:?}: {:?} to {:?}", row, range, low, high);
        }
    }
}

#[test]
fn ranges_of_a_prefix_hold_all_that_may_match() {
    let types = [text(TypeKind::Varchar, 9, "utf8mb4_general_ci")];
    let codec = indexed(&types, &[prefix(1, 2)], IndexKind::Plain, false);
    let index = codec.index(IndexId(2)).unwrap();
    assert!(index.is_prefix(0));
    let mut row_key = Vec::new();
    row_number_key(1, &mut row_key);
    let texts = ["", "a", "ab", "aba", "abb", "abc", "ac", "b"];
    let find = |low, high| -> Vec<&str> {
        let range = index.range(&[], low, high).unwrap();
        let inside = |text: &&str| {
            let mut key = Vec::new();
            index.entry_key(&[Value::from(*text)], &row_key, &mut key).unwrap();
            range.contains(&key)
        };
        texts.into_iter().filter(inside).collect()
    };
    let abb = Value::from("abb");
    let of_prefix = ["ab", "aba", "abb", "abc"];
    assert_eq!(find(Bound::Included(&abb), Bound::Included(&abb)), of_prefix);
    assert_eq!(find(Bound::Excluded(&abb), Bound::Unbounded)[..4], of_prefix);
    assert_eq!(find(Bound::Unbounded, Bound::Excluded(&abb))[2..], of_prefix);
}

/// `k = 5 AND id > 1` is one range of an index over `k`.
#[test]
fn ranges_of_a_plain_index_go_on_with_the_primary_key() {
    let types = [int(TypeKind::Int).not_null(), int(TypeKind::Int)];
    let columns = || types.iter().enumerate().map(|(i, ty)| column(i as u32 + 1, "c", *ty));
    let indexes = vec![
        index(1, IndexKind::Primary, &[descending(1)]),
        index(2, IndexKind::Plain, &[part(2)]),
        index(3, IndexKind::Unique, &[part(2)]),
    ];
    let codec = codec(table(columns().collect(), indexes));
    let plain = codec.index(IndexId(2)).unwrap();
    assert_eq!((plain.parts(), plain.key_parts(), plain.column(1)), (1, 2, Some(0)));
    assert!(plain.is_descending(1) && !plain.is_descending(0));
    let (one, five) = (Value::Int(1), Value::Int(5));
    let range =
        plain.range(std::slice::from_ref(&five), Bound::Excluded(&one), Bound::Unbounded).unwrap();
    for (id, k, inside) in [(2, 5, true), (9, 5, true), (1, 5, false), (2, 4, false), (2, 6, false)]
    {
        let row = [Value::Int(id), Value::Int(k)];
        let (mut row_key, mut key) = (Vec::new(), Vec::new());
        codec.row_index().row_key(&row, &mut row_key).unwrap();
        plain.entry_key(&row, &row_key, &mut key).unwrap();
        assert_eq!(range.contains(&key), inside, "{row:?}");
    }
    // A unique one has its rows' keys elsewhere.
    let unique = codec.index(IndexId(3)).unwrap();
    assert_eq!((unique.key_parts(), unique.column(1)), (1, None));
    assert!(unique.range(&[five], Bound::Excluded(&one), Bound::Unbounded).is_err());
}

/// With accents looked at last, `aZ` is above `áB`, and its prefix `a` below `á`.
#[test]
fn ranges_of_a_prefix_are_not_cut_where_prefixes_are_out_of_order() {
    let types = [text(TypeKind::Varchar, 9, "utf8mb4_0900_as_cs")];
    let codec = indexed(&types, &[prefix(1, 1)], IndexKind::Plain, false);
    let index = codec.index(IndexId(2)).unwrap();
    let (above, below) = (Value::from("aZ"), Value::from("áB"));
    assert_eq!(compare(&types[0], &above, &below), Ordering::Greater);
    let (mut row_key, mut key) = (Vec::new(), Vec::new());
    row_number_key(1, &mut row_key);
    index.entry_key(&[above], &row_key, &mut key).unwrap();
    let range = index.range(&[], Bound::Excluded(&below), Bound::Unbounded).unwrap();
    assert!(range.contains(&key));
}

proptest! {
    #[test]
    fn what_is_like_a_beginning_is_in_its_range(
        collation in prop::sample::select(&crate::testing::COLLATIONS),
        of in any::<prop::sample::Index>(),
        [descending, char, prefix_len] in any::<[bool; 3]>(),
        seed in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let kind = if char { TypeKind::Char } else { TypeKind::Varchar };
        let ty = text(kind, 8, collation);
        let prefix_len = prefix_len.then_some(2);
        let parts = [IndexPart { prefix_len, descending, ..part(1) }];
        let codec = indexed(&[ty], &parts, IndexKind::Plain, false);
        let index = codec.index(IndexId(2)).unwrap();
        let collation = Collation::by_name(collation).unwrap();
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let mut texts = Vec::new();
        for _ in 0..40 + seed[0].index(40) {
            let value = values(ty.not_null()).new_tree(&mut runner).unwrap().current();
            texts.push(value.as_bytes().unwrap().to_vec());
        }
        let of = &texts[of.index(texts.len())];
        let chars = seed[1].index(4);
        let beginning = &of[..collation.charset().char_offset(of, chars).unwrap()];
        let range = index.beginning_with(&[], beginning).unwrap().unwrap();
        let mut row_key = Vec::new();
        row_number_key(1, &mut row_key);
        let pattern = [beginning, b"%"].concat();
        for text in &texts {
            let mut key = Vec::new();
            index.entry_key(&[Value::bytes(text)], &row_key, &mut key).unwrap();
            let escape = firn_mysql_semantics::collation::Escape::default();
            if collation.like(text, &pattern, escape).unwrap() {
                prop_assert!(range.contains(&key), "{:?} LIKE {:?}", text, pattern);
            }
        }
        let mut null = Vec::new();
        index.entry_key(&[Value::Null], &row_key, &mut null).unwrap();
        prop_assert!(!range.contains(&null));
    }
}
