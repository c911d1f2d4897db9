"""What the makers of a fixture and the tests of it both know."""

SANDBOX_PORT = 8900  # the fixture's addresses of results and samples
SECRET_KEY = "only-for-fixtures-4tq9vXw2LmZr8KpD6sYbHn3JcFgT7aQe5uRiWo1P"
PASSWORD = "seven quiet lanterns"
