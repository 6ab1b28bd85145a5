"""Published laws as plain formulas by name: `case` reads the names, `physics` compiles the formulas."""
