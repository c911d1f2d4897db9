"""The people of the portal: invites, roles, passwords, sessions, mail."""
