"""How the web server deals with clients: gunicorn's threads, spared from everybody who is slow."""
