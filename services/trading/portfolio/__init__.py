"""The paper account: orders, positions, holdings and funds, exact to the paisa."""
