//! A bound expression as a physical expression of DataFusion.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, FieldRef, Schema};
use datafusion_common::ScalarValue;
use datafusion_expr_common::columnar_value::ColumnarValue;
use datafusion_physical_expr_common::physical_expr::PhysicalExpr;

use super::array::broken;
use super::kernel::{ByRows, Kernel, Run, Vector};
use super::rows::{self, Form, RowSource, Used};
use super::statement::{Execution, Locked, Statement, plan_error};
use super::types::{arrow_type, result_field, scalar};
use crate::error::{SqlError, Warnings, code};
use crate::expr::{Cx, Node, Op, Result, printed};
use crate::types::SqlType;

/// Makes physical expressions for one plan.
pub struct Builder<'a> {
    columns: &'a [Arc<dyn PhysicalExpr>],
    statement: &'a Arc<Statement>,
}

impl<'a> Builder<'a> {
    /// `columns` gives the columns that nodes name by number; they must come in the
    /// Arrow types of [`arrow_type`]. The expressions read settings, parameters and
    /// session from `statement`, at every evaluation.
    pub fn new(columns: &'a [Arc<dyn PhysicalExpr>], statement: &'a Arc<Statement>) -> Builder<'a> {
        Builder { columns, statement }
    }

    /// The values of `node` as a client gets them, in the Arrow type of its type. A
    /// DECIMAL always has its type's decimals. `name` is the result column's, for
    /// the warnings that name it.
    ///
    /// # Errors
    ///
    /// 1235 for types that have no Arrow type, 1105 for columns that are not there.
    pub fn value(&self, node: Node, name: Option<&str>) -> Result<Arc<VectorExpr>> {
        self.build(node, Form::Value, name)
    }

    /// The truth of `node`, as a filter wants it: Boolean.
    ///
    /// # Errors
    ///
    /// As [`Builder::value`].
    pub fn predicate(&self, node: Node) -> Result<Arc<VectorExpr>> {
        self.build(node, Form::Truth, None)
    }

    fn build(&self, node: Node, form: Form, name: Option<&str>) -> Result<Arc<VectorExpr>> {
        let used = rows::used_columns(&node);
        let mut children = Vec::with_capacity(used.len());
        for used in &used {
            let column = self
                .columns
                .get(used.index)
                .ok_or_else(|| broken(&format!("there is no column {} in the plan", used.index)))?;
            children.push(Arc::clone(column));
        }
        let data_type = match form {
            Form::Truth => DataType::Boolean,
            _ => arrow_type(&node.ty)?,
        };
        let volatile = is_volatile(&node);
        let kernel = if volatile { None } else { Kernel::of(&node, form, &used) };
        let name = name.map(Box::from);
        let program = Program { node, form, name, used, data_type, kernel, volatile };
        Ok(Arc::new(VectorExpr {
            program: Arc::new(program),
            children,
            statement: Arc::clone(self.statement),
        }))
    }
}

/// Whether values differ from evaluation to evaluation, or the session changes, or
/// somebody else has to compute a part of it.
pub fn is_volatile(node: &Node) -> bool {
    let own = match &node.op {
        Op::UserVariable(_) | Op::Assign(_) | Op::Subquery { .. } => true,
        Op::Call(call) => !call.function.deterministic || call.function.name == "last_insert_id",
        _ => false,
    };
    own || node.args.iter().any(is_volatile)
}

#[derive(Debug, Clone)]
struct Program {
    node: Node,
    form: Form,
    name: Option<Box<str>>,
    used: Vec<Used>,
    data_type: DataType,
    kernel: Option<Kernel>,
    volatile: bool,
}

/// An expression over batches. Its children are the columns that it uses.
#[derive(Debug, Clone)]
pub struct VectorExpr {
    program: Arc<Program>,
    children: Vec<Arc<dyn PhysicalExpr>>,
    statement: Arc<Statement>,
}

impl VectorExpr {
    /// The type of the values.
    pub fn sql_type(&self) -> &SqlType {
        &self.program.node.ty
    }

    /// Whether all of it runs as kernels over arrays, as long as no row needs an
    /// error or a warning.
    pub fn is_vectorized(&self) -> bool {
        self.program.kernel.as_ref().is_some_and(Kernel::is_whole)
    }

    fn run(&self, arrays: &[ArrayRef], rows: usize, execution: &Execution) -> Result<Outcome> {
        let program = &*self.program;
        if rows > 0
            && let Some(kernel) = &program.kernel
        {
            let mut run = Run::new(execution, &program.used, arrays, rows);
            let vector = kernel.eval(&mut run, None);
            let settled = vector.and_then(|vector| self.settled(vector, rows));
            if let Ok(outcome) = settled
                && let Ok(warnings) = run.finish()
            {
                if !warnings.is_empty() {
                    execution.warnings.lock().append(warnings);
                }
                return Ok(outcome);
            }
        }
        let mut warnings = Warnings::new(execution.warning_limit);
        let result = self.run_rows(arrays, rows, execution, &mut warnings);
        if !warnings.is_empty() {
            execution.warnings.lock().append(warnings);
        }
        result.map(Outcome::Array)
    }

    /// In the Arrow type that was promised.
    fn settled(&self, vector: Vector, rows: usize) -> std::result::Result<Outcome, ByRows> {
        let program = &*self.program;
        match vector {
            Vector::One(value) if program.form == Form::Truth => {
                let truth = match value {
                    crate::Value::Null => None,
                    crate::Value::Int(value) => Some(value != 0),
                    _ => return Err(ByRows),
                };
                Ok(Outcome::Scalar(ScalarValue::Boolean(truth)))
            }
            Vector::One(value) => {
                scalar(&value, &program.node.ty).map(Outcome::Scalar).map_err(|_| ByRows)
            }
            Vector::Many(array) => {
                let array = super::kernel::in_type(array, &program.data_type)?;
                if array.len() == rows { Ok(Outcome::Array(array)) } else { Err(ByRows) }
            }
        }
    }

    fn run_rows(
        &self,
        arrays: &[ArrayRef],
        rows: usize,
        execution: &Execution,
        warnings: &mut Warnings,
    ) -> Result<ArrayRef> {
        let program = &*self.program;
        let mut source = RowSource::new(&program.used, arrays, &execution.params)?;
        let mut session = Locked(&execution.session);
        let mut cx = Cx::new(&execution.settings, &mut session, warnings);
        cx.item_name = program.name.as_deref();
        if !program.volatile {
            return rows::evaluate(&program.node, program.form, &mut source, rows, None, &mut cx);
        }
        // The generators of RAND() go on from batch to batch.
        let mut random = execution.random.lock();
        cx.random = std::mem::take(&mut *random);
        let result = rows::evaluate(&program.node, program.form, &mut source, rows, None, &mut cx);
        *random = std::mem::take(&mut cx.random);
        result
    }
}

enum Outcome {
    Scalar(ScalarValue),
    Array(ArrayRef),
}

impl PhysicalExpr for VectorExpr {
    fn data_type(&self, _: &Schema) -> datafusion_common::Result<DataType> {
        Ok(self.program.data_type.clone())
    }

    fn nullable(&self, _: &Schema) -> datafusion_common::Result<bool> {
        Ok(true)
    }

    fn return_field(&self, _: &Schema) -> datafusion_common::Result<FieldRef> {
        let program = &*self.program;
        let name = match &program.name {
            Some(name) => name.to_string(),
            None => self.to_string(),
        };
        Ok(result_field(&name, &program.node.ty, program.data_type.clone()))
    }

    fn evaluate(&self, batch: &RecordBatch) -> datafusion_common::Result<ColumnarValue> {
        let execution = self.statement.current().map_err(plan_error)?;
        let rows = batch.num_rows();
        let mut arrays = Vec::with_capacity(self.children.len());
        for child in &self.children {
            let array = child.evaluate(batch)?.into_array(rows)?;
            if array.len() != rows {
                let message = format!("a column of {} rows in a batch of {rows}", array.len());
                return Err(plan_error(broken(&message)));
            }
            arrays.push(array);
        }
        match self.run(&arrays, rows, &execution).map_err(plan_error)? {
            Outcome::Scalar(value) => Ok(ColumnarValue::Scalar(value)),
            Outcome::Array(array) => Ok(ColumnarValue::Array(array)),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.children.iter().collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> datafusion_common::Result<Arc<dyn PhysicalExpr>> {
        if children.len() != self.children.len() {
            let message = "an expression got another number of columns";
            return Err(plan_error(SqlError::with_message(code::ER_UNKNOWN_ERROR, message)));
        }
        Ok(Arc::new(VectorExpr {
            program: Arc::clone(&self.program),
            children,
            statement: Arc::clone(&self.statement),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn is_volatile_node(&self) -> bool {
        self.program.volatile
    }
}

impl fmt::Display for VectorExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printed(&self.program.node))
    }
}

/// Equal are expressions of one plan that say the same of the same columns.
impl PartialEq for VectorExpr {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&*self.program, &*other.program);
        let same = Arc::ptr_eq(&self.program, &other.program)
            || (!a.volatile
                && a.form == b.form
                && a.name == b.name
                && format!("{:?}", a.node) == format!("{:?}", b.node));
        same && Arc::ptr_eq(&self.statement, &other.statement) && self.children == other.children
    }
}

impl Eq for VectorExpr {}

impl Hash for VectorExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
        self.children.hash(state);
    }
}
