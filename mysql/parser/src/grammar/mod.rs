//! The grammar: recursive descent over a window of tokens, without backtracking.
//!
//! Tokens are lexed a little ahead of where the parser stands, into a list that is
//! kept from statement to statement and cut from time to time, so that memory does
//! not grow with the statement's length. Five tokens, this one included, can always
//! be looked at.
//!
//! Two numbers bound what a statement can make us and our callers do: the depth of
//! the parser's recursion, and the height of the tree, which grows without recursion
//! where operators stand in a row. `height` is the tallest tree since it was last
//! put to zero; whoever makes a node above others calls [`Grammar::taller`].

mod account;
mod admin;
mod aggregate;
mod alter_table;
mod clause;
mod compound;
mod ddl;
mod diagnostics;
mod dml;
mod expr;
mod function;
mod grant;
mod literal;
mod load;
mod name;
mod partition;
mod primary;
mod query;
mod replication;
mod routine;
mod schema;
mod set;
mod show;
mod special;
mod statement;
mod table;
mod table_option;
mod table_ref;
mod transaction;
mod types;
mod window;

pub(crate) use expr::level;
pub(crate) use grant::is_privilege;

use crate::ast::{Expr, Span, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::lexer::{Lexer, T, Token};
use crate::mode::{Options, SqlMode};

/// Tokens that can be looked at, the current one included.
const WINDOW: usize = 5;
/// Tokens lexed at a time.
const CHUNK: usize = 64;
/// The list of tokens is cut when this many lie behind.
const CUT: usize = 4096;

/// Parses texts, one statement after another. Keeps its buffers: one parser per
/// session is meant.
#[derive(Debug)]
pub struct Parser {
    options: Options,
    tokens: Vec<Token>,
}

/// A statement that was parsed out of a longer text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The statement.
    pub statement: Statement,
    /// How many `?` it has.
    pub params: u32,
    /// Where the next one starts: behind the semicolon, or the end of the text.
    pub end: usize,
}

impl Parser {
    /// A parser that reads by `options`.
    pub fn new(options: Options) -> Parser {
        Parser { options, tokens: Vec::with_capacity(2 * CHUNK) }
    }

    /// How texts are read.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets the SQL mode for the statements to come.
    pub fn set_mode(&mut self, mode: SqlMode) {
        self.options.mode = mode;
    }

    /// The one statement of `sql`; semicolons may follow it.
    ///
    /// Names must be UTF-8, the values of strings may be any bytes: texts in other
    /// character sets that contain ASCII's bytes in other characters (gbk, sjis)
    /// have to be converted before.
    pub fn parse(&mut self, sql: &[u8]) -> Result<Statement> {
        self.read(sql, 0, |g| {
            let parsed = g.parsed()?;
            while g.eat(T::Semicolon) {}
            g.expect(T::End)?;
            Ok(parsed.statement)
        })
    }

    /// The statement of `sql` that starts at byte `from`. [`ErrorKind::Empty`] if
    /// only blanks are left or there is nothing before the next semicolon.
    pub fn parse_next(&mut self, sql: &[u8], from: usize) -> Result<Parsed> {
        self.read(sql, from, |g| g.parsed())
    }

    /// All statements of `sql`, which semicolons part. Empty ones are passed over.
    pub fn parse_all(&mut self, sql: &[u8]) -> Result<Vec<Statement>> {
        let mut all = Vec::new();
        let mut from = 0;
        loop {
            // Past semicolons that follow each other; the end of the text is an end.
            let blank = self.read(sql, from, |g| {
                while g.eat(T::Semicolon) {}
                Ok((g.at(T::End), g.here() as usize))
            })?;
            if blank.0 {
                return Ok(all);
            }
            let parsed = self.parse_next(sql, blank.1)?;
            all.push(parsed.statement);
            from = parsed.end;
        }
    }

    /// The expression that `sql` is: a generated column's or a check's, as stored.
    pub fn parse_expr(&mut self, sql: &[u8]) -> Result<Expr> {
        self.read(sql, 0, |g| {
            let expr = g.expr()?;
            g.expect(T::End)?;
            Ok(expr)
        })
    }

    pub(crate) fn read<R>(
        &mut self,
        sql: &[u8],
        from: usize,
        work: impl FnOnce(&mut Grammar<'_>) -> Result<R>,
    ) -> Result<R> {
        if sql.len() >= u32::MAX as usize {
            return Err(Error::at(ErrorKind::TooLong, b"", 0));
        }
        self.tokens.clear();
        let from = from.min(sql.len());
        let mut grammar = Grammar {
            sql,
            lexer: Lexer::new(sql, from, &self.options),
            tokens: &mut self.tokens,
            at: 0,
            ended: false,
            behind: from as u32,
            mode: self.options.mode,
            max_depth: self.options.max_depth,
            max_height: self.options.max_height,
            depth: 0,
            height: 0,
            params: 0,
            blocks: 0,
            in_program: false,
            allow_into: false,
        };
        grammar.fill();
        work(&mut grammar)
    }
}

/// The state of one parse.
pub(crate) struct Grammar<'s> {
    pub(crate) sql: &'s [u8],
    lexer: Lexer<'s>,
    tokens: &'s mut Vec<Token>,
    /// The current token's place in `tokens`.
    at: usize,
    /// Everything is lexed.
    ended: bool,
    /// Where the last token that was taken ends.
    behind: u32,
    mode: SqlMode,
    max_depth: u16,
    max_height: u16,
    depth: u16,
    height: u16,
    params: u32,
    /// Blocks of SELECT, and of what changes rows, so far.
    blocks: u32,
    /// In the body of a stored program, where blocks and RETURN are statements.
    in_program: bool,
    /// INTO may follow FROM: in the statement itself, not in its subqueries.
    allow_into: bool,
}

impl Grammar<'_> {
    fn parsed(&mut self) -> Result<Parsed> {
        if matches!(self.kind(), T::End | T::Semicolon) {
            return Err(self.error(ErrorKind::Empty));
        }
        let statement = self.statement()?;
        let end = match self.kind() {
            T::Semicolon => self.bump().end as usize,
            T::End => self.sql.len(),
            _ => return Err(self.unexpected()),
        };
        Ok(Parsed { statement, params: self.params, end })
    }

    /// Lexes on, so that the window is full or the end is in it.
    fn fill(&mut self) {
        if self.at >= CUT {
            self.tokens.drain(..self.at);
            self.at = 0;
        }
        for _ in 0..CHUNK {
            if self.ended {
                return;
            }
            let token = self.lexer.next();
            self.ended = matches!(token.kind, T::End | T::Bad);
            self.tokens.push(token);
            // One statement is short, mostly; do not lex far beyond it.
            if token.kind == T::Semicolon && self.tokens.len() >= self.at + WINDOW {
                return;
            }
        }
    }

    #[inline]
    pub(crate) fn token(&self) -> Token {
        self.tokens[self.at]
    }

    #[inline]
    fn kind(&self) -> T {
        self.tokens[self.at].kind
    }

    /// The kind `ahead` tokens on, less than [`WINDOW`].
    #[inline]
    pub(crate) fn kind_at(&self, ahead: usize) -> T {
        debug_assert!(ahead < WINDOW);
        self.tokens.get(self.at + ahead).map_or(T::End, |token| token.kind)
    }

    /// The kind of a token at any distance; lexes up to it.
    fn kind_far(&mut self, ahead: usize) -> T {
        while !self.ended && self.at + ahead >= self.tokens.len() {
            let token = self.lexer.next();
            self.ended = matches!(token.kind, T::End | T::Bad);
            self.tokens.push(token);
        }
        self.tokens.get(self.at + ahead).map_or(T::End, |token| token.kind)
    }

    #[inline]
    fn at(&self, kind: T) -> bool {
        self.kind() == kind
    }

    #[inline]
    fn at_any(&self, kinds: &[T]) -> bool {
        kinds.contains(&self.kind())
    }

    /// Takes the current token. The last one, which is the end or no token at all,
    /// is never taken.
    #[inline]
    pub(crate) fn bump(&mut self) -> Token {
        let token = self.token();
        if matches!(token.kind, T::End | T::Bad) {
            return token;
        }
        self.behind = token.end;
        self.at += 1;
        if self.at + WINDOW > self.tokens.len() && !self.ended {
            self.fill();
        }
        token
    }

    #[inline]
    fn eat(&mut self, kind: T) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    /// Takes these tokens if all of them are next; at most [`WINDOW`].
    fn eat_all(&mut self, kinds: &[T]) -> bool {
        let found = kinds.iter().enumerate().all(|(i, &kind)| self.kind_at(i) == kind);
        if found {
            for _ in kinds {
                self.bump();
            }
        }
        found
    }

    /// Takes the current token if it is one of `kinds`, and says which.
    fn eat_any(&mut self, kinds: &[T]) -> Option<T> {
        let kind = self.kind();
        kinds.contains(&kind).then(|| {
            self.bump();
            kind
        })
    }

    /// Takes the current token, which must be one of `kinds`, and says which.
    fn one_of(&mut self, kinds: &[T]) -> Result<T> {
        self.eat_any(kinds).ok_or_else(|| self.unexpected())
    }

    /// As [`Grammar::one_of`], with the token.
    fn one_of_tokens(&mut self, kinds: &[T]) -> Result<Token> {
        if self.at_any(kinds) { Ok(self.bump()) } else { Err(self.unexpected()) }
    }

    #[inline]
    fn expect(&mut self, kind: T) -> Result<Token> {
        if self.kind() == kind {
            return Ok(self.bump());
        }
        Err(self.unexpected())
    }

    fn expect_all(&mut self, kinds: &[T]) -> Result<()> {
        for &kind in kinds {
            self.expect(kind)?;
        }
        Ok(())
    }

    #[cold]
    fn unexpected(&self) -> Error {
        self.error(ErrorKind::Syntax)
    }

    #[cold]
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::at(kind, self.sql, self.token().start as usize)
    }

    /// Where the current token starts.
    #[inline]
    fn here(&self) -> u32 {
        self.token().start
    }

    /// From `start` to the end of the last token taken.
    #[inline]
    pub(crate) fn span_from(&self, start: u32) -> Span {
        Span { start, end: self.behind.max(start) }
    }

    #[inline]
    pub(crate) fn bytes(&self, token: Token) -> &[u8] {
        &self.sql[token.start as usize..token.end as usize]
    }

    /// Whether the current token is a word that is no keyword but `word`.
    fn at_word(&self, word: &str) -> bool {
        let token = self.token();
        token.kind == T::Ident && self.bytes(token).eq_ignore_ascii_case(word.as_bytes())
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.bump();
        }
        found
    }

    #[inline]
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > self.max_depth {
            return Err(self.error(ErrorKind::TooDeep));
        }
        Ok(())
    }

    /// Not called on the way out of an error, which ends the parse.
    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// A node was put above what was parsed since `height` was zero.
    #[inline]
    fn taller(&mut self) -> Result<()> {
        self.height += 1;
        if self.height > self.max_height {
            return Err(self.error(ErrorKind::TooDeep));
        }
        Ok(())
    }

    /// One or more, with commas between.
    fn list<R>(&mut self, mut item: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        let mut all = Vec::with_capacity(4);
        all.push(item(self)?);
        while self.eat(T::Comma) {
            all.push(item(self)?);
        }
        Ok(all)
    }

    /// A list in parentheses.
    fn paren_list<R>(&mut self, item: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        self.expect(T::LParen)?;
        let all = self.list(item)?;
        self.expect(T::RParen)?;
        Ok(all)
    }

    /// `(…)` around one thing.
    fn parens<R>(&mut self, inside: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        self.expect(T::LParen)?;
        let inside = inside(self)?;
        self.expect(T::RParen)?;
        Ok(inside)
    }
}
