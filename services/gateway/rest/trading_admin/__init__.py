"""Kill switches, loss locks and the orders of users, for administrators, by REST."""
