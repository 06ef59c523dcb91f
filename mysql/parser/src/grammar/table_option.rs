//! Options of tables.

use super::Grammar;
use crate::ast::{InsertMethod, RowFormat, TableOption};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::T;

impl Grammar<'_> {
    /// The option that starts here, if one does.
    pub(super) fn table_option(&mut self) -> Result<Option<TableOption>> {
        let kind = self.kind();
        // What is never anything else takes `=` and its value.
        let option: fn(&mut Self) -> Result<TableOption> = match kind {
            T::ENGINE => |g| g.ident_or_text().map(TableOption::Engine),
            T::SECONDARY_ENGINE => |g| {
                if g.eat(T::NULL) {
                    return Ok(TableOption::SecondaryEngine(None));
                }
                g.ident_or_text().map(Some).map(TableOption::SecondaryEngine)
            },
            T::COMMENT => |g| g.text().map(TableOption::Comment),
            T::AUTO_INCREMENT => |g| g.number().map(TableOption::AutoIncrement),
            T::AVG_ROW_LENGTH => |g| g.number_up_to(u32::MAX.into()).map(TableOption::AvgRowLength),
            T::MAX_ROWS => |g| g.number().map(TableOption::MaxRows),
            T::MIN_ROWS => |g| g.number().map(TableOption::MinRows),
            T::KEY_BLOCK_SIZE => |g| g.number_up_to(u16::MAX.into()).map(TableOption::KeyBlockSize),
            T::CHECKSUM | T::TABLE_CHECKSUM => |g| g.number().map(TableOption::Checksum),
            T::DELAY_KEY_WRITE => |g| g.number().map(TableOption::DelayKeyWrite),
            T::PACK_KEYS => |g| g.switch_or_default().map(TableOption::PackKeys),
            T::STATS_AUTO_RECALC => |g| g.switch_or_default().map(TableOption::StatsAutoRecalc),
            T::STATS_PERSISTENT => |g| g.switch_or_default().map(TableOption::StatsPersistent),
            T::STATS_SAMPLE_PAGES => |g| {
                if g.eat(T::DEFAULT) {
                    return Ok(TableOption::StatsSamplePages(None));
                }
                let start = g.here() as usize;
                match g.number_up_to(u16::MAX.into())? {
                    0 => Err(Error::at(ErrorKind::Syntax, g.sql, start)),
                    pages => Ok(TableOption::StatsSamplePages(Some(pages))),
                }
            },
            T::PASSWORD => |g| g.text().map(TableOption::Password),
            T::COMPRESSION => |g| g.text().map(TableOption::Compression),
            T::ENCRYPTION => |g| g.text().map(TableOption::Encryption),
            T::CONNECTION => |g| g.text().map(TableOption::Connection),
            T::ENGINE_ATTRIBUTE => |g| g.text().map(TableOption::EngineAttribute),
            T::SECONDARY_ENGINE_ATTRIBUTE => {
                |g| g.text().map(TableOption::SecondaryEngineAttribute)
            }
            T::AUTOEXTEND_SIZE => |g| g.size().map(TableOption::AutoextendSize),
            T::ROW_FORMAT => |g| g.row_format().map(TableOption::RowFormat),
            T::INSERT_METHOD => |g| {
                Ok(TableOption::InsertMethod(match g.one_of(&[T::NO, T::FIRST, T::LAST])? {
                    T::NO => InsertMethod::No,
                    T::FIRST => InsertMethod::First,
                    _ => InsertMethod::Last,
                }))
            },
            // These start no other clause either, but take no `=` or more than one word.
            T::TABLESPACE => {
                self.bump();
                self.eat_eq();
                return Ok(Some(TableOption::Tablespace(self.ident()?)));
            }
            T::STORAGE => {
                self.bump();
                return Ok(Some(TableOption::Storage(self.storage_media()?)));
            }
            T::UNION => {
                self.bump();
                self.eat_eq();
                self.expect(T::LParen)?;
                let mut tables = Vec::new();
                if !self.at(T::RParen) {
                    tables = self.list(Self::object_name)?;
                }
                self.expect(T::RParen)?;
                return Ok(Some(TableOption::Union(tables)));
            }
            T::START => {
                self.expect_all(&[T::START, T::TRANSACTION])?;
                return Ok(Some(TableOption::StartTransaction));
            }
            T::DATA | T::INDEX => {
                if self.kind_at(1) != T::DIRECTORY {
                    return Ok(None);
                }
                self.bump();
                self.bump();
                self.eat_eq();
                let directory = self.text()?;
                return Ok(Some(match kind {
                    T::DATA => TableOption::DataDirectory(directory),
                    _ => TableOption::IndexDirectory(directory),
                }));
            }
            T::DEFAULT | T::CHARSET | T::CHARACTER | T::CHAR | T::COLLATE => {
                return self.charset_option();
            }
            _ => return Ok(None),
        };
        self.bump();
        self.eat_eq();
        option(self).map(Some)
    }

    fn charset_option(&mut self) -> Result<Option<TableOption>> {
        self.eat(T::DEFAULT);
        if self.eat(T::COLLATE) {
            self.eat_eq();
            return Ok(Some(TableOption::Collate(self.collation_name()?)));
        }
        if self.eat_charset() {
            self.eat_eq();
            return Ok(Some(TableOption::Charset(self.charset_name()?)));
        }
        Err(self.unexpected())
    }

    /// None for DEFAULT.
    pub(super) fn number_or_default(&mut self) -> Result<Option<u64>> {
        if self.eat(T::DEFAULT) { Ok(None) } else { self.number().map(Some) }
    }

    /// 0, 1 or DEFAULT, which is None.
    pub(super) fn switch_or_default(&mut self) -> Result<Option<u64>> {
        if self.eat(T::DEFAULT) { Ok(None) } else { self.number_up_to(1).map(Some) }
    }

    /// A number that is a syntax error if it is larger than `most`.
    pub(super) fn number_up_to(&mut self, most: u64) -> Result<u64> {
        let start = self.here() as usize;
        let number = self.number()?;
        if number > most {
            return Err(Error::at(ErrorKind::Syntax, self.sql, start));
        }
        Ok(number)
    }

    /// A number of bytes, which may end in K, M or G.
    pub(super) fn size(&mut self) -> Result<u64> {
        let token = self.token();
        if token.kind != T::Ident {
            return self.number();
        }
        let Some((unit, digits)) = self.bytes(token).split_last() else {
            return Err(self.unexpected());
        };
        let shift = match unit.to_ascii_lowercase() {
            b'k' => 10,
            b'm' => 20,
            b'g' => 30,
            _ => return Err(self.unexpected()),
        };
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
        let Some(number) = number else {
            return Err(self.unexpected());
        };
        self.bump();
        Ok(number.saturating_mul(1 << shift))
    }

    fn row_format(&mut self) -> Result<RowFormat> {
        let kinds = [T::DEFAULT, T::DYNAMIC, T::FIXED, T::COMPRESSED, T::REDUNDANT, T::COMPACT];
        Ok(match self.one_of(&kinds)? {
            T::DEFAULT => RowFormat::Default,
            T::DYNAMIC => RowFormat::Dynamic,
            T::FIXED => RowFormat::Fixed,
            T::COMPRESSED => RowFormat::Compressed,
            T::REDUNDANT => RowFormat::Redundant,
            _ => RowFormat::Compact,
        })
    }
}
