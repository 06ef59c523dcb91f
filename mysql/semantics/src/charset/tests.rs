use super::*;

fn set(name: &str) -> &'static Charset {
    Charset::by_name(name).unwrap()
}

fn converted(text: &[u8], from: &str, to: &str) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let lost = convert(text, set(from), set(to), &mut out).unwrap();
    (out, lost)
}

#[test]
fn all_sets_have_their_names_and_default_collations() {
    assert_eq!(Charset::all().len(), 41);
    assert_eq!(set("UTF8MB4").default_collation().name(), "utf8mb4_0900_ai_ci");
    assert_eq!(set("utf8").name(), "utf8mb3");
    assert_eq!(set("latin1").default_collation().name(), "latin1_swedish_ci");
    assert_eq!(set("latin1").binary_collation().name(), "latin1_bin");
    assert_eq!(set("binary").binary_collation().name(), "binary");
    assert_eq!((set("utf16").min_bytes(), set("utf16").max_bytes()), (2, 4));
    assert!(Charset::by_name("klingon").is_none());
    for one in Charset::all() {
        assert_eq!(one.default_collation().charset(), one);
        assert!(one.default_collation().is_default());
        assert_eq!(one.binary_collation().charset(), one);
    }
}

#[test]
fn what_is_known_by_name_only_says_so() {
    let sjis = set("sjis");
    assert!(!sjis.is_supported());
    assert_eq!(sjis.char_length(b"\x82\xa0"), Err(NotSupported("sjis")));
    assert_eq!(sjis.is_well_formed(b"a"), Err(NotSupported("sjis")));
    assert_eq!(convert(b"a", sjis, set("utf8mb4"), &mut Vec::new()), Err(NotSupported("sjis")));
    assert_eq!(NotSupported("sjis").to_string(), "sjis is not supported yet");
}

#[test]
fn utf8_is_refused_where_it_is_ill_formed() {
    let utf8 = set("utf8mb4");
    for (text, prefix) in [
        (&b"a\xc3\xa9"[..], 3),
        (b"a\xc3", 1),
        (b"\xc0\x80", 0),
        (b"\xe0\x80\x80", 0),
        (b"\xed\xa0\x80", 0),
        (b"x\xf4\x90\x80\x80", 1),
        (b"\xf0\x9f\x98\x80", 4),
        (b"\xf0\x9f\x98", 0),
        (b"\x80", 0),
        (b"ab\xffcd", 2),
    ] {
        assert_eq!(utf8.well_formed_prefix(text, usize::MAX).unwrap().0, prefix, "{text:x?}");
        assert_eq!(utf8.is_well_formed(text).unwrap(), prefix == text.len(), "{text:x?}");
    }
    assert_eq!(set("utf8mb3").well_formed_prefix("a😀".as_bytes(), 9).unwrap(), (1, 1));
    assert_eq!(utf8.well_formed_prefix("äöü".as_bytes(), 2).unwrap(), (4, 2));
}

#[test]
fn what_a_set_lacks_becomes_a_question_mark() {
    assert_eq!(converted("aé€ł😀".as_bytes(), "utf8mb4", "latin1"), (b"a\xe9\x80??".to_vec(), 2));
    assert_eq!(converted(b"\x80\x81", "latin1", "utf8mb4"), ("€\u{81}".as_bytes().to_vec(), 0));
    assert_eq!(converted("é".as_bytes(), "utf8mb4", "ascii"), (b"?".to_vec(), 1));
    assert_eq!(converted("中é".as_bytes(), "utf8mb4", "gbk"), (b"\xd6\xd0\xa8\xa6".to_vec(), 0));
    assert_eq!(converted(b"\xd6\xd0", "gbk", "utf8mb4"), ("中".as_bytes().to_vec(), 0));
    assert_eq!(converted("😀".as_bytes(), "utf8mb4", "utf16"), (b"\xd8\x3d\xde\x00".to_vec(), 0));
    assert_eq!(converted("😀".as_bytes(), "utf8mb4", "utf16le"), (b"\x3d\xd8\x00\xde".to_vec(), 0));
    assert_eq!(converted("😀".as_bytes(), "utf8mb4", "ucs2"), (b"\0?".to_vec(), 1));
    assert_eq!(converted(b"\0\x01\xf6\0", "utf32", "utf8mb4"), ("😀".as_bytes().to_vec(), 0));
    assert_eq!(converted(b"a\xff", "binary", "utf32"), (b"\0\0a\xff".to_vec(), 0));
    assert_eq!(converted(b"a\xff", "latin1", "binary"), (b"a\xff".to_vec(), 0));
}

#[test]
fn characters_are_counted_and_found() {
    assert_eq!(set("utf8mb4").char_length("aé中😀".as_bytes()).unwrap(), 4);
    assert_eq!(set("utf8mb4").char_offset("aé中😀".as_bytes(), 3).unwrap(), 6);
    assert_eq!(set("utf8mb4").char_offset(b"ab", 9).unwrap(), 2);
    assert_eq!(set("gbk").char_length(b"a\xd6\xd0b").unwrap(), 3);
    assert_eq!(set("utf16").char_length(b"\0a\xd8\x3d\xde\x00").unwrap(), 2);
    assert_eq!(set("latin1").char_length(b"\xe9\xe9").unwrap(), 2);
    assert_eq!(set("binary").char_length("é".as_bytes()).unwrap(), 2);
}

#[test]
fn every_character_of_every_set_survives_utf32() {
    for one in Charset::all().iter().filter(|one| one.is_supported() && !one.is_binary()) {
        let mut count = 0;
        // Past the first planes a sample is enough.
        let codes = (0..0x2_0000).chain((0x2_0000..0x11_0000).step_by(251));
        for code in codes.filter(|code| char::from_u32(*code).is_some()) {
            let mut text = Vec::new();
            if !one.encode(code, &mut text).unwrap() {
                assert!(text.is_empty());
                continue;
            }
            count += 1;
            assert!(one.is_well_formed(&text).unwrap(), "{one:?} {code:x}");
            let mut back = Vec::new();
            convert(&text, one, Charset::by_name("utf32").unwrap(), &mut back).unwrap();
            // GBK has code points that share a pair of bytes with another.
            if one.name() != "gbk" {
                assert_eq!(back, code.to_be_bytes(), "{one:?} {code:x}");
            }
        }
        assert!(count >= 127, "{one:?}: {count}");
    }
}

#[test]
fn any_bytes_are_read_to_their_end() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand::rngs::SmallRng::seed_from_u64(3);
    for one in Charset::all().iter().filter(|one| one.is_supported()) {
        for _ in 0..500 {
            let len = rng.random_range(0..12);
            let text: Vec<u8> = (0..len).map(|_| rng.random_range(0x30..=0xFF)).collect();
            let (mut bytes, mut chars, mut valid) = (0, 0, true);
            one.for_each_char(&text, |unit| {
                assert!(unit.len > 0);
                bytes += unit.len;
                chars += 1;
                valid &= unit.is_valid();
            })
            .unwrap();
            assert_eq!(bytes, text.len(), "{one:?} {text:x?}");
            assert_eq!(one.is_well_formed(&text).unwrap(), valid, "{one:?} {text:x?}");
            if !matches!(one.name(), "ascii") {
                assert_eq!(one.char_length(&text).unwrap(), chars, "{one:?} {text:x?}");
            }
            convert(&text, one, Charset::utf8mb4(), &mut Vec::new()).unwrap();
        }
    }
}
