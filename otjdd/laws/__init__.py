"""Published laws as plain formulas by name: `case` uses the names, `physics` compiles the formulas."""
