//! How FORMAT writes numbers in the locales that MySQL has.

/// What stands between the digits of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Between whole and fraction.
    pub(crate) point: u8,
    /// Between groups of digits, if there are groups.
    pub(crate) separator: Option<u8>,
    /// Digits of each group but the last one, which has three.
    pub(crate) group_digits: usize,
}

const fn style(point: u8, separator: Option<u8>, group_digits: usize) -> Style {
    Style { point, separator, group_digits }
}

/// That of en_US.
pub(crate) const USUAL: Style = style(b'.', Some(b','), 3);

#[rustfmt::skip]
static COMMAS: &[&str] = &[
    "ar_AE", "ar_BH", "ar_DZ", "ar_EG", "ar_IN", "ar_IQ", "ar_JO", "ar_KW", "ar_LB", "ar_LY",
    "ar_MA", "ar_OM", "ar_QA", "ar_SD", "ar_SY", "ar_TN", "ar_YE", "en_AU", "en_CA", "en_GB",
    "en_NZ", "en_PH", "en_US", "en_ZA", "en_ZW", "es_DO", "es_GT", "es_HN", "es_MX", "es_NI",
    "es_PA", "es_PE", "es_PR", "es_SV", "es_US", "gu_IN", "he_IL", "hi_IN", "ja_JP", "ko_KR",
    "ms_MY", "th_TH", "ur_PK", "zh_CN", "zh_HK", "zh_TW",
];
#[rustfmt::skip]
static PLAIN: &[&str] = &["ar_SA", "sr_RS", "sr_YU"];
#[rustfmt::skip]
static DOTS: &[&str] = &[
    "be_BY", "da_DK", "de_BE", "de_DE", "de_LU", "es_AR", "es_BO", "es_CL", "es_CO", "es_EC",
    "es_ES", "es_PY", "es_UY", "es_VE", "fo_FO", "hu_HU", "id_ID", "is_IS", "lt_LT", "mn_MN",
    "nb_NO", "no_NO", "ro_RO", "ru_UA", "sq_AL", "tr_TR", "uk_UA", "vi_VN",
];
#[rustfmt::skip]
static PLAIN_COMMA: &[&str] = &[
    "ca_ES", "de_AT", "el_GR", "eu_ES", "fr_BE", "fr_CA", "fr_CH", "fr_FR", "fr_LU", "gl_ES",
    "hr_HR", "it_IT", "nl_BE", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "sl_SI",
];
#[rustfmt::skip]
static SPACES: &[&str] = &[
    "cs_CZ", "es_CR", "et_EE", "fi_FI", "lv_LV", "mk_MK", "ru_RU", "sk_SK", "sv_FI", "sv_SE",
];

static STYLES: &[(&[&str], Style)] = &[
    (COMMAS, USUAL),
    (PLAIN, style(b'.', None, 3)),
    (DOTS, style(b',', Some(b'.'), 3)),
    (PLAIN_COMMA, style(b',', None, 3)),
    (SPACES, style(b',', Some(b' '), 3)),
    // A zero byte, as MySQL has it.
    (&["bg_BG"], style(b',', Some(0), 3)),
    (&["de_CH"], style(b'.', Some(b'\''), 3)),
    (&["it_CH", "rm_CH"], style(b',', Some(b'\''), 3)),
    (&["en_IN", "ta_IN", "te_IN"], style(b'.', Some(b','), 2)),
];

/// The style of a locale, whose name is of any case; none if there is no such locale.
pub(crate) fn find(name: &str) -> Option<Style> {
    let named = |list: &&[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(name));
    STYLES.iter().find(|(list, _)| named(list)).map(|(_, style)| *style)
}

/// Digits with a point, without a sign, in a style.
pub(crate) fn written(digits: &[u8], style: Style) -> Vec<u8> {
    let whole = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let mut out = Vec::with_capacity(digits.len() * 2);
    for (at, byte) in digits.iter().enumerate() {
        let left = whole.saturating_sub(at);
        let begins = left == 3 || left > 3 && (left - 3).is_multiple_of(style.group_digits);
        if let Some(separator) = style.separator
            && at > 0
            && begins
        {
            out.push(separator);
        }
        out.push(if *byte == b'.' { style.point } else { *byte });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MySQL 9.7 answers `FORMAT(12345678901234.5, 1, locale)`.
    #[test]
    fn numbers_are_written_as_a_server_does() {
        let known = [
            ("en_US", "12,345,678,901,234.5"),
            ("ar_SA", "12345678901234.5"),
            ("de_DE", "12.345.678.901.234,5"),
            ("fr_FR", "12345678901234,5"),
            ("sv_SE", "12 345 678 901 234,5"),
            ("de_CH", "12'345'678'901'234.5"),
            ("rm_CH", "12'345'678'901'234,5"),
            ("ta_IN", "1,23,45,67,89,01,234.5"),
            ("JA_jp", "12,345,678,901,234.5"),
        ];
        for (name, expected) in known {
            let style = find(name).expect("a locale");
            assert_eq!(written(b"12345678901234.5", style), expected.as_bytes(), "{name}");
        }
        assert_eq!(find("xx_YY"), None);
        let all: usize = STYLES.iter().map(|(list, _)| list.len()).sum();
        assert_eq!(all, 112);
    }
}
