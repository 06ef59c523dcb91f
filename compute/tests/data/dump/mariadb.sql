-- MariaDB dump 10.19  Distrib 10.11.18-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: 127.0.0.1    Database: firn_dump
-- ------------------------------------------------------
-- Server version	10.11.18-MariaDB-0+deb12u1

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!40101 SET NAMES utf8mb4 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `a_ring`
--

DROP TABLE IF EXISTS `a_ring`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `a_ring` (
  `id` int(11) NOT NULL,
  `other` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ring_a` (`other`),
  CONSTRAINT `ring_a` FOREIGN KEY (`other`) REFERENCES `b_ring` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `a_ring`
--

LOCK TABLES `a_ring` WRITE;
/*!40000 ALTER TABLE `a_ring` DISABLE KEYS */;
INSERT INTO `a_ring` VALUES
(1,1);
/*!40000 ALTER TABLE `a_ring` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Temporary table structure for view `a_view`
--

DROP TABLE IF EXISTS `a_view`;
/*!50001 DROP VIEW IF EXISTS `a_view`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `a_view` AS SELECT
 NULL AS `id`,
 NULL AS `the a`,
 NULL AS `b + 1` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `a_view_of_views`
--

DROP TABLE IF EXISTS `a_view_of_views`;
/*!50001 DROP VIEW IF EXISTS `a_view_of_views`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `a_view_of_views` AS SELECT
 NULL AS `x`,
 NULL AS `y z` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `b_ring`
--

DROP TABLE IF EXISTS `b_ring`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `b_ring` (
  `id` int(11) NOT NULL,
  `other` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `ring_b` (`other`),
  CONSTRAINT `ring_b` FOREIGN KEY (`other`) REFERENCES `a_ring` (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `b_ring`
--

LOCK TABLES `b_ring` WRITE;
/*!40000 ALTER TABLE `b_ring` DISABLE KEYS */;
INSERT INTO `b_ring` VALUES
(1,1);
/*!40000 ALTER TABLE `b_ring` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `charsets`
--

DROP TABLE IF EXISTS `charsets`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `charsets` (
  `a` varchar(5) CHARACTER SET ascii COLLATE ascii_general_ci DEFAULT NULL,
  `l1` varchar(5) CHARACTER SET latin1 COLLATE latin1_german1_ci DEFAULT NULL,
  `l1b` varchar(5) CHARACTER SET latin1 COLLATE latin1_bin DEFAULT NULL,
  `l2` varchar(5) CHARACTER SET latin2 COLLATE latin2_general_ci DEFAULT NULL,
  `l5` varchar(5) CHARACTER SET latin5 COLLATE latin5_turkish_ci DEFAULT NULL,
  `l7` varchar(5) CHARACTER SET latin7 COLLATE latin7_general_ci DEFAULT NULL,
  `c0` varchar(5) CHARACTER SET cp1250 COLLATE cp1250_general_ci DEFAULT NULL,
  `c1` varchar(5) CHARACTER SET cp1251 COLLATE cp1251_general_ci DEFAULT NULL,
  `c6` varchar(5) CHARACTER SET cp1256 COLLATE cp1256_general_ci DEFAULT NULL,
  `c7` varchar(5) CHARACTER SET cp1257 COLLATE cp1257_general_ci DEFAULT NULL,
  `k8` varchar(5) CHARACTER SET koi8r COLLATE koi8r_general_ci DEFAULT NULL,
  `ku` varchar(5) CHARACTER SET koi8u COLLATE koi8u_general_ci DEFAULT NULL,
  `gr` varchar(5) CHARACTER SET greek COLLATE greek_general_ci DEFAULT NULL,
  `he` varchar(5) CHARACTER SET hebrew COLLATE hebrew_general_ci DEFAULT NULL,
  `u3` varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `u4` varchar(5) DEFAULT NULL,
  `u4d` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci DEFAULT NULL,
  `u4b` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `u16` varchar(5) CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT NULL,
  `u16l` varchar(5) CHARACTER SET utf16le COLLATE utf16le_general_ci DEFAULT NULL,
  `u32` varchar(5) CHARACTER SET utf32 COLLATE utf32_general_ci DEFAULT NULL,
  `uc` varchar(5) CHARACTER SET ucs2 COLLATE ucs2_general_ci DEFAULT NULL,
  `g` varchar(5) CHARACTER SET gbk COLLATE gbk_chinese_ci DEFAULT NULL,
  `tx` text CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `e` enum('é','ü') CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'ü',
  `st` set('é','ü') CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT 'é,ü',
  `bb` varchar(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  `dflt` varchar(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'é€',
  `d16` varchar(5) CHARACTER SET utf16 COLLATE utf16_general_ci DEFAULT 'é€'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `charsets`
--

LOCK TABLES `charsets` WRITE;
/*!40000 ALTER TABLE `charsets` DISABLE KEYS */;
INSERT INTO `charsets` VALUES
('abc','äöü€','é','łšž','ğış','ąčę','čřž','абв','ابپ','ąčę','абв','їґє','αβγ','אבג','é漢ß','😀漢é','Å','ß','😀é','😀é','😀é','漢é','汉字é','é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€é€','é','é','Bb','é€','é€');
/*!40000 ALTER TABLE `charsets` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `checks`
--

DROP TABLE IF EXISTS `checks`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `checks` (
  `a` int(11) DEFAULT NULL CHECK (`a` > 0),
  `b` int(11) DEFAULT NULL CHECK (`b` < 100),
  `c` varchar(10) DEFAULT NULL,
  `d` date DEFAULT NULL,
  `e` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`e`)),
  CONSTRAINT `c is "good"` CHECK (`c` in ('x','y','it\'s') or `c` is null),
  CONSTRAINT `CONSTRAINT_1` CHECK (`a` + `b` < 1000),
  CONSTRAINT `CONSTRAINT_2` CHECK (`d` > '2000-01-01'),
  CONSTRAINT `CONSTRAINT_3` CHECK (json_valid(`e`)),
  CONSTRAINT `re` CHECK (`c` regexp '^[a-z\\\']+$'),
  CONSTRAINT `CONSTRAINT_4` CHECK (`c` like '%' and (`a` <> 5 xor `b` = 6)),
  CONSTRAINT `CONSTRAINT_5` CHECK (`a` is not null and (`b` between 0 and 10 or `b` is null))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `checks`
--

LOCK TABLES `checks` WRITE;
/*!40000 ALTER TABLE `checks` DISABLE KEYS */;
INSERT INTO `checks` VALUES
(1,NULL,'x','2020-01-01','{}');
/*!40000 ALTER TABLE `checks` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `children`
--

DROP TABLE IF EXISTS `children`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `children` (
  `id` int(11) NOT NULL,
  `p1` int(11) DEFAULT NULL,
  `p2` int(11) DEFAULT NULL,
  `p3` int(11) NOT NULL,
  `p4` int(11) DEFAULT NULL,
  `p5` int(11) DEFAULT NULL,
  `a` int(11) DEFAULT NULL,
  `b` int(11) DEFAULT NULL,
  `c` varchar(10) DEFAULT NULL,
  `up` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `f1` (`p1`),
  KEY `f2` (`p2`),
  KEY `f3` (`p3`),
  KEY `f4` (`p4`),
  KEY `p5` (`p5`),
  KEY `k` (`a`,`b`),
  KEY `c` (`c`),
  KEY `up` (`up`),
  CONSTRAINT `children_ibfk_1` FOREIGN KEY (`p5`) REFERENCES `z_parents` (`id`) ON UPDATE CASCADE,
  CONSTRAINT `children_ibfk_2` FOREIGN KEY (`c`) REFERENCES `z_parents` (`c`) ON DELETE SET NULL,
  CONSTRAINT `children_ibfk_3` FOREIGN KEY (`up`) REFERENCES `children` (`id`) ON DELETE CASCADE,
  CONSTRAINT `f1` FOREIGN KEY (`p1`) REFERENCES `z_parents` (`id`) ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT `f2` FOREIGN KEY (`p2`) REFERENCES `z_parents` (`id`) ON DELETE SET NULL ON UPDATE SET NULL,
  CONSTRAINT `f3` FOREIGN KEY (`p3`) REFERENCES `z_parents` (`id`),
  CONSTRAINT `f4` FOREIGN KEY (`p4`) REFERENCES `z_parents` (`id`) ON DELETE NO ACTION ON UPDATE NO ACTION,
  CONSTRAINT `k` FOREIGN KEY (`a`, `b`) REFERENCES `z_parents` (`a`, `b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `children`
--

LOCK TABLES `children` WRITE;
/*!40000 ALTER TABLE `children` DISABLE KEYS */;
INSERT INTO `children` VALUES
(5,NULL,NULL,1,NULL,NULL,NULL,NULL,'b',5),
(10,2,NULL,2,NULL,NULL,2,NULL,NULL,20),
(20,1,1,1,1,1,1,1,'a',NULL);
/*!40000 ALTER TABLE `children` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `composite_key`
--

DROP TABLE IF EXISTS `composite_key`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `composite_key` (
  `a` int(11) NOT NULL,
  `b` char(3) NOT NULL,
  `c` date NOT NULL,
  `d` int(11) DEFAULT NULL,
  PRIMARY KEY (`b`,`a` DESC,`c`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `composite_key`
--

LOCK TABLES `composite_key` WRITE;
/*!40000 ALTER TABLE `composite_key` DISABLE KEYS */;
INSERT INTO `composite_key` VALUES
(3,'a','2020-01-01',3),
(2,'a','2020-01-01',2),
(1,'b','2020-01-01',1);
/*!40000 ALTER TABLE `composite_key` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `defaults`
--

DROP TABLE IF EXISTS `defaults`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `defaults` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  `c` int(11) DEFAULT NULL,
  `d` int(11) NOT NULL DEFAULT -1,
  `e` int(11) DEFAULT (1 + 2 * 3),
  `f` bigint(20) unsigned DEFAULT 18446744073709551615,
  `g` decimal(5,2) DEFAULT 1.00,
  `h` float DEFAULT 1.5,
  `i` double DEFAULT 1e100,
  `j` bit(3) DEFAULT b'101',
  `k` tinyint(1) DEFAULT 1,
  `l` date DEFAULT '2020-01-01',
  `m` time(3) DEFAULT '-10:11:12.500',
  `n` datetime(6) DEFAULT '2020-01-01 01:02:03.500000',
  `o` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  `p` datetime(3) DEFAULT current_timestamp(3),
  `q` timestamp(6) NULL DEFAULT NULL ON UPDATE current_timestamp(6),
  `r` timestamp NULL DEFAULT '2020-01-01 00:00:00',
  `s` year(4) DEFAULT 2000,
  `t` char(5) DEFAULT '',
  `u` varchar(20) DEFAULT 'it''s "q" \\ %',
  `v` binary(3) DEFAULT 'ab\0',
  `w` varbinary(5) DEFAULT '\0�',
  `x` text DEFAULT NULL,
  `y` blob DEFAULT NULL,
  `z` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`z`)),
  `aa` enum('x','y') DEFAULT 'y',
  `ab` set('x','y') DEFAULT 'x,y',
  `ac` enum('x','y') NOT NULL DEFAULT 'x',
  `ad` varchar(36) DEFAULT NULL,
  `ae` date DEFAULT NULL,
  `af` datetime DEFAULT NULL,
  `ah` double DEFAULT (1.5 * 100),
  `aj` varchar(10) DEFAULT NULL,
  `ak` int(11) DEFAULT 16,
  `al` varchar(10) DEFAULT 'ü',
  `am` int(11) NOT NULL,
  `an` int(11) INVISIBLE DEFAULT 5,
  `ao` int(11) NOT NULL DEFAULT 7 COMMENT 'with ''quotes'', \\ and ü\nline'
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `defaults`
--

LOCK TABLES `defaults` WRITE;
/*!40000 ALTER TABLE `defaults` DISABLE KEYS */;
INSERT INTO `defaults` (`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, `i`, `j`, `k`, `l`, `m`, `n`, `o`, `p`, `q`, `r`, `s`, `t`, `u`, `v`, `w`, `x`, `y`, `z`, `aa`, `ab`, `ac`, `ad`, `ae`, `af`, `ah`, `aj`, `ak`, `al`, `am`, `an`, `ao`) VALUES (1,NULL,NULL,-1,7,18446744073709551615,1.00,1.5,1e100,'',1,'2020-01-01','-10:11:12.500','2020-01-01 01:02:03.500000','2020-01-01 00:00:00','2020-01-01 00:00:00.000',NULL,'2020-01-01 00:00:00',2000,'','it\'s \"q\" \\ %','ab\0','\0�',NULL,NULL,NULL,'y','x,y','x','uuid','2020-01-01','2020-01-01 00:00:00',0.5,NULL,16,'ü',2,5,7);
/*!40000 ALTER TABLE `defaults` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `fractions`
--

DROP TABLE IF EXISTS `fractions`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `fractions` (
  `f` float DEFAULT NULL,
  `fu` float unsigned DEFAULT NULL,
  `f7` float(7,3) DEFAULT NULL,
  `f20` float DEFAULT NULL,
  `fz` float unsigned zerofill DEFAULT NULL,
  `d` double DEFAULT NULL,
  `du` double unsigned DEFAULT NULL,
  `d15` double(15,4) DEFAULT NULL,
  `f30` double DEFAULT NULL,
  `dz` double(22,0) unsigned zerofill DEFAULT NULL,
  `r` double DEFAULT NULL,
  `n` decimal(10,0) DEFAULT NULL,
  `n1` decimal(1,1) DEFAULT NULL,
  `n9` decimal(9,0) DEFAULT NULL,
  `n65` decimal(65,0) DEFAULT NULL,
  `n30` decimal(65,30) DEFAULT NULL,
  `nu` decimal(10,2) unsigned DEFAULT NULL,
  `nz` decimal(12,4) unsigned zerofill DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `fractions`
--

LOCK TABLES `fractions` WRITE;
/*!40000 ALTER TABLE `fractions` DISABLE KEYS */;
INSERT INTO `fractions` VALUES
(-3.40282e38,0,-9999.999,1.17549e-38,000000000000,-1.7976931348623157e308,2.2250738585072014e-308,-99999999999.9999,1.5,0000000000000000000000,-0.1,-9999999999,-0.9,-999999999,-99999999999999999999999999999999999999999999999999999999999999999,-99999999999999999999999999999999999.999999999999999999999999999999,0.00,00000000.0000),
(3.40282e38,10000000000,9999.999,16777200,000000123456,1.7976931348623157e308,1e15,99999999999.9999,1e20,1000000000000000000000,0.0000000001,9999999999,0.9,999999999,99999999999999999999999999999999999999999999999999999999999999999,99999999999999999999999999999999999.999999999999999999999999999999,99999999.99,99999999.9999),
(0.1,0.1,0.100,0.1,0000000000.1,0.1,0.1,0.1000,0.1,0000000000000000000001,0.3333333333333333,0,0.1,0,0,0.100000000000000000000000000000,0.10,00000000.1000),
(1e15,100000,3456.789,999999,000001000000,1.2345678901234568e17,1e16,0.0001,0.0000001,0000000000000000000009,100000000000000,1,0.0,1,1,1.000000000000000000000000000000,1.00,00000001.0000),
(0,NULL,0.000,NULL,NULL,0,NULL,0.0000,NULL,NULL,0,0,0.0,NULL,NULL,NULL,NULL,NULL);
/*!40000 ALTER TABLE `fractions` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `generated_columns`
--

DROP TABLE IF EXISTS `generated_columns`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `generated_columns` (
  `a` int(11) NOT NULL,
  `b` varchar(20) DEFAULT NULL,
  `v1` int(11) GENERATED ALWAYS AS (`a` + 1) VIRTUAL,
  `v2` int(11) GENERATED ALWAYS AS (`a` * 2) VIRTUAL,
  `s1` int(11) GENERATED ALWAYS AS (`v1` + `v2`) STORED,
  `s2` varchar(50) GENERATED ALWAYS AS (concat(`b`,'!',`a`)) STORED COMMENT 'made',
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `je` varchar(10) GENERATED ALWAYS AS (json_unquote(json_extract(`j`,'$.a'))) VIRTUAL,
  `jn` int(11) GENERATED ALWAYS AS (json_extract(`j`,'$.n')) STORED,
  `d` datetime(3) DEFAULT NULL,
  `dy` int(11) GENERATED ALWAYS AS (year(`d`)) VIRTUAL,
  `c` char(5) CHARACTER SET latin1 COLLATE latin1_swedish_ci GENERATED ALWAYS AS (left(`b`,5)) VIRTUAL,
  `inv` int(11) GENERATED ALWAYS AS (`a` MOD 3) STORED INVISIBLE,
  `k` decimal(10,2) GENERATED ALWAYS AS (`a` / 3) STORED,
  `cs` varchar(20) GENERATED ALWAYS AS (case when `a` > 1 then 'many' when `a` is null then 'none' else 'one' end) VIRTUAL,
  `bt` int(11) GENERATED ALWAYS AS (`a` & 3 | (`a` << 2) ^ 1) VIRTUAL,
  `x` int(11) GENERATED ALWAYS AS (if(`a` between 1 and 2,1,0)) VIRTUAL,
  `nn` int(11) GENERATED ALWAYS AS (`a` = 0) VIRTUAL,
  `ni` int(11) GENERATED ALWAYS AS (-`a`) VIRTUAL,
  `li` int(11) GENERATED ALWAYS AS (`b` like 'a%' escape '|') VIRTUAL,
  `i4` int(11) GENERATED ALWAYS AS (`a` in (1,2,3)) VIRTUAL,
  PRIMARY KEY (`a`),
  UNIQUE KEY `s1` (`s1`),
  KEY `v1` (`v1`),
  KEY `je` (`je`,`jn` DESC),
  KEY `c` (`c`(3))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `generated_columns`
--

LOCK TABLES `generated_columns` WRITE;
/*!40000 ALTER TABLE `generated_columns` DISABLE KEYS */;
/*!40000 ALTER TABLE `generated_columns` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `in_latin1`
--

DROP TABLE IF EXISTS `in_latin1`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `in_latin1` (
  `a` varchar(10) DEFAULT NULL,
  `b` varchar(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT NULL,
  `c` text DEFAULT NULL,
  `d` varchar(20) CHARACTER SET latin1 COLLATE latin1_general_cs DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci COMMENT='Kommentar mit ü, ''quotes'' und \\ backslash';
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `in_latin1`
--

LOCK TABLES `in_latin1` WRITE;
/*!40000 ALTER TABLE `in_latin1` DISABLE KEYS */;
INSERT INTO `in_latin1` VALUES
('é€','漢','ÿ','Ab'),
('','','','');
/*!40000 ALTER TABLE `in_latin1` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `keys of "all" kinds`
--

DROP TABLE IF EXISTS `keys of "all" kinds`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `keys of "all" kinds` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `a` int(11) NOT NULL,
  `b` varchar(100) NOT NULL,
  `c` text DEFAULT NULL,
  `d` blob DEFAULT NULL,
  `e` varchar(50) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT NULL,
  `f` datetime DEFAULT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`)),
  `back``tick` int(11) DEFAULT NULL,
  `ünï` int(11) DEFAULT NULL,
  `select` int(11) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ua` (`a`),
  UNIQUE KEY `uab` (`a`,`b` DESC),
  UNIQUE KEY `db` (`d`(7)),
  KEY `pre` (`b`(10),`e`(5)),
  KEY `ct` (`c`(20)),
  KEY `de` (`a` DESC,`f`),
  KEY `inv` (`f`),
  KEY `cm` (`e`) COMMENT 'c''omment',
  KEY `bt` (`f`,`a`) USING BTREE,
  KEY `back``tick` (`back``tick`),
  KEY `ünï` (`ünï`),
  KEY `select` (`select`) KEY_BLOCK_SIZE=4
) ENGINE=InnoDB AUTO_INCREMENT=77 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci MIN_ROWS=1 MAX_ROWS=100 AVG_ROW_LENGTH=10 PACK_KEYS=1 STATS_PERSISTENT=1 STATS_AUTO_RECALC=0 STATS_SAMPLE_PAGES=20 CHECKSUM=1 DELAY_KEY_WRITE=1 ROW_FORMAT=DYNAMIC COMMENT='c';
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `keys of "all" kinds`
--

LOCK TABLES `keys of "all" kinds` WRITE;
/*!40000 ALTER TABLE `keys of "all" kinds` DISABLE KEYS */;
INSERT INTO `keys of "all" kinds` VALUES
(1,1,'x','c','d','E','2020-01-01 10:00:00',NULL,NULL,NULL,NULL),
(3,2,'y','c','e','É',NULL,'{}',NULL,NULL,NULL);
/*!40000 ALTER TABLE `keys of "all" kinds` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `no_key`
--

DROP TABLE IF EXISTS `no_key`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `no_key` (
  `a` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `no_key`
--

LOCK TABLES `no_key` WRITE;
/*!40000 ALTER TABLE `no_key` DISABLE KEYS */;
INSERT INTO `no_key` VALUES
(1),
(1),
(NULL);
/*!40000 ALTER TABLE `no_key` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `no_rows`
--

DROP TABLE IF EXISTS `no_rows`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `no_rows` (
  `a` int(11) NOT NULL,
  PRIMARY KEY (`a`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `no_rows`
--

LOCK TABLES `no_rows` WRITE;
/*!40000 ALTER TABLE `no_rows` DISABLE KEYS */;
/*!40000 ALTER TABLE `no_rows` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `odd name's "quotes" \ and ``ticks`` é`
--

DROP TABLE IF EXISTS `odd name's "quotes" \ and ``ticks`` é`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `odd name's "quotes" \ and ``ticks`` é` (
  `a'b` int(11) DEFAULT NULL,
  `c"d` int(11) DEFAULT NULL,
  `e\f` int(11) DEFAULT NULL,
  `%s` int(11) DEFAULT NULL,
  `1` int(11) DEFAULT NULL,
  `$` int(11) DEFAULT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `odd name's "quotes" \ and ``ticks`` é`
--

LOCK TABLES `odd name's "quotes" \ and ``ticks`` é` WRITE;
/*!40000 ALTER TABLE `odd name's "quotes" \ and ``ticks`` é` DISABLE KEYS */;
INSERT INTO `odd name's "quotes" \ and ``ticks`` é` VALUES
(1,2,3,4,5,6);
/*!40000 ALTER TABLE `odd name's "quotes" \ and ``ticks`` é` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `prefix_key`
--

DROP TABLE IF EXISTS `prefix_key`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `prefix_key` (
  `a` varchar(200) NOT NULL,
  `b` blob NOT NULL,
  PRIMARY KEY (`a`(10),`b`(5))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `prefix_key`
--

LOCK TABLES `prefix_key` WRITE;
/*!40000 ALTER TABLE `prefix_key` DISABLE KEYS */;
INSERT INTO `prefix_key` VALUES
('abc','def'),
('b','');
/*!40000 ALTER TABLE `prefix_key` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `strings`
--

DROP TABLE IF EXISTS `strings`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `strings` (
  `c` char(1) DEFAULT NULL,
  `c0` char(0) DEFAULT NULL,
  `c255` char(255) DEFAULT NULL,
  `v` varchar(10) DEFAULT NULL,
  `v0` varchar(0) DEFAULT NULL,
  `v1000` varchar(1000) DEFAULT NULL,
  `nc` char(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `nv` varchar(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci DEFAULT NULL,
  `tt` tinytext DEFAULT NULL,
  `t` text DEFAULT NULL,
  `t100` text DEFAULT NULL,
  `t70000` mediumtext DEFAULT NULL,
  `mt` mediumtext DEFAULT NULL,
  `lt` longtext DEFAULT NULL,
  `b` binary(1) DEFAULT NULL,
  `b0` binary(0) DEFAULT NULL,
  `b20` binary(20) DEFAULT NULL,
  `vb` varbinary(10) DEFAULT NULL,
  `vb0` varbinary(0) DEFAULT NULL,
  `tb` tinyblob DEFAULT NULL,
  `bl` blob DEFAULT NULL,
  `bl100` tinyblob DEFAULT NULL,
  `mb` mediumblob DEFAULT NULL,
  `lb` longblob DEFAULT NULL,
  `e` enum('a','b''c','d"e','f\\g','','ü','with, comma') DEFAULT NULL,
  `s` set('x','y z','ö','q''q') DEFAULT NULL,
  `e1` enum('only') NOT NULL,
  `s1` set('one') NOT NULL,
  `j` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`j`))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `strings`
--

LOCK TABLES `strings` WRITE;
/*!40000 ALTER TABLE `strings` DISABLE KEYS */;
INSERT INTO `strings` VALUES
('x',NULL,'trailing','two  ',NULL,'😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀','ñañ','日本語','\0\n\r	\Z\\\'\"%_','a\'b\"c`d\\e',NULL,NULL,'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm','l\r\nm\nn\ro','\0',NULL,'\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0','\0�\n\r\Z\\\'\"',NULL,'\0','	\n\r\Z \'\"\\`',NULL,'é','�','b\'c','x,ö','only','one','{\"a\": [1, 2.5, null, \"x\", true, {\"b\": \"ü\\n\\\"q\\\"\"}], \"\": -0.0, \"big\": 18446744073709551615, \"e\": 1e100}'),
('',NULL,'','',NULL,'','','','','',NULL,NULL,'','','\0',NULL,'\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0','',NULL,'','',NULL,'','','','','only','','\"\"'),
(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'only','',NULL),
('\\',NULL,'NULL','NULL',NULL,'\\N','a','b','-- x','/* c */',NULL,NULL,';','DELIMITER','a',NULL,'b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0','c',NULL,'d','e',NULL,'f','g','with, comma','x,y z,ö,q\'q','only','one','null'),
('ß',NULL,'é','漢字',NULL,'ab\0cd','Ü','Ö','\n','	',NULL,NULL,'','x','\'',NULL,'\\\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0','\\\\\'',NULL,'\n','\Z',NULL,'\\0','��','ü','','only','','[]');
/*!40000 ALTER TABLE `strings` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `times_of_all_kinds`
--

DROP TABLE IF EXISTS `times_of_all_kinds`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `times_of_all_kinds` (
  `d` date DEFAULT NULL,
  `t` time DEFAULT NULL,
  `t1` time(1) DEFAULT NULL,
  `t2` time(2) DEFAULT NULL,
  `t3` time(3) DEFAULT NULL,
  `t4` time(4) DEFAULT NULL,
  `t5` time(5) DEFAULT NULL,
  `t6` time(6) DEFAULT NULL,
  `dt` datetime DEFAULT NULL,
  `dt1` datetime(1) DEFAULT NULL,
  `dt2` datetime(2) DEFAULT NULL,
  `dt3` datetime(3) DEFAULT NULL,
  `dt4` datetime(4) DEFAULT NULL,
  `dt5` datetime(5) DEFAULT NULL,
  `dt6` datetime(6) DEFAULT NULL,
  `ts` timestamp NULL DEFAULT NULL,
  `ts1` timestamp(1) NULL DEFAULT NULL,
  `ts2` timestamp(2) NULL DEFAULT NULL,
  `ts3` timestamp(3) NULL DEFAULT NULL,
  `ts4` timestamp(4) NULL DEFAULT NULL,
  `ts5` timestamp(5) NULL DEFAULT NULL,
  `ts6` timestamp(6) NULL DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  KEY `ts` (`ts`),
  KEY `dt6` (`dt6` DESC,`t6`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `times_of_all_kinds`
--

LOCK TABLES `times_of_all_kinds` WRITE;
/*!40000 ALTER TABLE `times_of_all_kinds` DISABLE KEYS */;
INSERT INTO `times_of_all_kinds` VALUES
('1000-01-01','-838:59:59','-838:59:59.0','-838:59:58.99','-838:59:58.999','-838:59:58.9999','-838:59:58.99999','-838:59:59.000000','1000-01-01 00:00:00','1000-01-01 00:00:00.0','1000-01-01 00:00:00.00','1000-01-01 00:00:00.000','1000-01-01 00:00:00.0000','1000-01-01 00:00:00.00000','1000-01-01 00:00:00.000000','1970-01-01 14:00:01','1970-01-01 14:00:01.0','1970-01-01 14:00:01.00','1970-01-01 14:00:01.000','1970-01-01 14:00:01.0000','1970-01-01 14:00:01.00000','1970-01-01 14:00:01.000001',1901),
('9999-12-31','838:59:59','838:59:59.0','838:59:59.00','838:59:59.000','838:59:59.0000','838:59:59.00000','838:59:59.000000','9999-12-31 23:59:59','9999-12-31 23:59:59.4','9999-12-31 23:59:59.44','9999-12-31 23:59:59.444','9999-12-31 23:59:59.4444','9999-12-31 23:59:59.44444','9999-12-31 23:59:59.444444','2038-01-18 00:00:00','2038-01-18 03:14:07.4','2038-01-18 03:14:07.99','2038-01-18 03:14:07.999','2038-01-18 03:14:07.9999','2038-01-18 03:14:07.99999','2038-01-18 03:14:07.999999',2155),
('2024-02-29','-00:00:01','-00:00:00.1','00:00:00.01','00:00:00.001','-00:00:00.0001','00:00:00.00001','-00:00:00.000001','2024-03-31 02:30:00','2024-03-31 02:30:00.5','2024-03-31 02:30:00.05','2024-03-31 02:30:00.005','2024-03-31 02:30:00.0005','2024-03-31 02:30:00.00005','2024-03-31 02:30:00.000005','2024-03-31 02:30:00','2024-03-31 02:30:00.5','2024-10-27 01:30:00.05','2024-10-27 02:30:00.005','2024-10-27 02:30:00.0000','2024-10-27 02:30:00.00000','2024-10-27 02:30:00.000000',0000),
(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
/*!40000 ALTER TABLE `times_of_all_kinds` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `unique_instead`
--

DROP TABLE IF EXISTS `unique_instead`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `unique_instead` (
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  UNIQUE KEY `ua` (`a`),
  UNIQUE KEY `ub` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `unique_instead`
--

LOCK TABLES `unique_instead` WRITE;
/*!40000 ALTER TABLE `unique_instead` DISABLE KEYS */;
INSERT INTO `unique_instead` VALUES
(1,NULL),
(2,NULL),
(3,1);
/*!40000 ALTER TABLE `unique_instead` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Temporary table structure for view `view \ 'odd' "name"`
--

DROP TABLE IF EXISTS `view \ 'odd' "name"`;
/*!50001 DROP VIEW IF EXISTS `view \ 'odd' "name"`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view \ 'odd' "name"` AS SELECT
 NULL AS `a'b`,
 NULL AS `ü`,
 NULL AS `c` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_functions`
--

DROP TABLE IF EXISTS `view_functions`;
/*!50001 DROP VIEW IF EXISTS `view_functions`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_functions` AS SELECT
 NULL AS `CONCAT('a''b', "c", N'n')`,
 NULL AS `CAST(1 AS CHAR(3))`,
 NULL AS `CAST('1' AS DECIMAL(5,2))`,
 NULL AS `CONVERT('x' USING latin1)`,
 NULL AS `DATE_ADD('2020-01-01', INTERVAL 1 MONTH)`,
 NULL AS `EXTRACT(YEAR FROM '2020-01-01')`,
 NULL AS `TRIM(LEADING 'x' FROM 'xxa')`,
 NULL AS `SUBSTRING('abc' FROM 2 FOR 1)`,
 NULL AS `IF(1, 2, 3)`,
 NULL AS `CASE 1 WHEN 1 THEN 'x' END`,
 NULL AS `'a' LIKE 'b'`,
 NULL AS `'a' REGEXP 'b'`,
 NULL AS `1 XOR 0`,
 NULL AS `NOT 1`,
 NULL AS `-(-1)`,
 NULL AS `~1`,
 NULL AS `5 DIV 2`,
 NULL AS `5 MOD 2`,
 NULL AS `1 <=> NULL`,
 NULL AS `'a' COLLATE utf8mb4_bin`,
 NULL AS `DATE'2020-01-01'`,
 NULL AS `TIMESTAMP'2020-01-01 00:00:00'`,
 NULL AS `b'101'`,
 NULL AS `1e5`,
 NULL AS `0.10`,
 NULL AS `NULL IS NULL`,
 NULL AS `POSITION('a' IN 'cba')`,
 NULL AS `CHAR(65, 66)`,
 NULL AS `COALESCE(NULL, 1)` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_joins`
--

DROP TABLE IF EXISTS `view_joins`;
/*!50001 DROP VIEW IF EXISTS `view_joins`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_joins` AS SELECT
 NULL AS `pid`,
 NULL AS `cid`,
 NULL AS `c` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_merge`
--

DROP TABLE IF EXISTS `view_merge`;
/*!50001 DROP VIEW IF EXISTS `view_merge`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_merge` AS SELECT
 NULL AS `id`,
 NULL AS `a` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_of_nothing`
--

DROP TABLE IF EXISTS `view_of_nothing`;
/*!50001 DROP VIEW IF EXISTS `view_of_nothing`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_of_nothing` AS SELECT
 NULL AS `1` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_on_merge`
--

DROP TABLE IF EXISTS `view_on_merge`;
/*!50001 DROP VIEW IF EXISTS `view_on_merge`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_on_merge` AS SELECT
 NULL AS `id` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_subqueries`
--

DROP TABLE IF EXISTS `view_subqueries`;
/*!50001 DROP VIEW IF EXISTS `view_subqueries`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_subqueries` AS SELECT
 NULL AS `mx`,
 NULL AS `i`,
 NULL AS `e`,
 NULL AS `n` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_temptable`
--

DROP TABLE IF EXISTS `view_temptable`;
/*!50001 DROP VIEW IF EXISTS `view_temptable`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_temptable` AS SELECT
 NULL AS `a`,
 NULL AS `g`,
 NULL AS `m` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_union`
--

DROP TABLE IF EXISTS `view_union`;
/*!50001 DROP VIEW IF EXISTS `view_union`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_union` AS SELECT
 NULL AS `id` */;
SET character_set_client = @saved_cs_client;

--
-- Temporary table structure for view `view_with`
--

DROP TABLE IF EXISTS `view_with`;
/*!50001 DROP VIEW IF EXISTS `view_with`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `view_with` AS SELECT
 NULL AS `i`,
 NULL AS `d` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `whole_numbers`
--

DROP TABLE IF EXISTS `whole_numbers`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `whole_numbers` (
  `t` tinyint(4) DEFAULT NULL,
  `tu` tinyint(3) unsigned DEFAULT NULL,
  `tz` tinyint(3) unsigned zerofill DEFAULT NULL,
  `t1` tinyint(1) DEFAULT NULL,
  `bo` tinyint(1) DEFAULT NULL,
  `s` smallint(6) DEFAULT NULL,
  `su` smallint(5) unsigned DEFAULT NULL,
  `sz` smallint(5) unsigned zerofill DEFAULT NULL,
  `s6` smallint(6) DEFAULT NULL,
  `m` mediumint(9) DEFAULT NULL,
  `mu` mediumint(8) unsigned DEFAULT NULL,
  `mz` mediumint(8) unsigned zerofill DEFAULT NULL,
  `i` int(11) DEFAULT NULL,
  `iu` int(10) unsigned DEFAULT NULL,
  `iz` int(10) unsigned zerofill DEFAULT NULL,
  `i11` int(11) DEFAULT NULL,
  `b` bigint(20) DEFAULT NULL,
  `bu` bigint(20) unsigned DEFAULT NULL,
  `bz` bigint(20) unsigned zerofill DEFAULT NULL,
  `y` year(4) DEFAULT NULL,
  `b1` bit(1) DEFAULT NULL,
  `b8` bit(8) DEFAULT NULL,
  `b9` bit(9) DEFAULT NULL,
  `b64` bit(64) DEFAULT NULL,
  `se` bigint(20) unsigned NOT NULL AUTO_INCREMENT,
  PRIMARY KEY (`se` DESC),
  UNIQUE KEY `se` (`se`),
  KEY `ib` (`i`,`b` DESC)
) ENGINE=InnoDB AUTO_INCREMENT=5001 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `whole_numbers`
--

LOCK TABLES `whole_numbers` WRITE;
/*!40000 ALTER TABLE `whole_numbers` DISABLE KEYS */;
INSERT INTO `whole_numbers` VALUES
(NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,5000),
(1,1,001,1,1,1,1,00001,1,1,1,00000001,1,1,0000000001,1,1,1,00000000000000000001,0000,'','\n','\0\\','\0\0\0\0\0\0N\\',1002),
(127,255,255,127,0,32767,65535,65535,32767,8388607,16777215,16777215,2147483647,4294967295,4294967295,2147483647,9223372036854775807,18446744073709551615,18446744073709551615,2155,'','�','�','��������',1001),
(-128,0,000,-128,1,-32768,0,00000,-32768,-8388608,0,00000000,-2147483648,0,0000000000,-2147483648,-9223372036854775808,0,00000000000000000000,1901,'\0','\0','\0\0','\0\0\0\0\0\0\0\0',1000);
/*!40000 ALTER TABLE `whole_numbers` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `z_parents`
--

DROP TABLE IF EXISTS `z_parents`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `z_parents` (
  `id` int(11) NOT NULL,
  `a` int(11) NOT NULL,
  `b` int(11) DEFAULT NULL,
  `c` varchar(10) DEFAULT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `ab` (`a`,`b`),
  UNIQUE KEY `c` (`c`),
  KEY `bk` (`b`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `z_parents`
--

LOCK TABLES `z_parents` WRITE;
/*!40000 ALTER TABLE `z_parents` DISABLE KEYS */;
INSERT INTO `z_parents` VALUES
(1,1,1,'a'),
(2,2,NULL,'b');
/*!40000 ALTER TABLE `z_parents` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Temporary table structure for view `z_view`
--

DROP TABLE IF EXISTS `z_view`;
/*!50001 DROP VIEW IF EXISTS `z_view`*/;
SET @saved_cs_client     = @@character_set_client;
SET character_set_client = utf8mb4;
/*!50001 CREATE VIEW `z_view` AS SELECT
 NULL AS `id`,
 NULL AS `a`,
 NULL AS `b`,
 NULL AS `c` */;
SET character_set_client = @saved_cs_client;

--
-- Table structure for table `zero_dates`
--

DROP TABLE IF EXISTS `zero_dates`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `zero_dates` (
  `id` int(11) NOT NULL,
  `d` date DEFAULT NULL,
  `dt` datetime DEFAULT NULL,
  `dt3` datetime(3) DEFAULT NULL,
  `ts` timestamp NULL DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `zero_dates`
--

LOCK TABLES `zero_dates` WRITE;
/*!40000 ALTER TABLE `zero_dates` DISABLE KEYS */;
INSERT INTO `zero_dates` VALUES
(1,'0000-00-00','0000-00-00 00:00:00','0000-00-00 00:00:00.000','0000-00-00 00:00:00'),
(2,'2020-00-00','2020-01-00 01:02:03','0000-01-01 00:00:00.000',NULL),
(3,'0001-01-01','0001-01-01 00:00:00','0001-01-01 00:00:00.000',NULL);
/*!40000 ALTER TABLE `zero_dates` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Final view structure for view `a_view`
--

/*!50001 DROP VIEW IF EXISTS `a_view`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `a_view` AS select `z_parents`.`id` AS `id`,`z_parents`.`a` AS `the a`,`z_parents`.`b` + 1 AS `b + 1` from `z_parents` where `z_parents`.`id` > 0 */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `a_view_of_views`
--

/*!50001 DROP VIEW IF EXISTS `a_view_of_views`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `a_view_of_views` AS select `z`.`id` AS `x`,count(0) AS `y z` from (`z_view` `z` left join `children` `c` on(`c`.`p1` = `z`.`id` and `c`.`id` <> 7)) group by `z`.`id` having count(0) > 0 order by 2 desc,1 limit 10 */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view \ 'odd' "name"`
--

/*!50001 DROP VIEW IF EXISTS `view \ 'odd' "name"`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view \ 'odd' "name"` AS select 1 AS `a'b`,'ü漢😀' AS `ü`,'\\ \' \n' AS `c` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_functions`
--

/*!50001 DROP VIEW IF EXISTS `view_functions`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_functions` AS select concat('a\'b','c','n') AS `CONCAT('a''b', "c", N'n')`,cast(1 as char(3) charset utf8mb4) AS `CAST(1 AS CHAR(3))`,cast('1' as decimal(5,2)) AS `CAST('1' AS DECIMAL(5,2))`,convert('x' using latin1) AS `CONVERT('x' USING latin1)`,'2020-01-01' + interval 1 month AS `DATE_ADD('2020-01-01', INTERVAL 1 MONTH)`,extract(year from '2020-01-01') AS `EXTRACT(YEAR FROM '2020-01-01')`,trim(leading 'x' from 'xxa') AS `TRIM(LEADING 'x' FROM 'xxa')`,substr('abc',2,1) AS `SUBSTRING('abc' FROM 2 FOR 1)`,if(1,2,3) AS `IF(1, 2, 3)`,case 1 when 1 then 'x' end AS `CASE 1 WHEN 1 THEN 'x' END`,'a' like 'b' AS `'a' LIKE 'b'`,'a' regexp 'b' AS `'a' REGEXP 'b'`,1 xor 0 AS `1 XOR 0`,!1 AS `NOT 1`,1 AS `-(-1)`,~1 AS `~1`,5 DIV 2 AS `5 DIV 2`,5 MOD 2 AS `5 MOD 2`,1 <=> NULL AS `1 <=> NULL`,'a' collate utf8mb4_bin AS `'a' COLLATE utf8mb4_bin`,DATE'2020-01-01' AS `DATE'2020-01-01'`,TIMESTAMP'2020-01-01 00:00:00' AS `TIMESTAMP'2020-01-01 00:00:00'`,0x05 AS `b'101'`,1e5 AS `1e5`,0.10 AS `0.10`,NULL is null AS `NULL IS NULL`,locate('a','cba') AS `POSITION('a' IN 'cba')`,char(65,66) AS `CHAR(65, 66)`,coalesce(NULL,1) AS `COALESCE(NULL, 1)` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_joins`
--

/*!50001 DROP VIEW IF EXISTS `view_joins`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_joins` AS select `p`.`id` AS `pid`,`c`.`id` AS `cid`,`q`.`c` AS `c` from ((((`z_parents` `p` join `children` `c` on(`p`.`id` = `c`.`p1`)) left join `z_parents` `q` on(`q`.`id` = `c`.`p2`)) join `no_rows`) straight_join `no_key`) */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_merge`
--

/*!50001 DROP VIEW IF EXISTS `view_merge`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=MERGE */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY INVOKER */
/*!50001 VIEW `view_merge` AS select `z_parents`.`id` AS `id`,`z_parents`.`a` AS `a` from `z_parents` where `z_parents`.`a` > 0 */
/*!50002 WITH CASCADED CHECK OPTION */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_of_nothing`
--

/*!50001 DROP VIEW IF EXISTS `view_of_nothing`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_of_nothing` AS select 1 AS `1` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_on_merge`
--

/*!50001 DROP VIEW IF EXISTS `view_on_merge`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_on_merge` AS select `view_merge`.`id` AS `id` from `view_merge` where `view_merge`.`id` < 100 */
/*!50002 WITH LOCAL CHECK OPTION */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_subqueries`
--

/*!50001 DROP VIEW IF EXISTS `view_subqueries`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_subqueries` AS select (select max(`children`.`id`) from `children`) AS `mx`,`p`.`id` in (select `children`.`p1` from `children`) AS `i`,exists(select 1 from `children` `c` where `c`.`p1` = `p`.`id` limit 1) AS `e`,`d`.`n` AS `n` from (`z_parents` `p` join (select 1 AS `n`) `d`) where `p`.`a` >= all (select 0) or `p`.`a` in (select 1) */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_temptable`
--

/*!50001 DROP VIEW IF EXISTS `view_temptable`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=TEMPTABLE */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_temptable` AS select distinct `z_parents`.`a` AS `a`,group_concat(distinct `z_parents`.`c` order by `z_parents`.`c` DESC separator '; ') AS `g`,max(`z_parents`.`b`) AS `m` from `z_parents` group by `z_parents`.`a` with rollup */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_union`
--

/*!50001 DROP VIEW IF EXISTS `view_union`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_union` AS select `z_parents`.`id` AS `id` from `z_parents` union all (select `children`.`id` AS `id` from `children` order by `children`.`id` limit 2) union select NULL AS `NULL` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `view_with`
--

/*!50001 DROP VIEW IF EXISTS `view_with`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `view_with` AS with recursive n(`i`) as (select 1 AS `i` union all select `n`.`i` + 1 AS `i + 1` from `n` where `n`.`i` < 5), m as (select `n`.`i` * 2 AS `d` from `n`)select `n`.`i` AS `i`,`m`.`d` AS `d` from (`n` join `m` on(`m`.`d` = `n`.`i`)) */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;

--
-- Final view structure for view `z_view`
--

/*!50001 DROP VIEW IF EXISTS `z_view`*/;
/*!50001 SET @saved_cs_client          = @@character_set_client */;
/*!50001 SET @saved_cs_results         = @@character_set_results */;
/*!50001 SET @saved_col_connection     = @@collation_connection */;
/*!50001 SET character_set_client      = utf8mb4 */;
/*!50001 SET character_set_results     = utf8mb4 */;
/*!50001 SET collation_connection      = utf8mb4_general_ci */;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `z_view` AS select `z_parents`.`id` AS `id`,`z_parents`.`a` AS `a`,`z_parents`.`b` AS `b`,`z_parents`.`c` AS `c` from `z_parents` */;
/*!50001 SET character_set_client      = @saved_cs_client */;
/*!50001 SET character_set_results     = @saved_cs_results */;
/*!50001 SET collation_connection      = @saved_col_connection */;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2026-11-22  3:30:31
