//! What is asked.

use std::sync::Arc;

use super::Shop;
use crate::generate::Rng;
use crate::mysql::config::Kind;
use crate::mysql::connection::Statement;
use crate::mysql::keys::Keys;

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Customer,
    /// A customer's address.
    Email,
    Order,
    /// The first and the last of so many.
    Customers(u32),
    Orders(u32),
    Categories(u32),
}

/// A value of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Number(i64),
    Text(String),
}

/// A statement: its name in reports, its text, and the values of its placeholders.
pub(super) struct Shape {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    pub(super) values: &'static [Of],
}

const JOINS: &[Shape] = &[
    Shape {
        name: "order-customer",
        sql: "SELECT o.id, o.placed, o.total, c.name, c.email FROM orders o JOIN customer c \
              ON c.id = o.customer_id WHERE o.id = ?",
        values: &[Of::Order],
    },
    Shape {
        name: "order-lines",
        sql: "SELECT o.id, l.no, p.name, l.quantity, l.price FROM orders o JOIN line l \
              ON l.order_id = o.id JOIN product p ON p.id = l.product_id WHERE o.id = ?",
        values: &[Of::Order],
    },
    Shape {
        name: "last-orders",
        sql: "SELECT c.name, r.name, o.id, o.total FROM customer c JOIN region r \
              ON r.id = c.region_id JOIN orders o ON o.customer_id = c.id WHERE c.email = ? \
              ORDER BY o.placed DESC, o.id LIMIT 5",
        values: &[Of::Email],
    },
    Shape {
        name: "left-join",
        sql: "SELECT c.id, c.name, o.id, o.total FROM customer c LEFT JOIN orders o \
              ON o.customer_id = c.id AND o.state = 4 WHERE c.id BETWEEN ? AND ?",
        values: &[Of::Customers(5)],
    },
    Shape {
        name: "five-tables",
        sql: "SELECT c.name, r.name, o.id, l.no, p.name FROM customer c, region r, orders o, \
              line l, product p WHERE r.id = c.region_id AND o.customer_id = c.id AND \
              l.order_id = o.id AND p.id = l.product_id AND c.id = ? AND o.state < 3",
        values: &[Of::Customer],
    },
];

const SUBQUERIES: &[Shape] = &[
    Shape {
        name: "in",
        sql: "SELECT id, name, price FROM product WHERE id IN (SELECT l.product_id FROM line l \
              JOIN orders o ON o.id = l.order_id WHERE o.customer_id = ?)",
        values: &[Of::Customer],
    },
    Shape {
        name: "exists",
        sql: "SELECT c.id, c.name FROM customer c WHERE c.id BETWEEN ? AND ? AND EXISTS \
              (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.state = 3)",
        values: &[Of::Customers(10)],
    },
    Shape {
        name: "not-exists",
        sql: "SELECT c.id, c.name FROM customer c WHERE c.id BETWEEN ? AND ? AND NOT EXISTS \
              (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > 800)",
        values: &[Of::Customers(10)],
    },
    Shape {
        name: "newest",
        sql: "SELECT o.id, o.total FROM orders o WHERE o.customer_id = ? AND o.placed = \
              (SELECT MAX(x.placed) FROM orders x WHERE x.customer_id = o.customer_id)",
        values: &[Of::Customer],
    },
    Shape {
        name: "counted",
        sql: "SELECT c.id, c.name, (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.id) \
              FROM customer c WHERE c.id BETWEEN ? AND ?",
        values: &[Of::Customers(5)],
    },
    Shape {
        name: "derived",
        sql: "SELECT p.name, x.sold FROM (SELECT l.product_id, SUM(l.quantity) AS sold FROM line l \
              WHERE l.order_id BETWEEN ? AND ? GROUP BY l.product_id) x JOIN product p \
              ON p.id = x.product_id ORDER BY x.sold DESC, p.name LIMIT 5",
        values: &[Of::Orders(10)],
    },
];

const AGGREGATES: &[Shape] = &[
    Shape {
        name: "of-customer",
        sql: "SELECT COUNT(*), SUM(total), MIN(placed), MAX(placed) FROM orders WHERE customer_id = ?",
        values: &[Of::Customer],
    },
    Shape {
        name: "of-order",
        sql: "SELECT SUM(quantity * price) FROM line WHERE order_id = ?",
        values: &[Of::Order],
    },
    Shape {
        name: "by-state",
        sql: "SELECT state, COUNT(*), AVG(total) FROM orders WHERE customer_id IN (?, ?, ?) \
              GROUP BY state ORDER BY state",
        values: &[Of::Customer, Of::Customer, Of::Customer],
    },
    Shape {
        name: "having",
        sql: "SELECT category_id, COUNT(*), MIN(price), MAX(price) FROM product WHERE category_id \
              BETWEEN ? AND ? GROUP BY category_id HAVING COUNT(*) > 1",
        values: &[Of::Categories(3)],
    },
    Shape {
        name: "joined",
        sql: "SELECT p.category_id, COUNT(*), SUM(l.quantity * l.price) FROM line l JOIN product p \
              ON p.id = l.product_id WHERE l.order_id BETWEEN ? AND ? GROUP BY p.category_id \
              ORDER BY 3 DESC, 1 LIMIT 3",
        values: &[Of::Orders(10)],
    },
    Shape {
        name: "distinct",
        sql: "SELECT COUNT(DISTINCT product_id), COUNT(*) FROM line WHERE order_id BETWEEN ? AND ?",
        values: &[Of::Orders(20)],
    },
];

/// What phases of a kind ask.
pub(super) fn shapes(kind: Kind) -> &'static [Shape] {
    match kind {
        Kind::ShopJoins => JOINS,
        Kind::ShopSubqueries => SUBQUERIES,
        Kind::ShopAggregates => AGGREGATES,
        _ => &[],
    }
}

/// The same as connections prepare them.
pub(crate) fn statements(kind: Kind) -> Arc<[Statement]> {
    shapes(kind).iter().map(|shape| Statement::new(shape.sql)).collect()
}

impl Of {
    /// Values by chance.
    pub(super) fn choose(
        self,
        shop: &Shop,
        keys: impl Fn(u32) -> Keys,
        rng: &mut Rng,
        out: &mut Vec<Asked>,
    ) {
        let mut one = |of: u32| keys(of).next(rng);
        match self {
            Self::Customer => out.push(Asked::Number(one(shop.customers))),
            Self::Email => out.push(Asked::Text(email(one(shop.customers)))),
            Self::Order => out.push(Asked::Number(one(shop.orders()))),
            Self::Customers(count) | Self::Orders(count) | Self::Categories(count) => {
                let first = one(match self {
                    Self::Customers(_) => shop.customers,
                    Self::Orders(_) => shop.orders(),
                    _ => shop.categories(),
                });
                out.extend([first, first + i64::from(count) - 1].map(Asked::Number));
            }
        }
    }
}

/// A customer's address.
pub(super) fn email(customer: i64) -> String {
    format!("customer{customer}@example.com")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::config::Distribution;

    #[test]
    fn each_placeholder_has_its_value() {
        let (shop, mut rng) = (Shop::default(), Rng::new(1));
        let keys = |rows: u32| Keys::new(Distribution::Uniform, rows.into());
        for kind in [Kind::ShopJoins, Kind::ShopSubqueries, Kind::ShopAggregates] {
            assert!(shapes(kind).len() >= 5, "{kind:?}");
            for shape in shapes(kind) {
                let mut values = Vec::new();
                shape.values.iter().for_each(|of| of.choose(&shop, keys, &mut rng, &mut values));
                assert_eq!(values.len(), shape.sql.matches('?').count(), "{}", shape.name);
            }
        }
    }
}
