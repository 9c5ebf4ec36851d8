"""The plug is pulled at every moment: processes that write a session log are killed with kill -9, and resumed."""
