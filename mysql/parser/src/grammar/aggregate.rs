//! Aggregate functions.

use super::Grammar;
use crate::ast::{Aggregate, AggregateKind, ExprKind};
use crate::error::Result;
use crate::lexer::T;

impl Grammar<'_> {
    /// The aggregate function that starts here; nothing is taken if it is none.
    pub(super) fn aggregate(&mut self, token: T) -> Result<Option<ExprKind>> {
        let kind = match token {
            T::AVG => AggregateKind::Avg,
            T::BIT_AND => AggregateKind::BitAnd,
            T::BIT_OR => AggregateKind::BitOr,
            T::BIT_XOR => AggregateKind::BitXor,
            T::COUNT => AggregateKind::Count,
            T::GROUP_CONCAT => AggregateKind::GroupConcat,
            T::JSON_ARRAYAGG => AggregateKind::JsonArrayAgg,
            T::JSON_OBJECTAGG => AggregateKind::JsonObjectAgg,
            T::MAX => AggregateKind::Max,
            T::MIN => AggregateKind::Min,
            T::ST_COLLECT => AggregateKind::StCollect,
            T::STD | T::STDDEV | T::STDDEV_POP => AggregateKind::StddevPop,
            T::STDDEV_SAMP => AggregateKind::StddevSamp,
            T::SUM => AggregateKind::Sum,
            T::VARIANCE | T::VAR_POP => AggregateKind::VarPop,
            T::VAR_SAMP => AggregateKind::VarSamp,
            _ => return Ok(None),
        };
        self.bump();
        self.expect(T::LParen)?;
        let may_be_distinct = matches!(
            kind,
            AggregateKind::Avg
                | AggregateKind::Count
                | AggregateKind::GroupConcat
                | AggregateKind::Max
                | AggregateKind::Min
                | AggregateKind::StCollect
                | AggregateKind::Sum
        );
        let distinct = may_be_distinct && self.eat_any(&[T::DISTINCT, T::DISTINCTROW]).is_some();
        // `DISTINCT ALL` is allowed, and ALL alone, but for GROUP_CONCAT.
        if kind != AggregateKind::GroupConcat && !(kind == AggregateKind::Count && distinct) {
            self.eat(T::ALL);
        }
        let mut args = Vec::new();
        match kind {
            AggregateKind::Count if !distinct && self.eat(T::Star) => {}
            AggregateKind::Count if distinct => args = self.expr_list()?,
            AggregateKind::GroupConcat => args = self.expr_list()?,
            AggregateKind::JsonObjectAgg => {
                args.push(self.expr()?);
                self.expect(T::Comma)?;
                self.eat(T::ALL);
                args.push(self.expr()?);
            }
            _ => args.push(self.expr()?),
        }
        let (mut order_by, mut separator) = (Vec::new(), None);
        if kind == AggregateKind::GroupConcat {
            order_by = self.maybe_order_by()?;
            if self.eat(T::SEPARATOR) {
                separator = Some(self.text_or_bytes()?);
            }
        }
        self.expect(T::RParen)?;
        let over = if self.at(T::OVER) { Some(Box::new(self.over()?)) } else { None };
        self.taller()?;
        let aggregate = Aggregate { kind, distinct, args, order_by, separator, over };
        Ok(Some(ExprKind::Aggregate(Box::new(aggregate))))
    }
}
