-- The same tables as far as MariaDB has them, and MySQL takes its dump: no functions as
-- defaults but in parentheses, no rows of generated columns.
CREATE TABLE defaults (
  a INT NOT NULL, b INT NULL, c INT DEFAULT NULL, d INT NOT NULL DEFAULT -1, e INT DEFAULT (1+2*3), f BIGINT UNSIGNED DEFAULT 18446744073709551615,
  g DECIMAL(5,2) DEFAULT 1, h FLOAT DEFAULT 1.5, i DOUBLE DEFAULT 1e100, j BIT(3) DEFAULT b'101', k BOOL DEFAULT TRUE,
  l DATE DEFAULT '2020-01-01', m TIME(3) DEFAULT '-10:11:12.5', n DATETIME(6) DEFAULT '2020-01-01 01:02:03.5', o TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, p DATETIME(3) DEFAULT NOW(3), q TIMESTAMP(6) NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP(6), r TIMESTAMP DEFAULT '2020-01-01 00:00:00', s YEAR DEFAULT 2000,
  t CHAR(5) DEFAULT '', u VARCHAR(20) DEFAULT 'it''s "q" \\ %', v BINARY(3) DEFAULT 'ab', w VARBINARY(5) DEFAULT X'00ff', x TEXT, y BLOB, z JSON,
  aa ENUM('x','y') DEFAULT 'y', ab SET('x','y') DEFAULT 'x,y', ac ENUM('x','y') NOT NULL DEFAULT 'x', ad VARCHAR(36), ae DATE, af DATETIME, ah DOUBLE DEFAULT (1.5 * 100),
  aj VARCHAR(10) DEFAULT (NULL), ak INT DEFAULT 0x10, al VARCHAR(10) DEFAULT _utf8mb4'ü', am INT NOT NULL COMMENT '' , an INT INVISIBLE DEFAULT 5, ao INT NOT NULL DEFAULT 7 COMMENT 'with ''quotes'', \\ and ü\nline'
);
INSERT INTO defaults (a, am, ad, ae, af, ah, o, p) VALUES (1, 2, 'uuid', '2020-01-01', '2020-01-01', 0.5, '2020-01-01', '2020-01-01');
CREATE TABLE generated_columns (
  a INT NOT NULL, b VARCHAR(20), v1 INT AS (a + 1), v2 INT GENERATED ALWAYS AS (a * 2) VIRTUAL, s1 INT AS (v1 + v2) STORED, s2 VARCHAR(50) AS (CONCAT(b, '!', a)) STORED COMMENT 'made', j JSON, je VARCHAR(10) AS (JSON_UNQUOTE(JSON_EXTRACT(j, '$.a'))) VIRTUAL, jn INT AS (JSON_EXTRACT(j, '$.n')) STORED, d DATETIME(3), dy INT AS (YEAR(d)), c CHAR(5) CHARACTER SET latin1 AS (LEFT(b, 5)) VIRTUAL, inv INT AS (a % 3) STORED INVISIBLE,
  k DECIMAL(10,2) AS (a / 3) STORED, cs VARCHAR(20) AS (CASE WHEN a > 1 THEN 'many' WHEN a IS NULL THEN 'none' ELSE 'one' END), bt INT AS ((a & 3) | (a << 2) ^ 1), x INT AS (IF(a BETWEEN 1 AND 2, 1, 0)), nn INT AS (NOT a), ni INT AS (-a), li INT AS (b LIKE 'a%' ESCAPE '|'), i4 INT AS (a IN (1, 2, 3)),
  PRIMARY KEY (a), UNIQUE KEY (s1), KEY (v1), KEY (je, jn DESC), KEY (c(3))
);
CREATE TABLE checks (
  a INT CHECK (a > 0), b INT CHECK (b < 100), c VARCHAR(10), d DATE, e JSON,
  CONSTRAINT `c is "good"` CHECK (c IN ('x', 'y', 'it''s') OR c IS NULL), CHECK (a + b < 1000), CHECK (d > '2000-01-01'), CHECK (JSON_VALID(e)), CONSTRAINT re CHECK (c REGEXP '^[a-z\\'']+$'), CHECK (c LIKE '%' AND NOT (a = 5 XOR b = 6)), CHECK (a IS NOT NULL AND (b BETWEEN 0 AND 10 OR b IS NULL))
);
INSERT INTO checks VALUES (1, NULL, 'x', '2020-01-01', '{}');
CREATE TABLE `keys of "all" kinds` (
  id INT NOT NULL AUTO_INCREMENT, a INT NOT NULL, b VARCHAR(100) NOT NULL, c TEXT, d BLOB, e VARCHAR(50) CHARACTER SET latin1, f DATETIME, j JSON, `back``tick` INT, `ünï` INT, `select` INT,
  PRIMARY KEY (id), UNIQUE KEY ua (a), UNIQUE KEY uab (a, b DESC), KEY pre (b(10), e(5)), KEY ct (c(20)), UNIQUE db (d(7)), KEY de (a DESC, f ASC), KEY inv (f), KEY cm (e) COMMENT 'c''omment' , KEY bt USING BTREE (f, a), KEY `back``tick` (`back``tick`), KEY `ünï` (`ünï`), KEY `select` (`select`) KEY_BLOCK_SIZE=4
) AUTO_INCREMENT=77 ROW_FORMAT=DYNAMIC COMMENT='c' STATS_PERSISTENT=1 STATS_AUTO_RECALC=0 STATS_SAMPLE_PAGES=20 MIN_ROWS=1 MAX_ROWS=100 AVG_ROW_LENGTH=10 CHECKSUM=1 DELAY_KEY_WRITE=1 PACK_KEYS=1;
INSERT INTO `keys of "all" kinds` (id, a, b, c, d, e, f, j) VALUES (1, 1, 'x', 'c', 'd', 'E', '2020-01-01 10:00:00', NULL), (3, 2, 'y', 'c', 'e', 'É', NULL, '{}');
