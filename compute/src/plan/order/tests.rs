//! Orders of tables of which little is said.

use super::*;

fn joined(tables: usize) -> Joined {
    let table = |_| Table {
        rows: cost::ROWS,
        is_known: false,
        indexes: vec![Index {
            parts: vec![(0, true)],
            unique: true,
            covering: true,
            rows: true,
            per_key: Vec::new(),
            dive: None,
        }],
        terms: Vec::new(),
        conditions: Vec::new(),
        dived: None,
        outer: false,
        union: None,
        after: 0,
    };
    Joined { tables: (0..tables).map(table).collect(), filters: Vec::new() }
}

impl Joined {
    fn places(&self) -> Vec<usize> {
        self.order(None).tables.into_iter().map(|(at, _)| at).collect()
    }

    /// Of each table as many rows as are said.
    fn sized(mut self, rows: &[f64]) -> Self {
        for (table, rows) in self.tables.iter_mut().zip(rows) {
            (table.rows, table.is_known) = (*rows, true);
        }
        self
    }

    /// Column `left.1` of table `left.0` is that of `right`, or a constant.
    fn equal(&mut self, left: (usize, usize), right: Option<(usize, usize)>) {
        let reads = 1 << left.0 | right.map_or(0, |(table, _)| 1 << table);
        let share = if right.is_some() { 0.01 } else { 0.1 };
        for (table, column) in [Some(left), right].into_iter().flatten() {
            let needs = reads & !(1 << table);
            let filter = self.filters.len();
            let (equality, constant, values) = (true, true, 1.0);
            let term = Said { column, equality, constant, values, needs, share, filter };
            self.tables[table].terms.push(term);
            self.tables[table].conditions.push(self.filters.len());
        }
        self.filters.push(Filter { reads, share, class: None });
    }
}

#[test]
fn tables_that_nothing_tells_apart_are_read_as_written() {
    assert_eq!(joined(4).places(), [0, 1, 2, 3]);
}

#[test]
fn the_row_of_a_key_comes_first_and_what_it_leads_to_next() {
    let mut joined = joined(4);
    joined.equal((0, 0), Some((2, 1)));
    joined.equal((2, 0), Some((3, 1)));
    joined.equal((3, 0), None);
    // Nothing is said of table 1.
    assert_eq!(joined.places(), [3, 2, 0, 1]);
}

#[test]
fn a_table_whose_key_others_have_is_read_behind_them() {
    let mut joined = joined(2);
    joined.equal((0, 0), Some((1, 1)));
    assert_eq!(joined.places(), [1, 0]);
}

#[test]
fn a_search_for_each_row_is_as_good_as_another_order() {
    let mut joined = joined(2);
    // Either key leads to the other table.
    joined.equal((0, 0), Some((1, 0)));
    joined.tables[1].indexes[0].unique = false;
    assert_eq!(joined.places(), [0, 1]);
}

#[test]
fn what_is_bound_comes_before_what_is_not() {
    let mut joined = joined(3);
    joined.equal((0, 1), None);
    joined.equal((0, 2), Some((2, 2)));
    assert_eq!(joined.places(), [0, 2, 1]);
}

/// Chains of sixty-one tables in any order are put in order at once.
#[test]
fn a_chain_of_all_tables_is_followed_from_its_constant() {
    let mut joined = joined(61);
    // 7, 14, 21, … each with the key of the one before it.
    for step in 1..61 {
        joined.equal((step * 7 % 61, 0), Some(((step - 1) * 7 % 61, 1)));
    }
    joined.equal((0, 0), None);
    let expected: Vec<usize> = (0..61).map(|step| step * 7 % 61).collect();
    assert_eq!(joined.places(), expected);
}

#[test]
fn of_tables_that_lead_to_each_other_the_small_one_comes_first() {
    let mut joined = joined(2);
    // Either key leads to the other table.
    joined.equal((0, 0), Some((1, 0)));
    assert_eq!(joined.sized(&[1e6, 100.0]).places(), [1, 0]);
}

#[test]
fn a_condition_that_leaves_little_of_a_large_table_is_worth_more_than_a_small_table() {
    let mut joined = joined(3);
    joined.equal((0, 0), Some((1, 1)));
    joined.equal((1, 0), Some((2, 1)));
    joined.equal((2, 0), None);
    assert_eq!(joined.sized(&[10.0, 1e5, 1e6]).places(), [2, 1, 0]);
}

/// Each of these stands for a plan of a statement that waits for it.
#[test]
fn all_orders_of_seven_tables_are_weighed_at_once() {
    let mut joined = joined(7);
    for at in 1..7 {
        joined.equal((at, 0), Some((at - 1, 1)));
    }
    joined.equal((0, 0), None);
    let joined = joined.sized(&[1e6; 7]);
    assert_eq!(joined.places(), [0, 1, 2, 3, 4, 5, 6]);
}

/// `title.id = keyword.movie`, `title.id = info.movie`, `keyword.movie = info.movie`: the last
/// of these says nothing new.
#[test]
fn columns_that_are_equal_by_others_leave_no_fewer_rows() {
    let mut joined = joined(3).sized(&[100.0, 1000.0, 1000.0]);
    joined.equal((0, 0), Some((1, 1)));
    joined.equal((0, 0), Some((2, 1)));
    let before = joined.reached(2, 0b11).rows;
    joined.equal((1, 1), Some((2, 1)));
    for filter in &mut joined.filters {
        filter.class = Some(0);
    }
    assert_eq!(joined.reached(2, 0b11).rows, before);
}

#[test]
fn a_table_comes_first_whose_index_has_the_order_in_which_a_few_rows_are_wanted() {
    let mut joined = joined(2);
    joined.equal((0, 1), Some((1, 0)));
    let joined = joined.sized(&[1e6, 100.0]);
    let places = |order: Order| order.tables.into_iter().map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(joined.order(None).enough, None);
    let by = InOrder { table: 0, wanted: 10.0, entries: 1e6, each: 1.0 };
    let order = joined.order(Some(by));
    assert!(order.enough.is_some_and(|rows| rows < 1e4), "{:?}", order.enough);
    assert_eq!(places(order), [0, 1]);
    // All rows are wanted: nothing is won by the index.
    let dear = InOrder { wanted: 1e9, each: 4.0, ..by };
    assert_eq!(joined.order(Some(dear)).enough, None);
}

#[test]
fn hints_hold_in_orders_that_are_weighed_and_in_those_that_grow() {
    for count in [4, 12] {
        let rows: Vec<f64> = (0..count).map(|at| 10.0 + at as f64).collect();
        let mut joined = joined(count).sized(&rows);
        let free = joined.places();
        // The last one first, the first one behind all others but the second.
        let (last, all) = (count - 1, (1 << count) - 1);
        for (at, table) in joined.tables.iter_mut().enumerate() {
            table.after = if at == last { 0 } else { 1 << last };
        }
        joined.tables[0].after = all & !0b11;
        let order = joined.places();
        assert_ne!(order, free);
        let place = |table: usize| order.iter().position(|one| *one == table).unwrap();
        assert_eq!((place(last), order.len()), (0, count), "{order:?}");
        assert!(place(0) >= count - 2, "{order:?}");
    }
}
