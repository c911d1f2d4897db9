"""What must hold when Lamina lies, networks break, many act at once and processes are killed."""
