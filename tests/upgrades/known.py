"""Constants that the fixtures and their tests share."""

SANDBOX_PORT = 8900  # results and samples in the fixtures have addresses with this port
SECRET_KEY = "only-for-fixtures-4tq9vXw2LmZr8KpD6sYbHn3JcFgT7aQe5uRiWo1P"
PASSWORD = "seven quiet lanterns"
