//! OVER and WINDOW, as MySQL prints them.

use firn_mysql_parser::ast::{
    Expr, ExprKind, Frame, FrameBound, FrameUnit, OrderItem, Over, Select, SelectItem, WindowSpec,
};

use super::print::Printer;
use crate::bind::walk;

impl Printer<'_> {
    /// What stands behind a window function.
    pub(super) fn over(&mut self, over: &Over) {
        self.put(" OVER ");
        match over {
            Over::Name(name) => self.name(name.as_str()),
            Over::Window(spec) => self.window(spec),
        }
    }

    /// WINDOW: windows that functions look through, or that such a window refines.
    pub(super) fn windows(&mut self, select: &Select, order: &[OrderItem]) {
        let mut used: Vec<String> = Vec::new();
        let mut use_of = |name: &str| used.push(name.to_lowercase());
        let mut each = |expr: &Expr| {
            walk(expr, &mut |expr| {
                let over = match &expr.kind {
                    ExprKind::Call(call) => call.window.as_ref().map(|window| &window.over),
                    ExprKind::Aggregate(call) => call.over.as_deref(),
                    _ => None,
                };
                match over {
                    Some(Over::Name(name)) => use_of(name.as_str()),
                    Some(Over::Window(spec)) => {
                        spec.base.iter().for_each(|base| use_of(base.as_str()));
                    }
                    None => {}
                }
            });
        };
        for item in &select.items {
            if let SelectItem::Expr { expr, .. } = item {
                each(expr);
            }
        }
        order.iter().for_each(|item| each(&item.expr));
        let mut known = 0;
        while known < used.len() {
            let name = used[known].clone();
            known += 1;
            let named = select.windows.iter().find(|(one, _)| one.as_str().to_lowercase() == name);
            let base = named.and_then(|(_, spec)| spec.base.as_ref());
            if let Some(base) = base.map(|base| base.as_str().to_lowercase())
                && !used.contains(&base)
            {
                used.push(base);
            }
        }
        let printed = select.windows.iter();
        let printed = printed.filter(|(name, _)| used.contains(&name.as_str().to_lowercase()));
        for (at, (name, spec)) in printed.enumerate() {
            self.put(if at == 0 { " window " } else { ", " });
            self.name(name.as_str());
            self.put(" AS ");
            self.window(spec);
        }
    }

    fn window(&mut self, spec: &WindowSpec) {
        self.put("(");
        if let Some(base) = &spec.base {
            self.name(base.as_str());
            self.put(" ");
        }
        for (at, expr) in spec.partition_by.iter().enumerate() {
            self.put(if at == 0 { "PARTITION BY " } else { "," });
            self.value(expr);
        }
        self.put(if spec.partition_by.is_empty() { "" } else { " " });
        for (at, item) in spec.order_by.iter().enumerate() {
            self.put(if at == 0 { "ORDER BY " } else { "," });
            self.value(&item.expr);
            self.put(if item.descending { " desc" } else { "" });
        }
        self.put(if spec.order_by.is_empty() { "" } else { " " });
        if let Some(frame) = &spec.frame {
            self.frame(frame);
        }
        self.put(") ");
    }

    fn frame(&mut self, frame: &Frame) {
        self.put(if frame.unit == FrameUnit::Rows { "ROWS" } else { "RANGE" });
        self.put(" BETWEEN ");
        self.frame_bound(&frame.start);
        self.put(" AND ");
        self.frame_bound(frame.end.as_ref().unwrap_or(&FrameBound::CurrentRow));
    }

    fn frame_bound(&mut self, bound: &FrameBound) {
        let (amount, unit, word) = match bound {
            FrameBound::UnboundedPreceding => return self.put("UNBOUNDED PRECEDING"),
            FrameBound::UnboundedFollowing => return self.put("UNBOUNDED FOLLOWING"),
            FrameBound::CurrentRow => return self.put("CURRENT ROW"),
            FrameBound::Preceding(amount, unit) => (amount, unit, " PRECEDING"),
            FrameBound::Following(amount, unit) => (amount, unit, " FOLLOWING"),
        };
        self.put(if unit.is_some() { "INTERVAL " } else { "" });
        self.value(amount);
        if let Some(unit) = unit {
            self.put(" ");
            self.put(unit.name());
            self.put(" ");
        }
        self.put(word);
    }
}
