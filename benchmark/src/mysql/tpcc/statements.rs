//! The statements of the five transactions, by number.

use std::sync::Arc;

use super::DISTRICTS;
use crate::mysql::connection::Statement;

macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum S { $($name),* }

        const LIST: &[&str] = &[$($sql),*];
    };
}

statements! {
    Begin = "BEGIN";
    Commit = "COMMIT";
    Rollback = "ROLLBACK";
    // New-Order.
    CustomerTax = "SELECT c_discount, c_last, c_credit, w_tax FROM customer, warehouse \
        WHERE w_id = ? AND c_w_id = w_id AND c_d_id = ? AND c_id = ?";
    NextOrder = "SELECT d_next_o_id, d_tax FROM district WHERE d_id = ? AND d_w_id = ? FOR UPDATE";
    RaiseNextOrder = "UPDATE district SET d_next_o_id = ? WHERE d_id = ? AND d_w_id = ?";
    InsertOrder = "INSERT INTO orders (o_id, o_d_id, o_w_id, o_c_id, o_entry_d, o_ol_cnt, \
        o_all_local) VALUES (?, ?, ?, ?, NOW(), ?, ?)";
    InsertNewOrder = "INSERT INTO new_orders (no_o_id, no_d_id, no_w_id) VALUES (?, ?, ?)";
    Item = "SELECT i_price, i_name, i_data FROM item WHERE i_id = ?";
    UpdateStock = "UPDATE stock SET s_quantity = ?, s_ytd = s_ytd + ?, \
        s_order_cnt = s_order_cnt + 1, s_remote_cnt = s_remote_cnt + ? \
        WHERE s_i_id = ? AND s_w_id = ?";
    InsertOrderLine = "INSERT INTO order_line (ol_o_id, ol_d_id, ol_w_id, ol_number, ol_i_id, \
        ol_supply_w_id, ol_quantity, ol_amount, ol_dist_info) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    // Payment.
    PayWarehouse = "UPDATE warehouse SET w_ytd = w_ytd + ? WHERE w_id = ?";
    Warehouse = "SELECT w_street_1, w_street_2, w_city, w_state, w_zip, w_name FROM warehouse \
        WHERE w_id = ?";
    PayDistrict = "UPDATE district SET d_ytd = d_ytd + ? WHERE d_w_id = ? AND d_id = ?";
    District = "SELECT d_street_1, d_street_2, d_city, d_state, d_zip, d_name FROM district \
        WHERE d_w_id = ? AND d_id = ?";
    CustomersByName = "SELECT c_id FROM customer WHERE c_w_id = ? AND c_d_id = ? \
        AND c_last = ? ORDER BY c_first";
    PayingCustomer = "SELECT c_credit, c_first, c_middle, c_last, c_street_1, c_city, c_balance, \
        c_data FROM customer WHERE c_w_id = ? AND c_d_id = ? AND c_id = ? FOR UPDATE";
    PayCustomer = "UPDATE customer SET c_balance = c_balance - ?, \
        c_ytd_payment = c_ytd_payment + ?, c_payment_cnt = c_payment_cnt + 1 \
        WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?";
    PayBadCustomer = "UPDATE customer SET c_balance = c_balance - ?, \
        c_ytd_payment = c_ytd_payment + ?, c_payment_cnt = c_payment_cnt + 1, c_data = ? \
        WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?";
    InsertHistory = "INSERT INTO history (h_c_d_id, h_c_w_id, h_c_id, h_d_id, h_w_id, h_date, \
        h_amount, h_data) VALUES (?, ?, ?, ?, ?, NOW(), ?, ?)";
    // Order-Status.
    Customer = "SELECT c_balance, c_first, c_middle, c_last FROM customer \
        WHERE c_w_id = ? AND c_d_id = ? AND c_id = ?";
    LastOrder = "SELECT o_id, o_entry_d, o_carrier_id FROM orders \
        WHERE o_w_id = ? AND o_d_id = ? AND o_c_id = ? ORDER BY o_id DESC LIMIT 1";
    OrderLines = "SELECT ol_i_id, ol_supply_w_id, ol_quantity, ol_amount, ol_delivery_d \
        FROM order_line WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id = ?";
    // Delivery.
    OldestNewOrder = "SELECT no_o_id FROM new_orders WHERE no_d_id = ? AND no_w_id = ? \
        ORDER BY no_o_id LIMIT 1 FOR UPDATE";
    DeleteNewOrder = "DELETE FROM new_orders WHERE no_o_id = ? AND no_d_id = ? AND no_w_id = ?";
    CustomerOfOrder = "SELECT o_c_id FROM orders WHERE o_id = ? AND o_d_id = ? AND o_w_id = ?";
    SetCarrier = "UPDATE orders SET o_carrier_id = ? WHERE o_id = ? AND o_d_id = ? AND o_w_id = ?";
    SetDelivered = "UPDATE order_line SET ol_delivery_d = NOW() \
        WHERE ol_o_id = ? AND ol_d_id = ? AND ol_w_id = ?";
    AmountOfOrder = "SELECT SUM(ol_amount) FROM order_line \
        WHERE ol_o_id = ? AND ol_d_id = ? AND ol_w_id = ?";
    CreditCustomer = "UPDATE customer SET c_balance = c_balance + ?, \
        c_delivery_cnt = c_delivery_cnt + 1 WHERE c_id = ? AND c_d_id = ? AND c_w_id = ?";
    // Stock-Level.
    NextOrderOf = "SELECT d_next_o_id FROM district WHERE d_id = ? AND d_w_id = ?";
    LowStock = "SELECT COUNT(DISTINCT s_i_id) FROM order_line, stock \
        WHERE ol_w_id = ? AND ol_d_id = ? AND ol_o_id < ? AND ol_o_id >= ? \
        AND s_w_id = ? AND s_i_id = ol_i_id AND s_quantity < ?";
}

/// The number of the statement that reads stock for a district, which counts from 1.
pub(super) fn stock_for(district: u32) -> usize {
    LIST.len() + district as usize - 1
}

/// All statements, as connections prepare them.
pub(crate) fn statements() -> Arc<[Statement]> {
    let stock = (1..=DISTRICTS).map(|district| {
        Statement::new(format!(
            "SELECT s_quantity, s_data, s_dist_{district:02} FROM stock \
             WHERE s_i_id = ? AND s_w_id = ? FOR UPDATE"
        ))
    });
    LIST.iter().map(|sql| Statement::new(*sql)).chain(stock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_to_their_statements() {
        assert_eq!(LIST[S::Commit as usize], "COMMIT");
        assert!(LIST[S::LowStock as usize].contains("DISTINCT"));
        assert_eq!(S::LowStock as usize + 1, LIST.len());
        assert_eq!(statements().len(), stock_for(DISTRICTS) + 1);
    }
}
