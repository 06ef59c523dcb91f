#!/usr/bin/env python3
"""Writes what the crate knows about character sets and collations, from a live MySQL.

    pip install pymysql cryptography
    python3 tools/text_tables.py --host 127.0.0.1 --port 3306 --user root

Everything is asked of the server in SQL (information_schema, CONVERT, WEIGHT_STRING,
UPPER, LOWER); nothing is taken from its source. Writes, below the crate's folder:

    src/charset/list.rs, src/collation/list.rs    names, ids, attributes
    data/*.bin                                    weights, case maps, code tables
    data/fixture.bin                              hashes of what the server answered

The forms of the files are described in src/collation/compact.rs (maps and weights),
src/charset/single.rs, src/charset/gbk.rs and tests/it/fixture.rs. Takes a minute or two.
"""
import argparse
import os
import subprocess

import pymysql

CRATE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAST = 0x110000
IMPLICIT = (0xFB00, 0xFB40, 0xFB80, 0xFBC0)
TANGUT = 0x17000


class Server:
    def __init__(self, a):
        self.c = pymysql.connect(host=a.host, port=a.port, user=a.user, password=a.password,
                                 charset="utf8mb4", use_unicode=False)
        self.rows("SET SESSION group_concat_max_len=100000000")
        self.rows("SET SESSION cte_max_recursion_depth=10000000")
        self.rows("SET NAMES utf8mb4")

    def rows(self, sql):
        with self.c.cursor() as k:
            k.execute(sql)
            return k.fetchall()

    def each(self, expression, first, last):
        """`expression` of i for first <= i < last, as a list of bytes or None."""
        out = []
        for lo in range(first, last, 0x4000):
            hi = min(lo + 0x4000, last)
            got = self.rows(
                f"WITH RECURSIVE n(i) AS (SELECT {lo} UNION ALL SELECT i+1 FROM n WHERE i<{hi - 1}) "
                f"SELECT GROUP_CONCAT(IFNULL(HEX({expression}),'-') ORDER BY i SEPARATOR ',') "
                f"FROM n GROUP BY i>>8 ORDER BY i>>8")
            for (line,) in got:
                out += [None if h == b"-" else bytes.fromhex(h.decode()) for h in line.split(b",")]
        assert len(out) == last - first, (len(out), first, last)
        return out

    def codes(self, expression):
        """`expression` of c for each code point but surrogates (None there)."""
        char = expression.replace("$c", "CONVERT(CHAR(i USING utf32) USING utf8mb4)")
        out = self.each(char, 0, 0xD800)
        out += [None] * 0x800
        return out + self.each(char, 0xE000, LAST)


def varint(out, n):
    assert n >= 0
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


def zigzag(n):
    return n << 1 if n >= 0 else (-n << 1) - 1


def values(out, vs):
    """A number for each code point (None: any will do)."""
    assert len(vs) == LAST
    runs, last, diff = [], 0, 0
    for v in vs:
        d = 0 if v is None else v - last
        last = last if v is None else v
        if runs and runs[-1][0] == d:
            runs[-1][1] += 1
        else:
            runs.append([d, 1])
    for d, n in runs:
        varint(out, zigzag(d) << 1 | (n > 1))
        if n > 1:
            varint(out, n - 2)


def words(b):
    return tuple(b[i] << 8 | b[i + 1] for i in range(0, len(b), 2))


def implicit(cp):
    for base in IMPLICIT:
        off = TANGUT if base == 0xFB00 else 0
        if cp >= off:
            yield (base, off), (base + ((cp - off) >> 15), ((cp - off) & 0x7FFF) | 0x8000)


def hangul(cp, weights):
    i = cp - 0xAC00
    if not 0 <= i < 11172:
        return None
    w = weights[0x1100 + i // 588] + weights[0x1161 + i % 588 // 28]
    return w + (weights[0x11A7 + i % 28] if i % 28 else ())


def weights(out, ws):
    """ws: for each code point its weights of one level, a tuple (None: any will do)."""
    single, sequences, ranges = [], [], []
    for cp, w in enumerate(ws):
        if w is None:
            single.append(None)
            if ranges and ranges[-1][1] == cp:
                pass
            continue
        if len(w) <= 1:
            single.append(w[0] if w else 0)
            continue
        single.append(None)
        kind = next((k for k, v in implicit(cp) if v == w), None)
        if kind is None and w == hangul(cp, ws):
            kind = "hangul"
        if kind is None:
            sequences.append((cp, w))
        elif ranges and ranges[-1][1] == cp and ranges[-1][2] == kind:
            ranges[-1][1] = cp + 1
        else:
            ranges.append([cp, cp + 1, kind])
    values(out, single)
    at = len(out)
    varint(out, len(sequences))
    last, before = 0, ()
    for cp, w in sequences:
        varint(out, cp - last)
        varint(out, len(w))
        for i, v in enumerate(w):
            varint(out, zigzag(v - (before[i] if i < len(before) else 0)))
        last, before = cp, w
    print("   singles", at, "sequences", len(sequences), len(out) - at, "ranges", len(ranges))
    varint(out, len(ranges))
    last = 0
    for lo, hi, kind in ranges:
        varint(out, lo - last)
        varint(out, hi - lo)
        varint(out, 0 if kind == "hangul" else kind[0])
        if kind != "hangul":
            varint(out, kind[1])
        last = hi


def tails(out, pairs):
    """Levels two and three: an index of a pair of sequences for each code point."""
    index, patterns, vs = {}, [], []
    for p in pairs:
        if p is None:
            vs.append(None)
            continue
        if p not in index:
            index[p] = len(patterns)
            patterns.append(p)
        vs.append(index[p])
    values(out, vs)
    varint(out, len(patterns))
    for p in patterns:
        for level in p:
            varint(out, len(level))
            for w in level:
                varint(out, w)
    print("   tails: patterns", len(patterns))


def write(name, data):
    path = os.path.join(CRATE, "data", name)
    with open(path, "wb") as f:
        f.write(data)
    print(f"{name}: {len(data)} bytes")


def write_rust(name, text):
    path = os.path.join(CRATE, "src", name)
    with open(path, "w") as f:
        f.write(text)
    subprocess.run(["rustfmt", "--edition", "2024", path], check=True, cwd=CRATE)


def fnv16(parts):
    h = 0xCBF29CE484222325
    for p in parts:
        for b in (bytes([len(p) & 0xFF]) + p):
            h = (h ^ b) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    h ^= h >> 32
    return (h ^ h >> 16) & 0xFFFF


FIXTURE = bytearray()


def fixture(name, answers):
    """A name, and a hash for each page of 256 code points."""
    FIXTURE.extend(bytes([len(name)]) + name.encode())
    for page in range(LAST >> 8):
        some = [b"" if x is None else x for x in answers[page << 8:(page + 1) << 8]]
        FIXTURE.extend(fnv16(some).to_bytes(2, "little"))


def lists(s):
    sets = s.rows("SELECT CHARACTER_SET_NAME, DEFAULT_COLLATE_NAME, DESCRIPTION, MAXLEN "
                  "FROM information_schema.CHARACTER_SETS ORDER BY 1")
    colls = s.rows("SELECT COLLATION_NAME, CHARACTER_SET_NAME, ID, IS_DEFAULT, IS_COMPILED, SORTLEN, "
                   "PAD_ATTRIBUTE FROM information_schema.COLLATIONS ORDER BY ID")
    ids = {c[0]: c[2] for c in colls}
    out = ("//! Generated by tools/text_tables.py from a live server. Do not edit.\n\n"
           "use super::Row;\n\n"
           "/// Name, description, id of the default collation, bytes of the shortest and of\n"
           "/// the longest character; by name.\n"
           f"pub(super) const ROWS: [Row; {len(sets)}] = [\n")
    for name, coll, text, most in sets:
        name = name.decode()
        least = s.rows(f"SELECT LENGTH(CONVERT('a' USING {name}))")[0][0]
        out += (f'Row {{ name: "{name}", description: "{text.decode()}", default_collation: {ids[coll]}, '
                f"min_bytes: {least}, max_bytes: {most} }},\n")
    write_rust("charset/list.rs", out + "];\n")
    out = ("//! Generated by tools/text_tables.py from a live server. Do not edit.\n\n"
           "use super::Row;\n\n"
           "/// By id.\n"
           f"pub(super) const ROWS: [Row; {len(colls)}] = [\n")
    names = [r[0] for r in sets]
    for name, cs, i, default, compiled, sortlen, pad in colls:
        out += (f'Row {{ id: {i}, name: "{name.decode()}", charset: {names.index(cs)}, '
                f"is_default: {str(default == b'Yes').lower()}, is_compiled: {str(compiled == b'Yes').lower()}, "
                f"sort_len: {sortlen}, pad_space: {str(pad == b'PAD SPACE').lower()} }},\n")
    write_rust("collation/list.rs", out + "];\n")
    return sets, colls


def unicode_weights(s):
    for file, coll in (("general", "utf8mb4_general_ci"), ("uca_400", "utf8mb4_unicode_ci"),
                       ("uca_520", "utf8mb4_unicode_520_ci"), ("uca_900", "utf8mb4_0900_ai_ci")):
        raw = s.codes(f"WEIGHT_STRING($c COLLATE {coll})")
        fixture(coll, raw)
        # Half surrogates occur in ucs2 only, where they weigh what is asked here of one.
        half = words(s.rows(f"SELECT WEIGHT_STRING(_ucs2 x'D801' COLLATE {coll.replace('utf8mb4', 'ucs2')})")[0][0]) \
            if "0900" not in coll else ()
        assert half in ((), (0xD801,), (0xFBC1, 0xD801)), half
        ws = [(cp,) * len(half) if r is None and len(half) < 2 else
              (0xFBC0 + (cp >> 15), cp & 0x7FFF | 0x8000) if r is None else words(r) for cp, r in enumerate(raw)]
        out = bytearray()
        weights(out, ws)
        if file == "uca_900":
            write(file + ".bin", out)
            full = s.codes("WEIGHT_STRING($c COLLATE utf8mb4_0900_as_cs)")
            fixture("utf8mb4_0900_as_cs", full)
            pairs = []
            for w, f in zip(ws, full):
                if f is None:
                    pairs.append(None)
                    continue
                levels, level = [], []
                for x in words(f):
                    if x == 0:
                        levels.append(tuple(level))
                        level = []
                    else:
                        level.append(x)
                levels.append(tuple(level))
                assert len(levels) == 3 and levels[0] == w, (levels, w)
                pairs.append((levels[1], levels[2]))
            out = bytearray()
            tails(out, pairs)
            write("uca_900_tails.bin", out)
            fixture("utf8mb4_0900_as_ci", s.codes("WEIGHT_STRING($c COLLATE utf8mb4_0900_as_ci)"))
        else:
            write(file + ".bin", out)
    fixture("utf8mb4_bin", s.codes("WEIGHT_STRING($c COLLATE utf8mb4_bin)"))


# Languages whose letters weigh each for itself: no two make one letter, as Czech `ch`, and
# cases are those of all others, unlike Turkish. The order of `LANGUAGES` in
# src/collation/order.rs.
LANGUAGES = ("icelandic", "latvian", "romanian", "slovenian", "polish", "estonian", "spanish", "swedish",
             "roman", "persian", "esperanto", "hungarian", "sinhala", "german2", "vietnamese")


def languages(s):
    """Of each language what weighs otherwise than in unicode_ci: count; gap, length, weights."""
    char = "CONVERT(CHAR(i USING utf32) USING utf8mb4)"

    def plane(expression):
        return s.each(expression, 0, 0xD800) + [None] * 0x800 + s.each(expression, 0xE000, 0x10000)

    cases = {f: plane(f"{f}({char} COLLATE utf8mb4_unicode_ci)") for f in ("UPPER", "LOWER")}
    base = plane(f"WEIGHT_STRING({char} COLLATE utf8mb4_unicode_ci)")
    out, hashes = bytearray(), bytearray()
    for language in LANGUAGES:
        coll = f"utf8mb4_{language}_ci"
        for f, expected in cases.items():
            assert plane(f"{f}({char} COLLATE {coll})") == expected, (f, coll)
        raw = plane(f"WEIGHT_STRING({char} COLLATE {coll})")
        own = [cp for cp, (one, other) in enumerate(zip(raw, base)) if one != other]
        letters = dict.fromkeys([*range(0x20, 0x7F), *own, *range(0x300, 0x32A)])
        for first in letters:
            pairs = s.rows("SELECT HEX(WEIGHT_STRING(t.c COLLATE %s)) FROM (VALUES %s) t(n, c) ORDER BY t.n" % (
                coll, ", ".join(f"ROW({cp}, _utf8mb4 x'{(chr(first) + chr(cp)).encode().hex()}')" for cp in letters)))
            for cp, (pair,) in zip(sorted(letters), pairs):
                assert bytes.fromhex(pair.decode()) == raw[first] + raw[cp], (coll, first, cp)
        varint(out, len(own))
        last = 0
        for cp in own:
            varint(out, cp - last)
            varint(out, len(words(raw[cp])))
            for w in words(raw[cp]):
                varint(out, w)
            last = cp
        hashes.extend(bytes([len(coll)]) + coll.encode())
        for page in range(0x100):
            some = [b"" if x is None else x for x in raw[page << 8:(page + 1) << 8]]
            hashes.extend(fnv16(some).to_bytes(2, "little"))
    write("uca_400_languages.bin", out)
    write("fixture_languages.bin", hashes)


def case_maps(s):
    for file, coll in (("case_default", "utf8mb4_general_ci"), ("case_520", "utf8mb4_unicode_520_ci"),
                       ("case_900", "utf8mb4_0900_ai_ci")):
        out = bytearray()
        for f in ("UPPER", "LOWER"):
            # The letter stands among blanks, so that a longer result is not cut.
            raw = s.codes(f"CONVERT(TRIM(' ' FROM {f}(CONCAT('    ', $c, '    ') COLLATE {coll})) USING utf32)")
            vs = [None if r is None or len(r) != 4 else int.from_bytes(r, "big") for r in raw]
            vs[0x20] = 0x20
            odd = [hex(i) for i, r in enumerate(raw) if r is not None and len(r) != 4 and i != 0x20]
            if odd:
                print("   not one character:", odd[:20])
            fixture(f"{f} {coll}", [b"" if v is None else v.to_bytes(4, "big") for v in vs])
            values(out, vs)
        write(file + ".bin", out)


MULTIBYTE = ("big5", "cp932", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "sjis", "ujis", "binary")


def single_byte(s, sets, colls):
    """Of each set of single bytes: name, 256 code points, 256 upper, 256 lower; of each of its
    collations whose weights are one byte for each byte: id, 256 weights."""
    out = bytearray()
    single = [r[0].decode() for r in sets if r[3] == 1 and r[0] != b"binary"]
    out.append(len(single))
    for cs in single:
        last = 128 if cs == "ascii" else 256
        char = f"CONVERT(CHAR(i USING binary) USING {cs})"
        tou = s.each(f"CONVERT({char} USING ucs2)", 0, last)
        out.append(len(cs))
        out += cs.encode()
        for i in range(256):
            u = tou[i] if i < last else None
            # '?' for what has no code point
            bad = u is None or len(u) != 2 or (u == b"\0?" and i != 0x3F)
            out += (b"\xff\xff" if bad else bytes([u[1], u[0]]))
        for f in ("UPPER", "LOWER"):
            got = s.each(f"{f}({char})", 0, last)
            out += bytes(got[i][0] if i < last else i for i in range(256))
        from_u = s.each(f"CONVERT(CHAR(i USING ucs2) USING {cs})", 0, 0xD800)
        back = {}
        for i in range(last):
            u = tou[i]
            if u is not None and len(u) == 2 and not (u == b"\0?" and i != 0x3F):
                back.setdefault(int.from_bytes(u, "big"), i)
        for u, b in enumerate(from_u):
            mine = back.get(u, 0x3F)
            if b is None or len(b) != 1 or b[0] != mine:
                print(f"   {cs}: U+{u:04X} is written {b!r}, not {mine:02x}")
        mine = [c for c in colls if c[1].decode() == cs]
        orders = []
        for c in mine:
            w = s.each(f"WEIGHT_STRING({char} COLLATE {c[0].decode()})", 0, last)
            # A letter before and behind tells whether bytes are weighed one by one.
            a = w[0x61]
            both = s.each(f"WEIGHT_STRING(CONCAT('a', {char}, 'a') COLLATE {c[0].decode()})", 0, last)
            if all(x is not None and len(x) == 1 and y == a + x + a for x, y in zip(w, both)):
                orders.append((c[2], bytes(w[i][0] if i < last else i for i in range(256))))
            else:
                print("   not by single bytes:", c[0].decode())
        out.append(len(orders))
        for i, w in orders:
            out += i.to_bytes(2, "little") + w
    write("single.bin", out)


def gbk(s):
    pairs = [hi << 8 | lo for hi in range(0x81, 0xFF) for lo in [*range(0x40, 0x7F), *range(0x80, 0xFF)]]
    index = {p: i for i, p in enumerate(pairs)}
    char = "CONVERT(CHAR(i USING binary) USING gbk)"
    got = s.each(f"CONVERT({char} USING ucs2)", 0x8140, 0xFEFF)
    out = bytearray()
    tou = []
    for p in pairs:
        u = got[p - 0x8140]
        bad = u is None or len(u) != 2 or u == b"\0?"
        tou.append(None if bad else int.from_bytes(u, "big"))
        out += b"\0\0" if bad else bytes([u[1], u[0]])
    ascii_order = s.each(f"WEIGHT_STRING({char} COLLATE gbk_chinese_ci)", 0, 0x80)
    out = bytearray(b"".join(ascii_order)) + out
    assert all(len(w) == 1 for w in ascii_order)
    order = s.each(f"WEIGHT_STRING({char} COLLATE gbk_chinese_ci)", 0x8140, 0xFEFF)
    for p in pairs:
        w = order[p - 0x8140]
        assert len(w) == 2, (hex(p), w)
        out += bytes([w[1], w[0]])
    for f in ("UPPER", "LOWER"):
        got = s.each(f"{f}({char})", 0x8140, 0xFEFF)
        changed = [(p, int.from_bytes(got[p - 0x8140], "big")) for p in pairs if got[p - 0x8140] != p.to_bytes(2, "big")]
        varint(out, len(changed))
        for p, q in changed:
            out += p.to_bytes(2, "little") + q.to_bytes(2, "little")
    back = {}
    for p, u in zip(pairs, tou):
        if u is not None:
            back.setdefault(u, p)
    from_u = s.each("CONVERT(CHAR(i USING ucs2) USING gbk)", 0, 0xD800) + [None] * 0x800 + \
        s.each("CONVERT(CHAR(i USING ucs2) USING gbk)", 0xE000, 0x10000)
    fixes = []
    for u, b in enumerate(from_u):
        if b is None or u < 0x80:
            continue
        p = int.from_bytes(b, "big")
        if p != back.get(u, 0x3F):
            fixes.append((u, p))
    print("   gbk: written otherwise than read:", len(fixes), [(hex(a), hex(b)) for a, b in fixes[:10]])
    varint(out, len(fixes))
    for u, p in fixes:
        out += u.to_bytes(2, "little") + p.to_bytes(2, "little")
    write("gbk.bin", out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=3306)
    p.add_argument("--user", default="root")
    p.add_argument("--password", default="")
    p.add_argument("--only", default="lists,weights,languages,case,single,gbk")
    a = p.parse_args()
    s = Server(a)
    only = a.only.split(",")
    sets, colls = lists(s)
    if "single" in only:
        single_byte(s, sets, colls)
    if "gbk" in only:
        gbk(s)
    if "weights" in only:
        unicode_weights(s)
    if "languages" in only:
        languages(s)
    if "case" in only:
        case_maps(s)
    if "weights" in only and "case" in only:
        write("fixture.bin", FIXTURE)


if __name__ == "__main__":
    main()
