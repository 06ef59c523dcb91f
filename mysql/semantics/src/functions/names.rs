//! Names that mean another function, and names that mean one that is not built.

/// Synonyms, as (synonym, name).
pub(crate) static SYNONYMS: &[(&str, &str)] = &[
    ("ceil", "ceiling"),
    ("character_length", "char_length"),
    ("day", "dayofmonth"),
    ("lcase", "lower"),
    ("mid", "substring"),
    ("octet_length", "length"),
    ("power", "pow"),
    ("session_user", "user"),
    ("sha", "sha1"),
    ("substr", "substring"),
    ("system_user", "user"),
    ("ucase", "upper"),
];

/// Functions of MySQL that are not built yet: they give 1235, not 1305.
pub(crate) static NOT_BUILT_YET: &[&str] = &[
    "extractvalue",
    "gtid_subset",
    "gtid_subtract",
    "icu_version",
    "master_pos_wait",
    "ps_current_thread_id",
    "ps_thread_id",
    "roles_graphml",
    "source_pos_wait",
    "statement_digest",
    "statement_digest_text",
    "updatexml",
    "validate_password_strength",
    "wait_for_executed_gtid_set",
];

/// Functions of geometry, which there is none of: 1235 too.
#[rustfmt::skip]
pub(crate) static GEOMETRY: &[&str] = &[
    "geomcollection", "geometrycollection", "linestring", "mbrcontains", "mbrcoveredby",
    "mbrcovers", "mbrdisjoint", "mbrequals", "mbrintersects", "mbroverlaps", "mbrtouches",
    "mbrwithin", "multilinestring", "multipoint", "multipolygon", "point", "polygon", "st_area",
    "st_asbinary", "st_asgeojson", "st_astext", "st_aswkb", "st_aswkt", "st_buffer",
    "st_buffer_strategy", "st_centroid", "st_collect", "st_contains", "st_convexhull",
    "st_crosses", "st_difference", "st_dimension", "st_disjoint", "st_distance",
    "st_distance_sphere", "st_endpoint", "st_envelope", "st_equals", "st_exteriorring",
    "st_frechetdistance", "st_geohash", "st_geomcollfromtext", "st_geomcollfromtxt",
    "st_geomcollfromwkb", "st_geometrycollectionfromtext", "st_geometrycollectionfromwkb",
    "st_geometryfromtext", "st_geometryfromwkb", "st_geometryn", "st_geometrytype",
    "st_geomfromgeojson", "st_geomfromtext", "st_geomfromwkb", "st_hausdorffdistance",
    "st_interiorringn", "st_intersection", "st_intersects", "st_isclosed", "st_isempty",
    "st_issimple", "st_isvalid", "st_latfromgeohash", "st_latitude", "st_length",
    "st_linefromtext", "st_linefromwkb", "st_lineinterpolatepoint", "st_lineinterpolatepoints",
    "st_linestringfromtext", "st_linestringfromwkb", "st_longfromgeohash", "st_longitude",
    "st_makeenvelope", "st_mlinefromtext", "st_mlinefromwkb", "st_mpointfromtext",
    "st_mpointfromwkb", "st_mpolyfromtext", "st_mpolyfromwkb", "st_multilinestringfromtext",
    "st_multilinestringfromwkb", "st_multipointfromtext", "st_multipointfromwkb",
    "st_multipolygonfromtext", "st_multipolygonfromwkb", "st_numgeometries", "st_numinteriorring",
    "st_numinteriorrings", "st_numpoints", "st_overlaps", "st_pointatdistance",
    "st_pointfromgeohash", "st_pointfromtext", "st_pointfromwkb", "st_pointn", "st_polyfromtext",
    "st_polyfromwkb", "st_polygonfromtext", "st_polygonfromwkb", "st_simplify", "st_srid",
    "st_startpoint", "st_swapxy", "st_symdifference", "st_touches", "st_transform", "st_union",
    "st_validate", "st_within", "st_x", "st_y",
];

/// Functions with grammar of their own, whose arguments have no names of their own in
/// warnings.
#[rustfmt::skip]
pub(crate) static NAMELESS: &[&str] = &[
    "ascii", "char", "charset", "coalesce", "collation", "curdate", "curtime", "database", "date",
    "day", "format", "hour", "if", "insert", "interval", "left", "microsecond", "minute", "mod",
    "month", "now", "quarter", "repeat", "replace", "reverse", "right", "row_count", "second",
    "substring", "sysdate", "time", "timestamp", "trim", "truncate", "user", "utc_date",
    "utc_time", "utc_timestamp", "week", "weight_string", "year", "substr", "mid", "position",
    "adddate", "subdate",
];
