//! OVER and WINDOW.

use super::Grammar;
use crate::ast::{
    Expr, Frame, FrameBound, FrameExclude, FrameUnit, Ident, IntervalUnit, Over, WindowSpec,
};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    pub(super) fn over(&mut self) -> Result<Over> {
        self.expect(T::OVER)?;
        if self.at(T::LParen) {
            self.window_spec().map(Over::Window)
        } else {
            self.ident().map(Over::Name)
        }
    }

    pub(super) fn window_spec(&mut self) -> Result<WindowSpec> {
        self.expect(T::LParen)?;
        let base: Option<Ident> = if self.at_name() { Some(self.ident()?) } else { None };
        let mut partition_by = Vec::new();
        if self.eat(T::PARTITION) {
            self.expect(T::BY)?;
            partition_by = self.expr_list()?;
        }
        let order_by = self.maybe_order_by()?;
        let unit = match self.kind() {
            T::ROWS => Some(FrameUnit::Rows),
            T::RANGE => Some(FrameUnit::Range),
            T::GROUPS => Some(FrameUnit::Groups),
            _ => None,
        };
        let frame = match unit {
            Some(unit) => {
                self.bump();
                Some(Box::new(self.frame(unit)?))
            }
            None => None,
        };
        self.expect(T::RParen)?;
        Ok(WindowSpec { base, partition_by, order_by, frame })
    }

    fn frame(&mut self, unit: FrameUnit) -> Result<Frame> {
        let between = self.eat(T::BETWEEN);
        let start = self.frame_bound()?;
        let end = if between {
            self.expect(T::AND)?;
            Some(self.frame_bound()?)
        } else {
            if matches!(start, FrameBound::UnboundedFollowing | FrameBound::Following(..)) {
                return Err(self.unexpected());
            }
            None
        };
        let mut exclude = None;
        if self.eat(T::EXCLUDE) {
            exclude = Some(match self.one_of(&[T::CURRENT, T::GROUP, T::TIES, T::NO])? {
                T::CURRENT => {
                    self.expect(T::ROW)?;
                    FrameExclude::CurrentRow
                }
                T::GROUP => FrameExclude::Group,
                T::TIES => FrameExclude::Ties,
                _ => {
                    self.expect(T::OTHERS)?;
                    FrameExclude::NoOthers
                }
            });
        }
        Ok(Frame { unit, start, end, exclude })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        if self.eat(T::UNBOUNDED) {
            return Ok(match self.one_of(&[T::PRECEDING, T::FOLLOWING])? {
                T::PRECEDING => FrameBound::UnboundedPreceding,
                _ => FrameBound::UnboundedFollowing,
            });
        }
        if self.eat(T::CURRENT) {
            self.expect(T::ROW)?;
            return Ok(FrameBound::CurrentRow);
        }
        let (distance, unit): (Expr, Option<IntervalUnit>) = match self.kind() {
            T::INTERVAL => {
                let (amount, unit) = self.interval()?;
                (amount, Some(unit))
            }
            T::Param => (self.primary()?, None),
            T::Int | T::Decimal | T::Float => (self.literal_expr()?, None),
            _ => return Err(self.unexpected()),
        };
        Ok(match self.one_of(&[T::PRECEDING, T::FOLLOWING])? {
            T::PRECEDING => FrameBound::Preceding(distance, unit),
            _ => FrameBound::Following(distance, unit),
        })
    }
}
