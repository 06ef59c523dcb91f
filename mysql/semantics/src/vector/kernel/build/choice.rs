//! Kernels of CASE, IF and COALESCE.

use super::{Planner, constant, is_gainful, is_plain_text};
use crate::expr::{CompareOp, Node, Op};
use crate::types::TypeKind;
use crate::vector::kernel::{Change, Kernel, Lane};

impl Planner<'_> {
    /// `None` for types whose values may differ in their decimals from branch to branch.
    pub(super) fn choice(&self, node: &Node) -> Option<Kernel> {
        let ty = node.ty;
        let kernel = match (&node.op, &*node.args) {
            (Op::If, [condition, yes, no]) => {
                let first = (Some(self.truth(condition)?), self.branch(node, yes)?);
                Kernel::Case { ty, branches: Box::new([first, (None, self.branch(node, no)?)]) }
            }
            (Op::Case { otherwise }, args) => {
                let mut branches = Vec::with_capacity(args.len() / 2 + 1);
                for pair in args.chunks(2) {
                    branches.push(match pair {
                        [condition, value] => {
                            (Some(self.truth(condition)?), self.branch(node, value)?)
                        }
                        [value] if *otherwise => (None, self.branch(node, value)?),
                        _ => return None,
                    });
                }
                Kernel::Case { ty, branches: branches.into_boxed_slice() }
            }
            (Op::CaseOf { otherwise, with }, [operand, rest @ ..]) => {
                let mut branches = Vec::with_capacity(rest.len() / 2 + 1);
                for (at, pair) in rest.chunks(2).enumerate() {
                    branches.push(match pair {
                        [when, value] => {
                            let with = *with.get(at)?;
                            let equal = self.compare(CompareOp::Eq, with, operand, when)?;
                            (Some(equal), self.branch(node, value)?)
                        }
                        [value] if *otherwise => (None, self.branch(node, value)?),
                        _ => return None,
                    });
                }
                Kernel::Case { ty, branches: branches.into_boxed_slice() }
            }
            (Op::Coalesce, args) => {
                let args = args.iter().map(|arg| self.branch(node, arg));
                Kernel::Coalesce { ty, args: args.collect::<Option<_>>()? }
            }
            _ => return None,
        };
        is_gainful(&kernel).then_some(kernel)
    }

    /// A branch in the type of the whole. One of another type is asked twice.
    fn branch(&self, whole: &Node, branch: &Node) -> Option<Kernel> {
        let same = branch.ty.kind == whole.ty.kind && branch.ty.unsigned == whole.ty.unsigned;
        self.converted(whole, branch).filter(|kernel| same || kernel.is_quiet())
    }

    fn converted(&self, whole: &Node, branch: &Node) -> Option<Kernel> {
        let kind = whole.ty.kind;
        if branch.is_null_literal() {
            return Some(constant(branch, Lane::Any));
        }
        if kind.is_integer() {
            let number = if branch.is_constant() {
                // A constant of another sign wraps.
                if branch.ty.unsigned != whole.ty.unsigned {
                    return None;
                }
                return Some(constant(branch, Lane::Int));
            } else {
                self.int(branch)?
            };
            let change = Change::Wrap { unsigned: whole.ty.unsigned };
            return Some(Kernel::Change(change, Box::new(number)));
        }
        match kind {
            TypeKind::Double => self.operand(branch, Lane::Double),
            kind if is_plain_text(kind) => self.operand(branch, Lane::Text),
            kind if kind.is_temporal() && branch.ty.kind == kind => {
                if branch.is_constant() {
                    return Some(constant(branch, Lane::Any));
                }
                self.column(branch, Lane::Any)
            }
            _ => None,
        }
    }
}
