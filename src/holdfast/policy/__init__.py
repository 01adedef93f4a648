"""Who may connect and how: users, credentials, admission, addresses, limits."""
