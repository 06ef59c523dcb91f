//! CREATE TABLE, CREATE INDEX and what they are made of.

use super::Printer;
use crate::ast::{
    Check, ColumnAttribute, ColumnDef, ColumnFormat, CreateIndex, CreateTable, DropIndex,
    DropTable, Expr, ForeignKey, Ident, IndexAlgorithm, IndexDef, IndexKey, IndexKind, IndexOption,
    IndexPart, InsertMethod, MatchKind, RefAction, References, RowFormat, StorageMedia,
    TableElement, TableOption,
};

impl Printer {
    pub(super) fn create_table(&mut self, table: &CreateTable) {
        self.word("CREATE");
        self.word_if(table.temporary, "TEMPORARY");
        self.word("TABLE");
        self.word_if(table.if_not_exists, "IF NOT EXISTS");
        self.object(&table.name);
        if let Some(like) = &table.like {
            self.word("LIKE");
            self.object(like);
        }
        if !table.elements.is_empty() {
            self.paren_list(&table.elements, Self::table_element);
        }
        for option in &table.options {
            self.table_option(option);
        }
        if let Some(partitioning) = &table.partitioning {
            self.partitioning(partitioning);
        }
        self.duplicates(table.duplicates);
        if let Some(query) = &table.query {
            self.word("AS");
            self.query(query);
        }
    }

    pub(super) fn table_element(&mut self, element: &TableElement) {
        match element {
            TableElement::Column(column) => self.column_def(column),
            TableElement::Index(index) => {
                self.constraint(index.constraint.as_ref());
                self.word(match index.kind {
                    IndexKind::Plain => "INDEX",
                    IndexKind::Unique => "UNIQUE INDEX",
                    IndexKind::Primary => "PRIMARY KEY",
                    IndexKind::Fulltext => "FULLTEXT INDEX",
                    IndexKind::Spatial => "SPATIAL INDEX",
                });
                if let Some(name) = &index.name {
                    self.ident(name);
                }
                self.index_tail(index);
            }
            TableElement::ForeignKey(key) => self.foreign_key(key),
            TableElement::Check(check) => self.check(check),
        }
    }

    fn constraint(&mut self, name: Option<&Ident>) {
        if let Some(name) = name {
            self.word("CONSTRAINT");
            self.ident(name);
        }
    }

    fn index_tail(&mut self, index: &IndexDef) {
        self.paren_list(&index.parts, Self::index_part);
        for option in &index.options {
            match option {
                IndexOption::Using(algorithm) => {
                    self.word("USING");
                    self.word(match algorithm {
                        IndexAlgorithm::Btree => "BTREE",
                        IndexAlgorithm::Rtree => "RTREE",
                        IndexAlgorithm::Hash => "HASH",
                    });
                }
                IndexOption::KeyBlockSize(size) => self.set_number("KEY_BLOCK_SIZE", *size),
                IndexOption::Comment(text) => self.word_string("COMMENT", Some(text)),
                IndexOption::Visible(visible) => {
                    self.word(if *visible { "VISIBLE" } else { "INVISIBLE" });
                }
                IndexOption::Parser(name) => {
                    self.word("WITH PARSER");
                    self.ident(name);
                }
                IndexOption::EngineAttribute(text) => {
                    self.word_string("ENGINE_ATTRIBUTE =", Some(text));
                }
                IndexOption::SecondaryEngineAttribute(text) => {
                    self.word_string("SECONDARY_ENGINE_ATTRIBUTE =", Some(text));
                }
            }
        }
    }

    /// `NAME = number`
    pub(super) fn set_number(&mut self, name: &str, value: u64) {
        self.word(name);
        self.word("=");
        self.number(value);
    }

    fn index_part(&mut self, part: &IndexPart) {
        match &part.key {
            IndexKey::Column(name, length) => {
                self.ident(name);
                self.length(*length);
            }
            IndexKey::Expr(expr) => self.parens(|p| p.expr(expr)),
        }
        self.word_if(part.descending, "DESC");
    }

    fn foreign_key(&mut self, key: &ForeignKey) {
        self.constraint(key.constraint.as_ref());
        self.word("FOREIGN KEY");
        if let Some(name) = &key.name {
            self.ident(name);
        }
        self.paren_list(&key.columns, Self::index_part);
        self.references(&key.references);
    }

    fn references(&mut self, references: &References) {
        self.word("REFERENCES");
        self.object(&references.table);
        if !references.columns.is_empty() {
            self.idents(&references.columns);
        }
        self.word(match references.matching {
            None => "",
            Some(MatchKind::Full) => "MATCH FULL",
            Some(MatchKind::Partial) => "MATCH PARTIAL",
            Some(MatchKind::Simple) => "MATCH SIMPLE",
        });
        self.ref_action("ON DELETE", references.on_delete);
        self.ref_action("ON UPDATE", references.on_update);
    }

    fn ref_action(&mut self, when: &str, action: Option<RefAction>) {
        let Some(action) = action else { return };
        self.word(when);
        self.word(match action {
            RefAction::Restrict => "RESTRICT",
            RefAction::Cascade => "CASCADE",
            RefAction::SetNull => "SET NULL",
            RefAction::NoAction => "NO ACTION",
            RefAction::SetDefault => "SET DEFAULT",
        });
    }

    pub(super) fn check(&mut self, check: &Check) {
        self.constraint(check.constraint.as_ref());
        self.word("CHECK");
        self.parens(|p| p.expr(&check.expr));
        match check.enforced {
            None => {}
            Some(true) => self.word("ENFORCED"),
            Some(false) => self.word("NOT ENFORCED"),
        }
    }

    pub(super) fn column_def(&mut self, column: &ColumnDef) {
        self.ident(&column.name);
        self.data_type(&column.data_type);
        self.collate(column.collation.as_ref());
        if let Some(generated) = &column.generated {
            self.word("GENERATED ALWAYS AS");
            self.parens(|p| p.expr(&generated.expr));
            self.word(if generated.stored { "STORED" } else { "VIRTUAL" });
        }
        for attribute in &column.attributes {
            self.column_attribute(attribute);
        }
    }

    pub(super) fn collate(&mut self, collation: Option<&Ident>) {
        if let Some(collation) = collation {
            self.word("COLLATE");
            self.ident(collation);
        }
    }

    pub(super) fn default(&mut self, expr: &Expr, parens: bool) {
        self.word("DEFAULT");
        if parens {
            self.parens(|p| p.expr(expr));
        } else {
            self.expr(expr);
        }
    }

    fn column_attribute(&mut self, attribute: &ColumnAttribute) {
        match attribute {
            ColumnAttribute::Null => self.word("NULL"),
            ColumnAttribute::NotNull => self.word("NOT NULL"),
            ColumnAttribute::Default { expr, parens } => self.default(expr, *parens),
            ColumnAttribute::OnUpdate(expr) => {
                self.word("ON UPDATE");
                self.expr(expr);
            }
            ColumnAttribute::AutoIncrement => self.word("AUTO_INCREMENT"),
            ColumnAttribute::SerialDefaultValue => self.word("SERIAL DEFAULT VALUE"),
            ColumnAttribute::PrimaryKey => self.word("PRIMARY KEY"),
            ColumnAttribute::Unique => self.word("UNIQUE KEY"),
            ColumnAttribute::Comment(text) => self.word_string("COMMENT", Some(text)),
            ColumnAttribute::Collate(collation) => self.collate(Some(collation)),
            ColumnAttribute::ColumnFormat(format) => self.word(match format {
                ColumnFormat::Default => "COLUMN_FORMAT DEFAULT",
                ColumnFormat::Fixed => "COLUMN_FORMAT FIXED",
                ColumnFormat::Dynamic => "COLUMN_FORMAT DYNAMIC",
            }),
            ColumnAttribute::Storage(media) => self.storage(*media),
            ColumnAttribute::Srid(id) => {
                self.word("SRID");
                self.number(*id);
            }
            ColumnAttribute::Check(check) => self.check(check),
            ColumnAttribute::Visible(visible) => {
                self.word(if *visible { "VISIBLE" } else { "INVISIBLE" });
            }
            ColumnAttribute::NotSecondary => self.word("NOT SECONDARY"),
            ColumnAttribute::EngineAttribute(text) => {
                self.word_string("ENGINE_ATTRIBUTE =", Some(text));
            }
            ColumnAttribute::SecondaryEngineAttribute(text) => {
                self.word_string("SECONDARY_ENGINE_ATTRIBUTE =", Some(text));
            }
            ColumnAttribute::References(references) => self.references(references),
        }
    }

    fn storage(&mut self, media: StorageMedia) {
        self.word(match media {
            StorageMedia::Default => "STORAGE DEFAULT",
            StorageMedia::Disk => "STORAGE DISK",
            StorageMedia::Memory => "STORAGE MEMORY",
        });
    }

    pub(super) fn table_option(&mut self, option: &TableOption) {
        match option {
            TableOption::Engine(name) => self.set_ident("ENGINE", name),
            TableOption::SecondaryEngine(Some(name)) => self.set_ident("SECONDARY_ENGINE", name),
            TableOption::SecondaryEngine(None) => self.word("SECONDARY_ENGINE = NULL"),
            TableOption::Charset(name) => self.set_ident("DEFAULT CHARACTER SET", name),
            TableOption::Collate(name) => self.set_ident("DEFAULT COLLATE", name),
            TableOption::Comment(text) => self.word_string("COMMENT =", Some(text)),
            TableOption::AutoIncrement(n) => self.set_number("AUTO_INCREMENT", *n),
            TableOption::AvgRowLength(n) => self.set_number("AVG_ROW_LENGTH", *n),
            TableOption::MaxRows(n) => self.set_number("MAX_ROWS", *n),
            TableOption::MinRows(n) => self.set_number("MIN_ROWS", *n),
            TableOption::KeyBlockSize(n) => self.set_number("KEY_BLOCK_SIZE", *n),
            TableOption::Checksum(n) => self.set_number("CHECKSUM", *n),
            TableOption::DelayKeyWrite(n) => self.set_number("DELAY_KEY_WRITE", *n),
            TableOption::PackKeys(n) => self.set_or_default("PACK_KEYS", *n),
            TableOption::StatsAutoRecalc(n) => self.set_or_default("STATS_AUTO_RECALC", *n),
            TableOption::StatsPersistent(n) => self.set_or_default("STATS_PERSISTENT", *n),
            TableOption::StatsSamplePages(n) => self.set_or_default("STATS_SAMPLE_PAGES", *n),
            TableOption::RowFormat(format) => {
                self.word("ROW_FORMAT =");
                self.word(match format {
                    RowFormat::Default => "DEFAULT",
                    RowFormat::Dynamic => "DYNAMIC",
                    RowFormat::Fixed => "FIXED",
                    RowFormat::Compressed => "COMPRESSED",
                    RowFormat::Redundant => "REDUNDANT",
                    RowFormat::Compact => "COMPACT",
                });
            }
            TableOption::Password(text) => self.word_string("PASSWORD =", Some(text)),
            TableOption::Compression(text) => self.word_string("COMPRESSION =", Some(text)),
            TableOption::Encryption(text) => self.word_string("ENCRYPTION =", Some(text)),
            TableOption::Connection(text) => self.word_string("CONNECTION =", Some(text)),
            TableOption::DataDirectory(text) => self.word_string("DATA DIRECTORY =", Some(text)),
            TableOption::IndexDirectory(text) => {
                self.word_string("INDEX DIRECTORY =", Some(text));
            }
            TableOption::EngineAttribute(text) => {
                self.word_string("ENGINE_ATTRIBUTE =", Some(text));
            }
            TableOption::SecondaryEngineAttribute(text) => {
                self.word_string("SECONDARY_ENGINE_ATTRIBUTE =", Some(text));
            }
            TableOption::AutoextendSize(n) => self.set_number("AUTOEXTEND_SIZE", *n),
            TableOption::Tablespace(name) => self.set_ident("TABLESPACE", name),
            TableOption::Storage(media) => self.storage(*media),
            TableOption::Union(tables) => {
                self.word("UNION =");
                self.paren_list(tables, Self::object);
            }
            TableOption::InsertMethod(method) => self.word(match method {
                InsertMethod::No => "INSERT_METHOD = NO",
                InsertMethod::First => "INSERT_METHOD = FIRST",
                InsertMethod::Last => "INSERT_METHOD = LAST",
            }),
            TableOption::StartTransaction => self.word("START TRANSACTION"),
        }
    }

    /// `NAME = name`
    pub(super) fn set_ident(&mut self, name: &str, value: &Ident) {
        self.word(name);
        self.word("=");
        self.ident(value);
    }

    pub(super) fn set_or_default(&mut self, name: &str, value: Option<u64>) {
        self.word(name);
        self.word("=");
        match value {
            Some(value) => self.number(value),
            None => self.word("DEFAULT"),
        }
    }

    pub(super) fn create_index(&mut self, create: &CreateIndex) {
        self.word("CREATE");
        self.word(match create.index.kind {
            IndexKind::Unique => "UNIQUE",
            IndexKind::Fulltext => "FULLTEXT",
            IndexKind::Spatial => "SPATIAL",
            IndexKind::Plain | IndexKind::Primary => "",
        });
        self.word("INDEX");
        if let Some(name) = &create.index.name {
            self.ident(name);
        }
        self.word("ON");
        self.object(&create.table);
        self.index_tail(&create.index);
        self.online(create.algorithm.as_ref(), create.lock.as_ref());
    }

    pub(super) fn drop_index(&mut self, drop: &DropIndex) {
        self.word("DROP INDEX");
        self.ident(&drop.name);
        self.word("ON");
        self.object(&drop.table);
        self.online(drop.algorithm.as_ref(), drop.lock.as_ref());
    }

    fn online(&mut self, algorithm: Option<&Ident>, lock: Option<&Ident>) {
        if let Some(algorithm) = algorithm {
            self.online_option("ALGORITHM", algorithm);
        }
        if let Some(lock) = lock {
            self.online_option("LOCK", lock);
        }
    }

    pub(super) fn online_option(&mut self, word: &str, value: &Ident) {
        if value.text == "DEFAULT" {
            self.word(word);
            self.word("= DEFAULT");
        } else {
            self.set_ident(word, value);
        }
    }

    pub(super) fn drop_table(&mut self, drop: &DropTable) {
        self.word("DROP");
        self.word_if(drop.temporary, "TEMPORARY");
        self.word("TABLE");
        self.word_if(drop.if_exists, "IF EXISTS");
        self.list(&drop.tables, Self::object);
        self.cascade(drop.cascade);
    }

    pub(super) fn cascade(&mut self, cascade: Option<bool>) {
        match cascade {
            None => {}
            Some(true) => self.word("CASCADE"),
            Some(false) => self.word("RESTRICT"),
        }
    }
}
